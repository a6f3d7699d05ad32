import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  adadelta,
  adagrad,
  adam,
  adamax,
  createDataset,
  createRuntime,
  createTrainingRecorder,
  lion,
  loadModel,
  type Model,
  nadam,
  type Optimizer,
  ops,
  type Runtime,
  restore,
  rmsprop,
  type SlotSpec,
  saveModel,
  sgd,
  snapshot,
  tensor,
  withEma,
  withGradientAccumulation,
} from "../../src/index.ts";
import { internalsOf } from "../../src/model/internals.ts";
import { configOf } from "../../src/optimizers/optimizer.ts";
import { accumulateGradient } from "../reference/accumulate-gradient.ts";
import { referenceOptimizer } from "../reference/optimizers.ts";
import { randomArray } from "../reference/random.ts";
import { expectClose } from "../support/compare.ts";
import { allWeights, noise, tinyModel } from "../support/models.ts";
import { ownNadam } from "../support/own-optimizers.ts";
import { GraphRun } from "../support/run-graph.ts";
import { savedOf } from "../support/snapshots.ts";
import { tolerances } from "../support/tolerances.ts";

const bitsOf = (numbers: Float32Array) => [...new Uint32Array(numbers.slice().buffer)];

// One, no multiple of four, a workgroup of 64 x 4 and its neighbours.
const SIZES = [1, 7, 65, 255, 257];

describe("accumulateGradient", () => {
  it.each(["software", "gpu"] as const)("adds up and divides as the reference does: %s", async (adapter) => {
    let sums = SIZES.map((size) => new Float32Array(size));
    const want = SIZES.map((size) => new Float64Array(size));
    for (let t = 0; t < 4; t++) {
      const run = new GraphRun().step(t);
      const made = SIZES.map((size, i) => {
        const g = Float32Array.from(randomArray(size, 10 * t + i));
        const sum = run.input("sum", [size], sums[i]!);
        const call = { state: run.graph.state, g: run.input("g", [size], g), sum };
        const { y } = run.addTyped(ops.accumulateGradient, call, { steps: 3 });
        return { y, sum, g };
      });
      const read = await run.read([...made.map(({ y }) => y), ...made.map(({ sum }) => sum)], { adapter });
      made.forEach(({ g }, i) => {
        const mean = accumulateGradient(want[i]!, g, 3, t);
        expectClose(read[i]!, mean, tolerances.optimizerStep, `mean of ${SIZES[i]}, step ${t}`);
        expectClose(read[SIZES.length + i]!, want[i]!, tolerances.optimizerStep, `sum of ${SIZES[i]}, step ${t}`);
      });
      sums = read.slice(SIZES.length) as Float32Array<ArrayBuffer>[];
    }
  });

  it("carries NaN and infinity to the update, and begins anew at 0 after it", async () => {
    const [nan, inf] = [Number.NaN, Number.POSITIVE_INFINITY];
    for (const [t, sum] of [
      [1, [nan, inf, 1, 4, 2]],
      [2, [0, 0, 0, 0, 0]],
    ] as const) {
      const run = new GraphRun().step(t);
      const kept = run.input("sum", [5], [nan, inf, 0, 1, -1]);
      const g = run.input("g", [5], [1, 1, 1, 3, 3]);
      const { y } = run.addTyped(ops.accumulateGradient, { state: run.graph.state, g, sum: kept }, { steps: 3 });
      const [mean, left] = await run.read([y, kept]);
      expect([...mean!].slice(0, 2)).toEqual([nan, inf]);
      expect([...left!]).toEqual(sum);
    }
  });
});

interface Held {
  readonly p: Float32Array;
  readonly slots: readonly Float32Array[];
  readonly own: readonly Float32Array[];
}

