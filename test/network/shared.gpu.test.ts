import { expect, it } from "vitest";
import { add, dense, input, model, sgd, tensor } from "../../src/index.ts";
import { expectClose } from "../support/compare.ts";
import { testRuntime } from "../support/run-graph.ts";
import { tolerances } from "../support/tolerances.ts";

/** Numbers from -1 to 1, one after the other, that Python makes alike: `((np.arange(n) * by) % 17 - 8) / 8`. */
const numbers = (count: number, by: number) =>
  Float32Array.from({ length: count }, (_, i) => (((i * by) % 17) - 8) / 8);

/**
 * Weights of Keras 3.15 on JAX after two steps of SGD of rate 0.5: inputs a and b [3], `twin` = Dense(2, tanh) on both, their sum,
 * `wide` = Dense(3), `twin` once more, `head` = Dense(3, softmax); sparse cross-entropy; a = numbers(12, 5), b = numbers(12, 7), labels 0, 1, 2, 1;
 * first weights numbers(size, 3 + 2 i), in Keras's order.
 */
const KERAS: Readonly<Record<string, readonly number[]>> = {
  "twin/kernel": [-0.9178756, -0.9521582, -0.3637064, 0.2709807, 0.7841696, 0.482644],
  "twin/bias": [-0.9306937, -0.222599],
  "wide/kernel": [-0.9607875, -0.1000248, 0.763441, -0.5379721, 0.4549009, -0.7558428],
  "wide/bias": [-1.033108, 0.1924285, -0.7669639],
  "head/kernel": [-0.9828424, 0.1484173, -0.1655749, 1.016813, 0.03393938, -0.3007522],
  "head/bias": [-0.8537603, 0.7482343, -0.144474],
};

it("a layer that is called three times has one set of weights, stepped by the sum of its gradients, as in Keras", async () => {
  const [a, b] = [input({ shape: [3], name: "a" }), input({ shape: [3], name: "b" })];
  const twin = dense({ units: 2, activation: "tanh", name: "twin" });
  const again = twin(dense({ units: 3, name: "wide" })(add()([twin(a), twin(b)])));
  const made = model({ inputs: [a, b], outputs: dense({ units: 3, activation: "softmax", name: "head" })(again) });
  const optimizer = sgd({ learningRate: 0.5 });
  await made.compile({ loss: "sparseCategoricalCrossentropy", optimizer, runtime: await testRuntime() });
  const first = await made.getWeights();
  expect(first.map(({ name }) => name)).toEqual(Object.keys(KERAS));
  await made.setWeights(first.map(({ shape, data }, i) => ({ shape, data: numbers(data.length, 3 + 2 * i) })));
  const x = { a: tensor(numbers(12, 5), [4, 3]), b: tensor(numbers(12, 7), [4, 3]) };
  for (let step = 0; step < 2; step++) await made.trainOnBatch(x, [0, 1, 2, 1]);
  for (const { name, data } of await made.getWeights()) expectClose(data, KERAS[name]!, tolerances.trainingStep, name);
  made.dispose();
});
