import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type CompileOptions,
  createDataset,
  createRuntime,
  dense,
  globalClipNorm,
  input,
  loadModel,
  model,
  type Prediction,
  type Runtime,
  restore,
  saveModel,
  sgd,
  snapshot,
  tensor,
} from "../../src/index.ts";
import { randomArray } from "../reference/random.ts";
import { allWeights } from "../support/models.ts";
import { squaredError } from "../support/squared-error.ts";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime();
});
afterAll(() => runtime.dispose());

const x = tensor(randomArray(6 * 3, 1), [6, 3]);
const digit = [0, 1, 2, 0, 1, 2];

/** Hidden features as the first output, and classes made of them as the second. */
function twoOutputs() {
  const parts = input({ shape: [3], name: "parts" });
  const hidden = dense({ units: 4, activation: "tanh", name: "hidden" })(parts);
  return model({
    inputs: parts,
    outputs: { hidden, digit: dense({ units: 3, activation: "softmax", name: "digit" })(hidden) },
  });
}
const settings = () => ({
  loss: { hidden: null, digit: "sparseCategoricalCrossentropy" } as const,
  metrics: ["accuracy"] as const,
  optimizer: sgd({ learningRate: 0.5 }),
  runtime,
});
const options = { batchSize: 4, shuffle: false, verbose: 0 } as const;

describe("an output without a loss", () => {
  it("takes no labels, and is predicted beside the others", async () => {
    const [one, two] = [twoOutputs(), twoOutputs()];
    for (const each of [one, two]) await each.compile(settings());
    const dataset = await createDataset(runtime, { x, y: { digit }, sampleWeight: { digit: [1, 1, 2, 1, 1, 2] } });
    const { history } = await one.fit(x, digit, { ...options, sampleWeight: [1, 1, 2, 1, 1, 2] });
    expect(Object.keys(history)).toEqual(["loss", "digit_accuracy"]);
    const { history: same } = await two.fit(dataset, options);
    expect(same).toEqual(history);
    expect(await allWeights(two)).toEqual(await allWeights(one));
    const { hidden, digit: classes } = await one.predict(x);
    expect([hidden.shape, classes.shape]).toEqual([
      [6, 4],
      [6, 3],
    ]);
    const { loss } = await one.trainOnBatch(x, { digit });
    expect(loss).toBeGreaterThan(0);
    const more = { hidden: tensor(new Float32Array(24), [6, 4]), digit };
    const { loss: whole } = await one.evaluate(x, more);
    expect(whole).toBe((await one.evaluate(x, digit)).loss);
    const held = await createDataset(runtime, { x, y: more, sampleWeight: { hidden: digit } });
    expect((await one.evaluate(held)).loss).toBe(whole);
    expect((await one.predict(held)).digit.data).toEqual((await one.predict(x)).digit.data);
    await expect(one.fit(x, { other: digit, digit }, options)).rejects.toThrow(/fit: y has a column "other"/);
    held.dispose();
    for (const each of [one, two, dataset]) each.dispose();
  });

  it("is without one in a saved model, too", async () => {
    const one = twoOutputs();
    await one.compile(settings());
    const again = await loadModel<Record<"hidden" | "digit", Prediction>>(await saveModel(one), { runtime });
    expect(await again.evaluate(x, digit)).toEqual(await one.evaluate(x, digit));
    one.dispose();
    again.dispose();
  });

  it("may have been without one only since it was loaded", async () => {
    const both = twoOutputs();
    const loss = { hidden: squaredError(), digit: "sparseCategoricalCrossentropy" } as const;
    await both.compile({
      ...settings(),
      loss,
      lossWeights: { hidden: 0.5 },
      metrics: { hidden: [], digit: ["accuracy"] },
    });
    const { loss: only } = settings();
    const again = await loadModel(await saveModel(both), { runtime, loss: only });
    expect(Object.keys(await again.evaluate(x, digit))).toEqual(["loss", "digit_accuracy"]);
    await expect(loadModel(await saveModel(again), { loss: null as never })).rejects.toThrow(/compile: loss/);
    both.dispose();
    again.dispose();
  });

  it("leaves a layer that only it needs as it is", async () => {
    const parts = input({ shape: [3], name: "parts" });
    const head = (name: string) => dense({ units: 3, activation: "softmax", name })(parts);
    const two = model({ inputs: parts, outputs: { left: head("left"), right: head("right") } });
    const loss = { left: null, right: "sparseCategoricalCrossentropy" } as const;
    await two.compile({ loss, optimizer: sgd({ learningRate: 0.5, transforms: [globalClipNorm(1)] }), runtime });
    const before = await two.getWeights();
    await two.fit(x, digit, options);
    const after = await two.getWeights();
    const changed = after.filter(({ data }, i) => data.some((value, at) => value !== before[i]!.data[at]));
    expect(changed.map(({ name }) => name)).toEqual(["right/kernel", "right/bias"]);
    two.dispose();
  });

  it("is another's snapshot where another output has the loss", async () => {
    const compiled = async (loss: CompileOptions["loss"]) => {
      const parts = input({ shape: [3], name: "parts" });
      const head = (name: string) => dense({ units: 3, activation: "softmax", name })(parts);
      const two = model({ inputs: parts, outputs: { left: head("left"), right: head("right") } });
      await two.compile({ loss: loss!, optimizer: sgd(), runtime });
      return two;
    };
    const [one, other] = [
      await compiled({ left: "sparseCategoricalCrossentropy", right: null }),
      await compiled({ left: null, right: "sparseCategoricalCrossentropy" }),
    ];
    await expect(restore(other, await snapshot(one))).rejects.toThrow(/loss/);
    one.dispose();
    other.dispose();
  });
});