/** A step of one parameter by an optimizer's nodes, with its gradients accumulated. */
async function stepped(optimizer: Optimizer, { p, slots, own }: Held, g: Float32Array, t: number): Promise<Held> {
  const run = new GraphRun().step(t);
  const { state } = run.graph;
  const shape = [p.length];
  const rate = run.input("rate", [1], [optimizer.hyperparameters.learningRate!]);
  const parameter = run.input("p", shape, p);
  const specs = optimizer.slots!(shape);
  const kept = Object.fromEntries(specs.map(({ name, shape }, i) => [name, run.input(name, shape, slots[i]!)]));
  const variables = Object.fromEntries(
    (optimizer.variables?.() ?? []).map(({ name, shape }, i) => [name, run.input(name, shape, own[i]!)]),
  );
  const call = { state, add: run.addTyped, shapeOf: () => shape, hyperparameter: () => rate };
  const gradients = new Map([["p", run.input("g", shape, g)]]);
  const means = optimizer.accumulate!({ ...call, gradients, variable: ({ path }) => kept[path.slice(2)]! });
  const shared = optimizer.begin!({ ...call, gradients: means, variables });
  optimizer.step({ ...call, path: "p", parameter, gradient: means.get("p")!, slots: kept, shared });
  const read = await run.read([parameter, ...Object.values(kept), ...Object.values(variables)]);
  return { p: read[0]!, slots: read.slice(1, 1 + specs.length), own: read.slice(1 + specs.length) };
}

const RATE = { learningRate: 0.1 };
const OPTIMIZERS: readonly (readonly [string, Optimizer])[] = [
  ["sgd", sgd(RATE)],
  ["sgd", sgd({ ...RATE, momentum: 0.9 })],
  ["adam", adam({ ...RATE, amsgrad: true, weightDecay: 0.1 })],
  ["nadam", nadam(RATE)],
  ["adamax", adamax(RATE)],
  ["rmsprop", rmsprop({ ...RATE, momentum: 0.5, centered: true })],
  ["adagrad", adagrad(RATE)],
  ["adadelta", adadelta(RATE)],
  ["lion", lion(RATE)],
];

describe.each(OPTIMIZERS)("%s that updates once in two steps", (name, inner) => {
  const optimizer = withGradientAccumulation(inner, { steps: 2 });
  const size = 7;
  const filled = ({ shape, initial = 0 }: SlotSpec) => new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(initial);
  const begun: Held = {
    p: Float32Array.from(randomArray(size, 1)),
    slots: optimizer.slots!([size]).map(filled),
    own: (optimizer.variables?.() ?? []).map(filled),
  };

  it("steps by the mean of two gradients, and counts updates", async () => {
    const { learningRate, ...config } = inner.config as Record<string, number>;
    const reference = referenceOptimizer(name, { learningRate: learningRate!, ...config });
    const p = Float64Array.from(begun.p);
    const kept = Array.from({ length: reference.kept }, () => new Float64Array(size));
    const sum = new Float64Array(size);
    let state = begun;
    for (let t = 0; t < 4; t++) {
      const g = Float32Array.from(randomArray(size, 20 + t));
      const mean = accumulateGradient(sum, g, 2, t);
      if (t % 2 === 1) reference.step({ p, kept, g: mean, t: (t + 1) / 2 });
      state = await stepped(optimizer, state, g, t);
      expectClose(state.p, p, tolerances.optimizerStep, `step ${t}`);
    }
  });

  it("changes no bit between updates, whatever the gradient is", async () => {
    const odd = Float32Array.of(Number.NaN, Number.POSITIVE_INFINITY, 1, -1e38, 0, -0, 3);
    const { p, slots, own } = await stepped(optimizer, begun, odd, 2);
    expect(bitsOf(p)).toEqual(bitsOf(begun.p));
    // The first slot is the sum.
    expect(slots.slice(1).map(bitsOf)).toEqual(begun.slots.slice(1).map(bitsOf));
    expect(own.map(bitsOf)).toEqual(begun.own.map(bitsOf));
    expect(bitsOf(slots[0]!)).toEqual(bitsOf(odd.map((value) => value + 0)));
  });
});

