import { afterAll, beforeAll, expect, it } from "vitest";
import {
  createDataset,
  createRuntime,
  createTrainingRecorder,
  dense,
  type Model,
  type Optimizer,
  type Runtime,
  restore,
  sequential,
  setHyperparameters,
  snapshot,
  tensor,
  terminateOnNaN,
} from "../../src/index.ts";
import { denseGradients, dense as denseReference } from "../reference/matmul.ts";
import { referenceOptimizer } from "../reference/optimizers.ts";
import { sparseSoftmaxCrossEntropy } from "../reference/softmax.ts";
import { expectClose } from "../support/compare.ts";
import { allWeights, noise, tinyModel } from "../support/models.ts";
import { decayingSgd, NADAM, ownAdagrad, ownNadam } from "../support/own-optimizers.ts";
import { savedOf } from "../support/snapshots.ts";
import { tolerances } from "../support/tolerances.ts";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime();
});
afterAll(() => runtime.dispose());

const [ROWS, IN, CLASSES] = [7, 4, 3];
const { x, y } = noise(ROWS, [IN], CLASSES);
const loss = "sparseCategoricalCrossentropy";

async function compiled(optimizer: Optimizer, seed = 2, model: Model = tinyModel()): Promise<Model> {
  await model.compile({ loss, optimizer, runtime, seed });
  return model;
}

async function train(model: Model, steps: number): Promise<void> {
  for (let t = 0; t < steps; t++) await model.trainOnBatch(x, y);
}

/** What is changed by a step: the parameter `p`, and what a reference keeps beside it. */
interface Held {
  readonly p: Float64Array;
  readonly kept: readonly Float64Array[];
}

async function heldOf(model: Model, kept: number): Promise<Held[]> {
  const zeros = (size: number) => Array.from({ length: kept }, () => new Float64Array(size));
  return (await model.getWeights()).map(({ data }) => ({ p: Float64Array.from(data), kept: zeros(data.length) }));
}

/** The same training in float64. `step` changes a parameter in place; t counts steps from 1. */
function trainReference(
  held: readonly Held[],
  steps: number,
  step: (of: Held & { readonly g: Float64Array; readonly t: number }) => void,
): void {
  const samples = Float64Array.from(x.data);
  const sizes = { rows: ROWS, inputs: IN, units: CLASSES };
  for (let t = 1; t <= steps; t++) {
    const [kernel, bias] = held.map(({ p }) => p);
    const logits = denseReference(samples, kernel!, bias!, sizes);
    const { dLogits } = sparseSoftmaxCrossEntropy(logits, y.data, CLASSES);
    const { dW, dB } = denseGradients(samples, kernel!, dLogits, sizes);
    held.forEach((each, i) => void step({ ...each, g: [dW, dB][i]!, t }));
  }
}

async function expectTrained(model: Model, held: readonly Held[]): Promise<void> {
  const weights = await model.getWeights();
  weights.forEach(({ name, data }, i) => void expectClose(data, held[i]!.p, tolerances.trainingStep, name));
}

const slotsOf = async (model: Model) => savedOf(await snapshot(model), "slot");

it("slots begin at their initial value: Adagrad's sums at 0.1, as the float64 loop has them", async () => {
  const model = await compiled(ownAdagrad(0.1, 0.1));
  const begun = (await slotsOf(model)).map(({ path, data }) => [path, ...new Set(data)]);
  const initial = Math.fround(0.1);
  expect(begun).toEqual([
    ["dense/kernel/accumulator", initial],
    ["dense/bias/accumulator", initial],
  ]);
  const { step } = referenceOptimizer("adagrad", { learningRate: 0.1, initialAccumulatorValue: 0.1 });
  const held = await heldOf(model, 1);
  trainReference(held, 4, step);
  await train(model, 4);
  await expectTrained(model, held);
  const sums = (await slotsOf(model)).map(({ data }) => data);
  held.forEach(({ kept: [s] }, i) => {
    const want = s!.map((sum) => sum + 0.1);
    expectClose(sums[i]!, want, tolerances.trainingStep, "sums");
  });

  // Compiled again, a model keeps its weights, and its slots begin anew.
  await compiled(ownAdagrad(0.1, 0.1), 2, model);
  const again = await heldOf(model, 1);
  trainReference(again, 1, step);
  await train(model, 1);
  await expectTrained(model, again);
  model.dispose();
});

it("initial values of slots leave those of the weights as they are", async () => {
  const [one, other] = [await compiled(ownAdagrad(0.1, 0)), await compiled(ownNadam(0.1))];
  expect(await allWeights(one)).toEqual(await allWeights(other));
  for (const each of [one, other]) each.dispose();
});

it("a learning rate is computed from the number of the step, on the GPU", async () => {
  const model = await compiled(decayingSgd(0.5, 0.7));
  const held = await heldOf(model, 0);
  let [rate, before] = [0.5, 0];
  const step: Parameters<typeof trainReference>[2] = ({ p, g, t }) => {
    for (let i = 0; i < p.length; i++) p[i]! -= rate * 0.7 ** (before + t - 1) * g[i]!;
  };
  trainReference(held, 4, step);
  await train(model, 4);
  await expectTrained(model, held);

  // The hyperparameter is what it begins with, and a restored model goes on at its step.
  const other = await compiled(decayingSgd(0.5, 0.7), 5);
  await restore(other, await snapshot(model));
  await setHyperparameters(other, { learningRate: 3 });
  [rate, before] = [3, 4];
  trainReference(held, 2, step);
  await train(other, 2);
  await expectTrained(other, held);
  for (const each of [model, other]) each.dispose();
});

