import { describe, expect, it } from "vitest";
import { conv2d, dense, flatten, maxPooling2d, oneHot, sequential, sgd, tensor } from "../../src/index.ts";

describe("article", () => {
  it("trains", async () => {
    const model = sequential([
      conv2d({ filters: 32, kernelSize: [5, 5], strides: [1, 1], activation: "relu", inputShape: [28, 28, 1] }),
      maxPooling2d({ poolSize: [2, 2], strides: [2, 2] }),
      conv2d({ filters: 64, kernelSize: 5, activation: "relu" }),
      maxPooling2d({ poolSize: 2 }),
      flatten(),
      dense({ units: 1000, activation: "relu" }),
      dense({ units: 10, activation: "softmax" }),
    ]);
    model.summary();
    await model.compile({
      loss: "categoricalCrossentropy",
      optimizer: sgd({ learningRate: 0.01 }),
      metrics: ["accuracy"],
    });
    const n = 128 * 6;
    const x = tensor(
      Uint8Array.from({ length: n * 784 }, (_, i) => (i * 2654435761) >>> 24),
      [n, 28, 28, 1],
      { scale: 1 / 255 },
    );
    const y = oneHot(
      Array.from({ length: n }, (_, i) => i % 10),
      10,
    );
    const t = performance.now();
    const history = await model.fit(x, y, { batchSize: 128, epochs: 1, verbose: 0 });
    console.log(performance.now() - t, JSON.stringify(history), JSON.stringify(model.stats()));
    console.log(String(model.plan));
    const t2 = performance.now();
    await model.fit(x, y, { batchSize: 128, epochs: 2, verbose: 0 });
    console.log("ms/step", (performance.now() - t2) / 12);
    model.dispose();
    expect(history.history.loss.length).toBe(1);
  });
});
