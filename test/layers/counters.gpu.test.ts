import { afterAll, beforeAll, expect, it } from "vitest";
import {
  createRuntime,
  defineKernel,
  defineLayer,
  defineOp,
  dense,
  dispatch,
  type Runtime,
  restore,
  saveModel,
  sequential,
  sgd,
  snapshot,
} from "../../src/index.ts";
import { INTERNALS } from "../../src/model/internals.ts";
import { noise } from "../support/models.ts";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime();
});
afterAll(() => runtime.dispose());

const kernel = defineKernel<{ count: "write" }>(`
  @group(0) @binding(0) var<storage, read_write> count: array<u32>;
  @compute @workgroup_size(1)
  fn count_steps() { count[0] += 1u; }`);

const countSteps = defineOp({
  name: "test/countSteps",
  inputs: ["count"],
  outputs: [],
  updates: ["count"],
  infer: () => ({}),
  lower: ({ inputs }) => [dispatch(kernel, { bind: inputs, constants: {}, workgroups: [1, 1, 1] })],
});

/** More than a float can count one by one. */
const FIRST = 2 ** 24 + 1;

/** Passes its input on, and counts the steps of training. */
const counter = () =>
  defineLayer({
    type: "Counter",
    config: {},
    variables: () => [
      {
        name: "count",
        shape: [1],
        initializer: () => Uint32Array.of(FIRST),
        role: "statistic",
        dtype: "u32",
      },
    ],
    call: ({ input, variables, trainingState, add }) => {
      if (trainingState !== undefined) add(countSteps, { count: variables.count! });
      return input;
    },
  });

async function compiled() {
  const model = sequential([
    dense({ units: 3, inputShape: [4] }),
    counter(),
    dense({ units: 2, activation: "softmax" }),
  ]);
  const compile = () => model.compile({ loss: "sparseCategoricalCrossentropy", optimizer: sgd(), runtime });
  await compile();
  const count = async () => {
    const { variables } = await model[INTERNALS].ready("test");
    const [read] = await variables.read(variables.store.of("counter"));
    return new Uint32Array(read!)[0];
  };
  return { model, compile, count };
}

it("whole numbers of a layer are exact; snapshots and a new compile keep them, weights and files have none", async () => {
  const { model, compile, count } = await compiled();
  const { x, y } = noise(4, [4], 2);
  expect(await count()).toBe(FIRST);
  for (let step = 0; step < 2; step++) await model.trainOnBatch(x, y);
  await model.predict(x);
  expect(await count()).toBe(FIRST + 2);

  const names = ["dense/kernel", "dense/bias", "dense_1/kernel", "dense_1/bias"];
  const weights = await model.getWeights();
  expect(weights.map(({ name }) => name)).toEqual(names);
  await model.setWeights(weights);
  const file = new TextDecoder().decode(await saveModel(model));
  expect(file).not.toContain("counter/count");

  const kept = await snapshot(model);
  await model.trainOnBatch(x, y);
  await compile();
  expect(await count()).toBe(FIRST + 3);
  const other = await compiled();
  await restore(other.model, kept);
  expect(await other.count()).toBe(FIRST + 2);
  for (const each of [model, other.model]) each.dispose();
});