const BETAS = [NADAM.beta1, NADAM.beta2] as const;
const momentum = (t: number) => BETAS[0] * (1 - 0.5 * 0.96 ** t);
const productOf = (t: number) => Array.from({ length: t }, (_, i) => momentum(i + 1)).reduce((a, b) => a * b, 1);

it("an optimizer keeps a variable of its own: Nadam's product of momenta, as the float64 loop has it", async () => {
  const model = await compiled(ownNadam(0.1));
  const held = await heldOf(model, 2);
  trainReference(held, 4, ({ p, g, kept: [m, v], t }) => {
    for (let i = 0; i < p.length; i++) {
      m![i]! += (1 - BETAS[0]) * (g[i]! - m![i]!);
      v![i]! += (1 - BETAS[1]) * (g[i]! ** 2 - v![i]!);
      const ahead = (momentum(t + 1) * m![i]!) / (1 - productOf(t + 1));
      const now = ((1 - momentum(t)) * g[i]!) / (1 - productOf(t));
      p[i]! -= (0.1 * (ahead + now)) / (Math.sqrt(v![i]! / (1 - BETAS[1] ** t)) + NADAM.epsilon);
    }
  });
  await train(model, 4);
  await expectTrained(model, held);
  const own = (await slotsOf(model)).find(({ path }) => path === "optimizer.product")!;
  expectClose(own.data, [productOf(4)], tolerances.optimizerStep, own.path);
  // Two slots of 15 numbers, the product, the learning rate and the number of the step.
  expect(model.summary({ print: () => {} })).toContain(" Optimizer params: 33 ");
  model.dispose();
});

it("such a training goes on from a snapshot to the bits of one that was never interrupted", async () => {
  const model = await compiled(ownNadam(0.1));
  await train(model, 3);
  const taken = structuredClone(await snapshot(model));
  await train(model, 3);
  const other = await compiled(ownNadam(0.1), 9);
  await train(other, 1);
  await restore(other, taken);
  await train(other, 3);
  expect((await snapshot(other)).variables).toEqual((await snapshot(model)).variables);

  // A model whose optimizer keeps no product is another one.
  const { variables: _, ...without } = ownNadam(0.1);
  const lacking = await compiled({ ...without, begin: ({ state }) => ({ factors: state }) }, 9);
  await expect(restore(lacking, taken)).rejects.toThrow(
    /variable 6 of the snapshot is slot "optimizer\.product" \[1\], the model's is metric "means"/,
  );
  for (const each of [model, other, lacking]) each.dispose();
});

it("a recorder's steps are those of the model, and share what the optimizer keeps", async () => {
  const [model, other] = [await compiled(ownNadam(0.1)), await compiled(ownNadam(0.1))];
  const dataset = await createDataset(runtime, { x, y });
  const recorder = await createTrainingRecorder(other, dataset, { batchSize: ROWS });
  const encoder = runtime.device.createCommandEncoder();
  recorder.record(encoder, { steps: 2 });
  runtime.device.queue.submit([encoder.finish()]);
  await train(model, 2);
  expect(await slotsOf(other)).toEqual(await slotsOf(model));
  expect(await allWeights(other)).toEqual(await allWeights(model));
  recorder.dispose();
  dataset.dispose();
  for (const each of [model, other]) each.dispose();
});

it("terminateOnNaN puts back what the optimizer keeps, too", async () => {
  const samples = Float32Array.from({ length: 12 * IN }, (_, i) => Math.sin(i));
  samples[9 * IN] = Number.NaN;
  const labels = Uint32Array.from({ length: 12 }, (_, i) => i % CLASSES);
  const fit = (model: Model, count: number) => {
    const [some, their] = [samples.slice(0, count * IN), labels.slice(0, count)];
    const guard = terminateOnNaN();
    const options = { batchSize: 4, epochs: 1, verbose: 0, shuffle: false, callbacks: [guard] } as const;
    return model.fit(tensor(some, [count, IN]), tensor(their, [count]), options).then(() => guard.found);
  };
  const [model, other] = [await compiled(ownNadam(0.1)), await compiled(ownNadam(0.1))];
  expect(await fit(model, 12)).toMatchObject({ step: 3, where: "samples" });
  await fit(other, 8);
  expect(await slotsOf(model)).toEqual(await slotsOf(other));
  for (const each of [model, other]) each.dispose();
});

it("a layer may be called as the variable's path begins", async () => {
  const named = sequential([dense({ units: CLASSES, activation: "softmax", inputShape: [IN], name: "optimizer" })]);
  const model = await compiled(ownNadam(0.1), 2, named);
  const plain = await compiled(ownNadam(0.1));
  await train(model, 2);
  await train(plain, 2);
  expect(await allWeights(model)).toEqual(await allWeights(plain));
  for (const each of [model, plain]) each.dispose();
});
