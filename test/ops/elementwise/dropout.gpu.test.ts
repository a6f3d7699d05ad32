import { describe, expect, it } from "vitest";
import {
  adam,
  createRuntime,
  dense,
  dropout,
  type Optimizer,
  restore,
  type Sequential,
  sequential,
  sgd,
  snapshot,
} from "../../../src/index.ts";
import { activate, activationGradient } from "../../reference/activation.ts";
import { dropoutMask } from "../../reference/dropout.ts";
import { denseGradients, dense as denseReference } from "../../reference/matmul.ts";
import { randomArray } from "../../reference/random.ts";
import { sparseSoftmaxCrossEntropy } from "../../reference/softmax.ts";
import { expectClose } from "../../support/compare.ts";
import { allWeights, noise } from "../../support/models.ts";
import { GraphRun } from "../../support/run-graph.ts";
import { tolerances } from "../../support/tolerances.ts";

const attributes = { rate: 0.3, seed: 5 };

/** Its node is named as its op. */
async function dropped(x: Float64Array, step: number, own: object = {}): Promise<Float32Array> {
  const run = new GraphRun().step(step);
  const { y } = run.add(
    "dropout",
    { x: run.input("x", [x.length], x), state: run.graph.state },
    { ...attributes, ...own },
  );
  return (await run.read([y!]))[0]!;
}

describe("dropout", () => {
  it.each([1, 7, 65, 256, 257])("follows its hash on %i numbers, step by step", async (size) => {
    const x = randomArray(size, 1);
    for (const step of [0, 1, 70000]) {
      const mask = dropoutMask(size, { ...attributes, layer: "dropout", step });
      expectClose(
        await dropped(x, step),
        mask.map((m, i) => m * x[i]!),
        tolerances.elementwise,
        `step ${step}`,
      );
    }
  });

  it("drops a share of the numbers, anew in each step and layer, and by another seed", async () => {
    const size = 100_000;
    const { rate } = attributes;
    const ones = new Float64Array(size).fill(1);
    const masks = [
      await dropped(ones, 3),
      await dropped(ones, 4),
      await dropped(ones, 3, { maskOf: "dropout_1" }),
      await dropped(ones, 3, { seed: 6 }),
    ].map((y) => y.map((value) => (value === 0 ? 1 : 0)));
    // Five standard deviations of a share of `size` draws.
    const within = (share: number) => 5 * Math.sqrt((share * (1 - share)) / size);
    const shareOf = (count: (i: number) => number) => ones.reduce((sum, _, i) => sum + count(i), 0) / size;
    masks.forEach((mask, a) => {
      expect(Math.abs(shareOf((i) => mask[i]!) - rate)).toBeLessThan(within(rate));
      for (const other of masks.slice(a + 1)) {
        // Independent masks drop the same number by chance only; so do neighbours in one mask.
        expect(Math.abs(shareOf((i) => mask[i]! * other[i]!) - rate ** 2)).toBeLessThan(within(rate ** 2));
      }
      expect(Math.abs(shareOf((i) => mask[i]! * (mask[i + 1] ?? 0)) - rate ** 2)).toBeLessThan(
        within(rate ** 2) + 1 / size,
      );
    });
    expect([...(await dropped(ones, 3))].filter((value) => value === 0).length / size).toBe(
      shareOf((i) => masks[0]![i]!),
    );
  });
});

const [ROWS, IN, HIDDEN, CLASSES] = [6, 5, 7, 3];
const RATE = 0.1;

async function compiled(
  runtime?: Awaited<ReturnType<typeof createRuntime>>,
  optimizer: Optimizer = sgd({ learningRate: RATE }),
): Promise<Sequential> {
  const model = sequential([
    dropout({ rate: 0.25, inputShape: [IN] }),
    dense({ units: HIDDEN, activation: "tanh" }),
    dropout({ rate: 0.5, seed: 9 }),
    dense({ units: CLASSES, activation: "softmax" }),
  ]);
  await model.compile({ loss: "sparseCategoricalCrossentropy", optimizer, seed: 2, ...(runtime ? { runtime } : {}) });
  return model;
}

