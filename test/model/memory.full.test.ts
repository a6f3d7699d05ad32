import { expect, it } from "vitest";
import { createDataset, createRuntime, sequential, sgd, tensor } from "../../src/index.ts";
import { expectClose } from "../support/compare.ts";
import { mnist } from "../support/mnist.ts";
import { articleLayers } from "../support/models.ts";
import { tolerances } from "../support/tolerances.ts";

const SAMPLES = 256;

it("the article's network at batch 128: 14 MB beside the data where memory is compact, 48 MB where it is fast", async () => {
  const runtime = await createRuntime();
  const { x, y } = await mnist("train", 0, SAMPLES);
  const dataset = await createDataset(runtime, { x, y: tensor(y, [SAMPLES]) });
  const losses: number[][] = [];
  // The smaller peak first: a runtime remembers its highest.
  for (const [memory, most] of [
    ["compact", 14e6],
    ["fast", 48e6],
  ] as const) {
    const model = sequential(articleLayers());
    await model.compile({ loss: "sparseCategoricalCrossentropy", optimizer: sgd(), runtime, memory });
    const { history } = await model.fit(dataset, { batchSize: 128, verbose: 0, validationData: dataset });
    losses.push([...history.loss, ...history.val_loss!]);
    await model.predict(dataset, { batchSize: 128 });
    await model.getWeights();
    const { bytes } = model.stats();
    console.log(`${memory}: at most ${bytes.peak - bytes.dataset} bytes beside the data`);
    expect(bytes.dataset).toBe(dataset.bytes + SAMPLES * 4);
    expect(bytes.peak - bytes.dataset).toBeLessThanOrEqual(most);
    expect(bytes.peak - bytes.dataset).toBeGreaterThanOrEqual(bytes.parameters + bytes.activations);
    model.dispose();
    expect(runtime.memory.bytes).toBe(dataset.bytes);
  }
  expectClose(losses[0]!, losses[1]!, tolerances.lossCurve, "losses, compact beside fast");
  dataset.dispose();
  runtime.dispose();
}, 300_000);
