import { describe, expect, it } from "vitest";
import { createRuntime, sequential, sgd, tensor } from "../../src/index.ts";
import { mnist } from "../support/mnist.ts";
import { allWeights, articleLayers } from "../support/models.ts";

const settings = { loss: "sparseCategoricalCrossentropy", metrics: ["accuracy"] } as const;

describe("the article's network on MNIST", () => {
  it("learns 2,000 digits well enough to read 500 others", async () => {
    const runtime = await createRuntime();
    const [train, test] = await Promise.all([mnist("train", 0, 2000), mnist("t10k", 0, 500)]);
    const model = sequential(articleLayers());
    await model.compile({ ...settings, optimizer: sgd({ learningRate: 0.1 }), runtime, seed: 1 });
    const labels = (y: Uint8Array) => tensor(y, [y.length]);
    const { history } = await model.fit(train.x, labels(train.y), { batchSize: 32, epochs: 3, verbose: 0 });
    const { accuracy } = await model.evaluate(test.x, labels(test.y), { batchSize: 64 });
    expect(history.loss.at(-1)!).toBeLessThan(history.loss[0]! / 2);
    expect(accuracy!).toBeGreaterThan(0.75);
    model.dispose();
    runtime.dispose();
  });

  it("gives the same bits twice over 20 steps, whatever the number of steps in a submit", async () => {
    const runtime = await createRuntime();
    const data = await mnist("train", 0, 20 * 16 - 5);
    const run = async (stepsPerExecution: number) => {
      const model = sequential(articleLayers());
      await model.compile({ ...settings, optimizer: sgd({ learningRate: 0.05 }), runtime, seed: 3 });
      await model.fit(data.x, tensor(data.y, [data.y.length]), { batchSize: 16, verbose: 0, stepsPerExecution });
      const weights = await allWeights(model);
      model.dispose();
      return weights;
    };
    const first = Float32Array.from(await run(1));
    const again = Float32Array.from(await run(7));
    expect(first.every((value, i) => value === again[i])).toBe(true);
    expect(first.every(Number.isFinite)).toBe(true);
    runtime.dispose();
  });
});
