// jax-js as its own MNIST demo is written (ekzhang/jax-js, website/src/routes/mnist): NCHW, pooling before ReLU (which
// changes neither values nor gradients, and is less work), `logSoftmax`. Unlike the demo, the whole step is under one
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
import {
  BATCH,
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

type Params = { w1: Arr; b1: Arr; w2: Arr; b2: Arr; w3: Arr; b3: Arr; w4: Arr; b4: Arr };
type Batch = { x: Arr; y: Arr };

function maxPool(x: Arr): Arr {
  return lax.reduceWindow(x, np.max, [2, 2], [2, 2]);
}

function logits(p: Params, x: Arr): Arr {
  const a1 = nn.relu(maxPool(lax.conv(x, p.w1, [1, 1], "VALID").add(p.b1)));
  const a2 = nn.relu(maxPool(lax.conv(a1, p.w2, [1, 1], "VALID").add(p.b2)));
  const a3 = nn.relu(np.dot(a2.reshape([-1, 1024]), p.w3).add(p.b3));
  return np.dot(a3, p.w4).add(p.b4);
}

function lossOf(p: Params, x: Arr, y: Arr): Arr {
  return nn
    .logSoftmax(logits(p, x))
    .mul(y)
    .sum()
    .mul(-1 / BATCH);
}

export async function setupJax(device: Device, data: BenchData): Promise<System> {
  if (!(await init(device)).includes(device)) throw new Error(`jax-js has no device "${device}" here`);
  defaultDevice(device);
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
  let params = paramsOf(data.weights);
  await blockUntilReady(params);
  const batches: (Batch | undefined)[] = [];
  const prepare = async ({ first, steps }: Group) => {
    for (let i = first; i < first + steps; i++) {
      batches[i] ??= await blockUntilReady({
        x: np.array(scaled(imagesOf(data, i, 1))).reshape([BATCH, 1, 28, 28]),
        y: np.array(oneHotOf(data, i, 1)).reshape([BATCH, CLASSES]),
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

/** From Keras's layouts to jax-js's: kernels HWIO to OIHW, and the first dense layer's rows from (h, w, c) to (c, h, w). */
function paramsOf(weights: BenchData["weights"]): Params {
  const [w1, b1, w2, b2, w3, b3, w4, b4] = weights as unknown as Float32Array<ArrayBuffer>[];
  return {
    w1: kernel(w1!, 1, 32),
    b1: np.array(b1!).reshape([32, 1, 1]),
    w2: kernel(w2!, 32, 64),
    b2: np.array(b2!).reshape([64, 1, 1]),
    w3: np.array(rowsByChannel(w3!)).reshape([1024, 1000]),
    b3: np.array(b3!),
    w4: np.array(w4!).reshape([1000, 10]),
    b4: np.array(b4!),
  };
}

function kernel(values: Float32Array, inputs: number, outputs: number): Arr {
  const turned = new Float32Array(values.length);
  for (let o = 0; o < outputs; o++) {
    for (let i = 0; i < inputs; i++) {
      for (let at = 0; at < 25; at++) turned[(o * inputs + i) * 25 + at] = values[(at * inputs + i) * outputs + o]!;
    }
  }
  return np.array(turned).reshape([outputs, inputs, 5, 5]);
}

function rowsByChannel(values: Float32Array): Float32Array<ArrayBuffer> {
  const turned = new Float32Array(values.length);
  for (let channel = 0; channel < 64; channel++) {
    for (let at = 0; at < 16; at++) {
      const row = (at * 64 + channel) * 1000;
      turned.set(values.subarray(row, row + 1000), (channel * 16 + at) * 1000);
    }
  }
  return turned;
}
