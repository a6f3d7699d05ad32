import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  createDataset,
  createRuntime,
  dense,
  input,
  loadModel,
  model,
  type Prediction,
  type Runtime,
  saveModel,
  sgd,
  tensor,
} from "../../src/index.ts";
import { randomArray } from "../reference/random.ts";
import { allWeights } from "../support/models.ts";

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
    await expect(one.fit(x, { hidden: x, digit }, options)).rejects.toThrow(/fit: y has a column "hidden"/);
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
});