/** Loss and gradients of the model by hand, out of the reference's parts. */
function reference(weights: readonly Float64Array[], x: Float64Array, classes: ArrayLike<number>, step: number) {
  const [w1, b1, w2, b2] = weights as [Float64Array, Float64Array, Float64Array, Float64Array];
  const first = { rows: ROWS, inputs: IN, units: HIDDEN };
  const last = { rows: ROWS, inputs: HIDDEN, units: CLASSES };
  const inputMask = dropoutMask(ROWS * IN, { rate: 0.25, seed: 0, layer: "dropout", step });
  const mask = dropoutMask(ROWS * HIDDEN, { rate: 0.5, seed: 9, layer: "dropout_1", step });
  const kept = x.map((value, i) => value * inputMask[i]!);
  const h = activate("tanh", denseReference(kept, w1, b1, first));
  const d = h.map((value, i) => value * mask[i]!);
  const { loss, dLogits } = sparseSoftmaxCrossEntropy(denseReference(d, w2, b2, last), classes, CLASSES);
  const top = denseGradients(d, w2, dLogits, last);
  const dH = top.dX.map((value, i) => value * mask[i]!);
  const bottom = denseGradients(kept, w1, activationGradient("tanh", h, dH), first);
  return { loss, gradients: [bottom.dW, bottom.dB, top.dW, top.dB] };
}

describe("a model with dropout", () => {
  it("trains as the reference says, by one mask forward and back, another each step", async () => {
    const model = await compiled();
    const { x, y } = noise(ROWS, [IN], CLASSES);
    let weights: Float64Array[] = (await model.getWeights()).map(({ data }) => Float64Array.from(data));
    for (let step = 0; step < 3; step++) {
      const { loss } = await model.trainOnBatch(x, y);
      const want = reference(weights, Float64Array.from(x.data), y.data, step);
      expectClose([loss], [want.loss], tolerances.trainingStep, `loss of step ${step}`);
      weights = weights.map((w, i) => w.map((value, j) => value - RATE * want.gradients[i]![j]!));
    }
    (await model.getWeights()).forEach(({ name, data }, i) => {
      expectClose(data, weights[i]!, tolerances.trainingStep, name);
    });
    model.dispose();
  });

  it("repeats itself to the bit, however many steps share a submit, and drops nothing when it only looks", async () => {
    const runtime = await createRuntime();
    const { x, y } = noise(4 * ROWS, [IN], CLASSES);
    const [one, other] = [await compiled(runtime), await compiled(runtime)];
    const before = await one.predict(x);
    expect((await one.predict(x)).data).toEqual(before.data);
    expect((await other.predict(x)).data).toEqual(before.data);
    for (const [model, stepsPerExecution] of [
      [one, 1],
      [other, 4],
    ] as const) {
      await model.fit(x, y, { epochs: 2, batchSize: ROWS, stepsPerExecution, verbose: 0 });
    }
    expect(await allWeights(one)).toEqual(await allWeights(other));
    one.dispose();
    other.dispose();
    runtime.dispose();
  });

  it("goes on from a snapshot to the same bits: masks and Adam's moments follow the step", async () => {
    const runtime = await createRuntime();
    const { x, y } = noise(ROWS, [IN], CLASSES);
    const [one, other] = [await compiled(runtime, adam()), await compiled(runtime, adam())];
    const train = async (model: Sequential) => {
      for (let step = 0; step < 2; step++) await model.trainOnBatch(x, y);
    };
    await train(one);
    const taken = await snapshot(one);
    await train(one);
    await restore(other, taken);
    await train(other);
    expect(await allWeights(other)).toEqual(await allWeights(one));
    one.dispose();
    other.dispose();
    runtime.dispose();
  });
});
