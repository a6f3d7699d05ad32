import { afterAll, beforeAll, expect, it } from "vitest";
import { createRuntime, dense, type Runtime, sequential, sgd } from "../../src/index.ts";
import { noise } from "../support/models.ts";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime();
});
afterAll(() => runtime.dispose());

it("a layer that is frozen after the model was made stays as it is from the next compile on, with the weights of before", async () => {
  const body = dense({ units: 4, name: "body" });
  // The input's shape is not known until the first data.
  const model = sequential([body, dense({ units: 3, activation: "softmax", name: "head" })]);
  const compile = () =>
    model.compile({ loss: "sparseCategoricalCrossentropy", optimizer: sgd({ learningRate: 0.5 }), runtime });
  const { x, y } = noise(6, [5], 3);
  /** Names of the weights that a step changes. */
  const stepped = async () => {
    const before = await model.getWeights();
    await model.trainOnBatch(x, y);
    const after = await model.getWeights();
    return after.filter(({ data }, i) => String(data) !== String(before[i]!.data)).map(({ name }) => name);
  };
  const all = ["body/kernel", "body/bias", "head/kernel", "head/bias"];

  await compile();
  body.trainable = false;
  await model.trainOnBatch(x, y);
  const steps = model.plan!.steps.length;
  expect(await stepped()).toEqual(all);

  const before = await model.getWeights();
  await compile();
  expect(await model.getWeights()).toEqual(before);
  body.trainable = true;
  expect(await stepped()).toEqual(all.slice(2));
  expect(model.plan!.steps.length).toBeLessThan(steps);

  await compile();
  expect(await stepped()).toEqual(all);
  expect(model.plan!.steps.length).toBe(steps);
  model.dispose();
});
