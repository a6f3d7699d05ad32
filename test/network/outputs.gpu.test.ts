import { afterAll, beforeAll, expect, it } from "vitest";
import { createRuntime, dense, input, model, type Runtime, sgd, tensor } from "../../src/index.ts";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime();
});
afterAll(() => runtime.dispose());

it("an input and a tensor that comes twice are outputs like others", async () => {
  const x = input({ shape: [3], name: "x" });
  const y = dense({ units: 2, activation: "softmax", name: "y" })(x);
  const made = model({ inputs: x, outputs: [x, y, y] });
  await made.compile({ runtime });
  const numbers = Float32Array.from({ length: 12 }, (_, i) => Math.sin(i));
  const predicted = await made.predict(tensor(numbers, [4, 3]));
  expect(Object.keys(predicted)).toEqual(["x", "y", "y_1"]);
  expect(predicted.x!.data).toEqual(numbers);
  expect(predicted.y_1).toEqual(predicted.y);
  made.dispose();

  // Trained by two losses of one tensor, as by one of twice the weight.
  const losses: number[] = [];
  for (const [outputs, weights] of [[{ a: y, b: y }, undefined] as const, [{ a: y }, { a: 2 }] as const]) {
    const trained = model({ inputs: x, outputs });
    const options = { optimizer: sgd({ learningRate: 0.25 }), ...(weights && { lossWeights: weights }) };
    await trained.compile({ loss: "sparseCategoricalCrossentropy", ...options, runtime, seed: 3 });
    const labels = Object.fromEntries(Object.keys(outputs).map((name) => [name, [0, 1, 1, 0]]));
    for (let step = 0; step < 2; step++)
      losses.push((await trained.trainOnBatch(tensor(numbers, [4, 3]), labels)).loss);
    trained.dispose();
  }
  losses.slice(0, 2).forEach((loss, i) => {
    expect(loss).toBeCloseTo(losses[2 + i]!, 5);
  });
  expect(losses[1]).toBeLessThan(losses[0]!);
});
