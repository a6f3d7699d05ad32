// jax-js as its own MNIST demo is written (ekzhang/jax-js, website/src/routes/mnist): NCHW, max pooling before ReLU
// (which changes neither values nor gradients, and is less work), `logSoftmax`. Unlike the demo, the whole step is under one
// `jit`, the batches lie on the device before the first step, and a step starts while the one before it runs.

import {
  type Array as Arr,
  blockUntilReady,
  type Device,
  defaultDevice,
  init,
  jit,
  lax,
  nn,
  numpy as np,
  tree,
  valueAndGrad,
} from "@jax-js/jax";
import type { LayerSpec, NetworkSpec } from "../networks.ts";
import { channelsFirst } from "./channels-first.ts";
import {
  type BenchData,
  CLASSES,
  type Group,
  imagesOf,
  LEARNING_RATE,
  oneHotOf,
  PIXELS,
  type System,
  scaled,
} from "./system.ts";

/** Kernel, bias, kernel, bias and so on. */
type Params = Arr[];
type Batch = { x: Arr; y: Arr };

/** The layers one after another, up to the logits: the softmax is the loss's, and `predict`'s. */
function logitsOf({ layers }: NetworkSpec) {
  return (params: Params, input: Arr): Arr => {
    const rest = [...params];
    const turns = layers.flatMap((layer, i): ((x: Arr) => Arr)[] => {
      const [before, after] = [layers[i - 1], layers[i + 1]];
      switch (layer.kind) {
        case "conv2d": {
          const [kernel, bias] = rest.splice(0, 2) as [Arr, Arr];
          const conv = (x: Arr) => lax.conv(x, kernel, [1, 1], layer.padding === "same" ? "SAME" : "VALID").add(bias);
          return isMaxPooling(after) ? [conv] : [conv, nn.relu];
        }
        case "pooling": {
          const pool = (x: Arr) => lax.reduceWindow(x, layer.pooling === "max" ? np.max : np.mean, [2, 2], [2, 2]);
          return isMaxPooling(layer) && before?.kind === "conv2d" ? [pool, nn.relu] : [pool];
        }
        case "flatten":
          return [(x) => x.reshape([x.shape[0]!, -1])];
        case "dense": {
          const [kernel, bias] = rest.splice(0, 2) as [Arr, Arr];
          const dense = (x: Arr) => np.dot(x, kernel).add(bias);
          return layer.activation === "relu" ? [dense, nn.relu] : [dense];
        }
        default:
          throw new Error(`no layer ${layer satisfies never}`);
      }
    });
    return turns.reduce((x, turn) => turn(x), input);
  };
}

function isMaxPooling(layer: LayerSpec | undefined): boolean {
  return layer?.kind === "pooling" && layer.pooling === "max";
}

export async function setupJax(device: Device, data: BenchData): Promise<System> {
  if (!(await init(device)).includes(device)) throw new Error(`jax-js has no device "${device}" here`);
  defaultDevice(device);
  const { batch: batchSize } = data.network;
  const logits = logitsOf(data.network);
  const lossOf = (p: Params, x: Arr, y: Arr): Arr =>
    nn
      .logSoftmax(logits(p, x))
      .mul(y)
      .sum()
      .mul(-1 / batchSize);
  const step = jit((p: Params, x: Arr, y: Arr): [Params, Arr] => {
    const [loss, gradients] = valueAndGrad(lossOf)(tree.ref(p), x, y);
    const next = tree.map(
      (value: Arr, gradient: Arr) => value.sub(gradient.mul(LEARNING_RATE)),
      p,
      gradients as Params,
    );
    return [next as Params, loss];
  });
  const predict = jit((p: Params, x: Arr): Arr => nn.softmax(logits(p, x)));
  let params = paramsOf(data);
  await blockUntilReady(params);
  const batches: (Batch | undefined)[] = [];
  const prepare = async ({ first, steps }: Group) => {
    for (let i = first; i < first + steps; i++) {
      batches[i] ??= await blockUntilReady({
        x: np.array(scaled(imagesOf(data, i, 1))).reshape([batchSize, 1, 28, 28]),
        y: np.array(oneHotOf(data, i, 1)).reshape([batchSize, CLASSES]),
      });
    }
  };
  return {
    prepare,
    async train(group) {
      await prepare(group);
      let before: Promise<Arr> | undefined;
      let after: Promise<Arr> | undefined;
      for (let i = 0; i < group.steps * group.epochs; i++) {
        const { x, y } = batches[group.first + (i % group.steps)]!;
        const [next, loss] = step(params, x.ref, y.ref);
        params = next;
        after = loss.blockUntilReady();
        (await before)?.dispose();
        before = after;
      }
      const last = await after!;
      await blockUntilReady(params);
      return Number((await last.data())[0]);
    },
    async infer(batch) {
      const x = np.array(scaled(data.images.subarray(0, batch * PIXELS))).reshape([batch, 1, 28, 28]);
      return (await predict(tree.ref(params), x).data()) as Float32Array;
    },
    dispose() {
      tree.dispose(params);
      for (const batch of batches) tree.dispose(batch);
      step.dispose();
      predict.dispose();
    },
  };
}

/** Kernels of OIHW and [in, out]; a convolution's bias is added to its channels. */
function paramsOf(data: BenchData): Params {
  return channelsFirst(data).flatMap((parameters, i) => {
    if (!parameters) return [];
    const { kernel, shape, bias } = parameters;
    const isConv = data.network.layers[i]!.kind === "conv2d";
    return [np.array(kernel).reshape([...shape]), np.array(bias).reshape(isConv ? [bias.length, 1, 1] : [bias.length])];
  });
}
