// jax-js as its own MNIST demo is written (ekzhang/jax-js, website/src/routes/mnist): NCHW, `logSoftmax`. Unlike the demo, the
// whole step is under one `jit`, the batches lie on the device before the first step, and a step starts while the one before
// it runs.

import {
  type Array as Arr,
  blockUntilReady,
  type Device,
  defaultDevice,
  init,
  jit,
  nn,
  numpy as np,
  tree,
  valueAndGrad,
} from "@jax-js/jax";
import { channelsFirstImages } from "./channels-first.ts";
import { forward, type Params, type Statistics, weightsOf } from "./jax-js-layers.ts";
import {
  type BenchData,
  CLASSES,
  firstImages,
  type Group,
  imagesOf,
  LEARNING_RATE,
  oneHotOf,
  type System,
  scaled,
} from "./system.ts";

type Batch = { x: Arr; y: Arr };

/** What a step changes. `velocities` is empty without momentum. */
type State = { params: Params; velocities: Params; statistics: Statistics };

/** Of the moving means and variances, as Keras's batch normalization has it. */
const MOMENTUM = 0.99;

export async function setupJax(device: Device, data: BenchData): Promise<System> {
  if (!(await init(device)).includes(device)) throw new Error(`jax-js has no device "${device}" here`);
  defaultDevice(device);
  const { network } = data;
  const { batch: batchSize, momentum = 0 } = network;
  const [height, width, channels] = network.input;
  const lossOf = (p: Params, x: Arr, y: Arr): [Arr, Statistics] => {
    const { logits, statistics } = forward(network, p, undefined, x);
    const loss = nn
      .logSoftmax(logits)
      .mul(y)
      .sum()
      .mul(-1 / batchSize);
    return [loss, statistics];
  };
  const step = jit(({ params, velocities, statistics }: State, x: Arr, y: Arr): [State, Arr] => {
    const [[loss, found], gradients] = valueAndGrad(lossOf, { hasAux: true })(tree.ref(params), x, y);
    const changes = (gradients as Params).map((gradient, i) => {
      const change = gradient.mul(-LEARNING_RATE);
      return momentum ? velocities[i]!.mul(momentum).add(change) : change;
    });
    const next = {
      velocities: momentum ? tree.ref(changes) : [],
      params: params.map((value, i) => value.add(changes[i]!)),
      statistics: statistics.map((moving, i) => moving.mul(MOMENTUM).add(found[i]!.mul(1 - MOMENTUM))),
    };
    return [next, loss];
  });
  const predict = jit(
    (params: Params, statistics: Statistics, x: Arr): Arr => nn.softmax(forward(network, params, statistics, x).logits),
  );
  const weights = weightsOf(data);
  const velocities = momentum ? weights.params.map(({ shape }) => np.zeros(shape)) : [];
  let state: State = { ...weights, velocities };
  await blockUntilReady(state);
  const batches: (Batch | undefined)[] = [];
  const imagesAs = (pixels: Uint8Array, count: number) =>
    np.array(scaled(channelsFirstImages(pixels, network.input))).reshape([count, channels, height, width]);
  const prepare = async ({ first, steps }: Group) => {
    for (let i = first; i < first + steps; i++) {
      batches[i] ??= await blockUntilReady({
        x: imagesAs(imagesOf(data, i, 1), batchSize),
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
        const [next, loss] = step(state, x.ref, y.ref);
        state = next as State;
        after = loss.blockUntilReady();
        (await before)?.dispose();
        before = after;
      }
      const last = await after!;
      await blockUntilReady(state);
      return Number((await last.data())[0]);
    },
    async infer(batch) {
      const x = imagesAs(firstImages(data, batch), batch);
      return (await predict(tree.ref(state.params), tree.ref(state.statistics), x).data()) as Float32Array;
    },
    dispose() {
      tree.dispose(state);
      for (const batch of batches) tree.dispose(batch);
      step.dispose();
      predict.dispose();
    },
  };
}