describe("a model that accumulates gradients", () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await createRuntime();
  });
  afterAll(() => runtime.dispose());

  // Five batches an epoch, the last of them short.
  const [ROWS, BATCH, IN, CLASSES] = [18, 4, 4, 3];
  const loss = "sparseCategoricalCrossentropy";
  const { x, y } = noise(ROWS, [IN], CLASSES);

  async function compiled(optimizer: Optimizer, seed = 2): Promise<Model> {
    const model = tinyModel();
    await model.compile({ loss, optimizer, runtime, seed });
    return model;
  }

  async function train(model: Model, from: number, to: number): Promise<void> {
    for (let t = from; t < to; t++) {
      const first = (t % 5) * BATCH;
      const last = Math.min(first + BATCH, ROWS);
      const images = tensor(x.data.slice(first * IN, last * IN) as Float32Array<ArrayBuffer>, [last - first, IN]);
      await model.trainOnBatch(images, tensor(y.data.slice(first, last) as Uint32Array<ArrayBuffer>, [last - first]));
    }
  }

  const trainedOf = async (model: Model) => savedOf(await snapshot(model), "parameter", "slot");

  it("carries on from epoch to epoch, however many steps a submit has", async () => {
    const make = () => withEma(withGradientAccumulation(adam(RATE), { steps: 3 }), { momentum: 0.5 });
    const [steps, fitted] = [await compiled(make()), await compiled(make())];
    let last: unknown;
    await fitted.fit(x, y, {
      batchSize: BATCH,
      epochs: 2,
      shuffle: false,
      verbose: 0,
      stepsPerExecution: 4,
      callbacks: [
        {
          onEpochEnd: async () => {
            last = await trainedOf(fitted);
          },
        },
      ],
    });
    await train(steps, 0, 10);
    expect(last).toEqual(await trainedOf(steps));
    for (const each of [steps, fitted]) each.dispose();
  });

  it.each([
    ["sgd", () => sgd(RATE)],
    ["an optimizer of one's own", () => ownNadam(0.1)],
  ] as const)("goes on from a snapshot in the middle of an accumulation, to the same bits: %s", async (_, make) => {
    const model = await compiled(withGradientAccumulation(make(), { steps: 3 }));
    const begun = await allWeights(model);
    await train(model, 0, 2);
    expect(await allWeights(model)).toEqual(begun);
    const taken = structuredClone(await snapshot(model));
    await train(model, 2, 7);
    expect(await allWeights(model)).not.toEqual(begun);
    const other = await compiled(withGradientAccumulation(make(), { steps: 3 }), 9);
    await train(other, 0, 1);
    await restore(other, taken);
    await train(other, 2, 7);
    expect(await trainedOf(other)).toEqual(await trainedOf(model));
    for (const each of [model, other]) each.dispose();
  });

  it("comes back with a saved model, in either order, and from a snapshot of as many steps only", async () => {
    const [one, other] = [
      withEma(withGradientAccumulation(sgd(RATE), { steps: 2 }), { momentum: 0.9, overwriteFrequency: 3 }),
      withGradientAccumulation(withEma(sgd(RATE), { momentum: 0.9, overwriteFrequency: 3 }), { steps: 2 }),
    ];
    expect(configOf(one)).toEqual(configOf(other));
    const model = await compiled(one);
    const again = await loadModel(await saveModel(model), { runtime });
    const { settings } = (await internalsOf(again, "test")).compiled;
    expect(configOf(settings.training!.optimizer)).toEqual(configOf(one));
    const twin = await compiled(other);
    for (const each of [model, again, twin]) await train(each as Model, 0, 7);
    expect(await trainedOf(again as Model)).toEqual(await trainedOf(model));
    expect(await trainedOf(twin)).toEqual(await trainedOf(model));
    await restore(twin, await snapshot(model));
    const three = await compiled(withEma(withGradientAccumulation(sgd(RATE), { steps: 3 }), { momentum: 0.9 }));
    await expect(restore(three, await snapshot(model))).rejects.toThrow(
      /withGradientAccumulation "\{\\"steps\\":2\}"|steps/,
    );
    for (const each of [model, again, twin, three]) each.dispose();
  });

  it("is what a recorder records", async () => {
    const make = () => withEma(withGradientAccumulation(adam(RATE), { steps: 2 }));
    const [model, other] = [await compiled(make()), await compiled(make())];
    const dataset = await createDataset(runtime, { x, y });
    const recorder = await createTrainingRecorder(other, dataset, { batchSize: ROWS });
    const encoder = runtime.device.createCommandEncoder();
    recorder.record(encoder, { steps: 3 });
    runtime.device.queue.submit([encoder.finish()]);
    for (let t = 0; t < 3; t++) await model.trainOnBatch(x, y);
    expect(await trainedOf(other)).toEqual(await trainedOf(model));
    recorder.dispose();
    dataset.dispose();
    for (const each of [model, other]) each.dispose();
  });
});
