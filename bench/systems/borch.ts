// borch as its own comparison and tests are written (playidea-lab/borch, borch-ts/test/compare.ts and capture.ts): modules,
// `CrossEntropyLoss`, `SGD`, and the whole step under `compiled`, which records it once and then replays the recording.
// Unlike there, the batches lie on the device before the first step, a step is submitted while the one before it runs, and
// the loss is read once a group. Nothing of the two networks is refused by a recording.

import { type Compiled, compiled, Device, init, isSoftwareAdapter, keepAlive, nn, optim, scope, Tensor } from "borch";
import { layersOf, poolingFirst } from "./borch-layers.ts";
import {
  type BenchData,
  firstImages,
  type Group,
  imagesOf,
  LEARNING_RATE,
  labelsOf,
  type Setup,
  type System,
  scaled,
} from "./system.ts";

/** Timing every kernel that could do the same is worth it on a GPU. Without one it takes minutes. */
type Options = { readonly tune: boolean };
type Batch = { readonly x: Tensor; readonly y: Tensor };

export const setup: Setup = async (data): Promise<System> => {
  const device = await init();
  const options = { tune: !isSoftwareAdapter(Device.adapterInfo) };
  const layers = await scope(async () => layersOf(data));
  const model = new nn.Sequential(...poolingFirst(layers));
  const step = trainingStep(model, options);
  const forward = forwardPass(layers, data, options);
  const batches: Batch[] = [];
  const prepare = async ({ first, steps }: Group) => {
    for (let i = first; i < first + steps; i++) batches[i] ??= batchOf(data, i);
    await step.settle();
    await device.synchronize();
  };
  return {
    prepare,
    async train(group) {
      await prepare(group);
      forward.outdate();
      let loss: Tensor | undefined;
      for (let i = 0; i < group.steps * group.epochs; i++) {
        const { x, y } = batches[group.first + (i % group.steps)]!;
        loss = await step.call(x, y);
        device.flush();
      }
      return loss!.item();
    },
    async prepareInfer(batch) {
      await forward.prepare(batch);
      // An upload never takes a buffer that an earlier one has left.
      device.emptyCache();
    },
    infer: (batch) => forward.call(batch),
    dispose() {
      step.dispose();
      forward.dispose();
      const kept = [...model.parameters(), ...batches.flatMap(({ x, y }) => [x, y])];
      for (const { raw } of kept) device.unkeep(raw);
      device.emptyCache();
    },
  };
};

function batchOf(data: BenchData, index: number): Batch {
  const { batch } = data.network;
  return {
    x: keepAlive(Tensor.from(scaled(imagesOf(data, index, 1)), [batch, 1, 28, 28])),
    y: keepAlive(Tensor.from(Float32Array.from(labelsOf(data, index, 1)), [batch], { dtype: "int64" })),
  };
}

function trainingStep(model: nn.Module, options: Options) {
  const optimizer = new optim.SGD(model.parameters(), LEARNING_RATE);
  const lossOf = new nn.CrossEntropyLoss();
  const anew = () =>
    compiled((x: Tensor, y: Tensor) => {
      optimizer.zeroGrad();
      const loss = lossOf.call(model.call(x), y);
      loss.backward();
      optimizer.step();
      return loss;
    }, options);
  let step = anew();
  return {
    call: (x: Tensor, y: Tensor) => step.call(x, y),
    /** Times what is still to be timed. A recording keeps its kernels, so faster ones are for the next recording. */
    async settle() {
      await step.settle();
      if (!step.tuned.flat().some(({ prior, chosen }) => prior !== chosen)) return;
      step.dispose();
      step = anew();
    },
    dispose: () => step.dispose(),
  };
}

function forwardPass(layers: readonly nn.Module[], data: BenchData, options: Options) {
  let pass: Compiled<[Tensor]> | undefined;
  const recorded = new Set<number>();
  const call = async (batch: number) => {
    pass ??= compiled(new nn.Sequential(...layers, new nn.Softmax(1)), options);
    const run = pass;
    return scope(async () => {
      const x = Tensor.from(scaled(firstImages(data, batch)), [batch, 1, 28, 28]);
      return (await run.call(x)).toArray();
    });
  };
  const dispose = () => {
    pass?.dispose();
    pass = undefined;
    recorded.clear();
  };
  return {
    call,
    async prepare(batch: number) {
      if (!recorded.has(batch)) await call(batch);
      await pass!.settle();
      recorded.add(batch);
    },
    /** Forgets recordings that have laid out weights once and for all, which are about to change. */
    outdate() {
      if (pass?.hoisted.some((count) => count > 0)) dispose();
    },
    dispose,
  };
}
