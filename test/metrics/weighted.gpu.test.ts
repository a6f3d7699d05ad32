import { describe, expect, it } from "vitest";
import { auc, loadModel, type Metric, saveModel, sgd, tensor, weighted } from "../../src/index.ts";
import { expectClose } from "../support/compare.ts";
import { noise, tinyModel } from "../support/models.ts";
import { testRuntime } from "../support/run-graph.ts";
import { tolerances } from "../support/tolerances.ts";

const SAMPLES = 10;
const { x, y } = noise(SAMPLES, [4], 3);
/** Quarters, some of them 0. */
const sampleWeight = Float32Array.from({ length: SAMPLES }, (_, i) => ((i * 3) % 5) / 4);

async function compiled(metrics: readonly ("accuracy" | Metric)[]) {
  const model = tinyModel();
  const options = { loss: "sparseCategoricalCrossentropy", optimizer: sgd(), metrics, seed: 3 } as const;
  await model.compile({ ...options, runtime: await testRuntime() });
  return model;
}

/** Whether each prediction is right, computed here. */
async function hitsOf(model: Awaited<ReturnType<typeof compiled>>): Promise<number[]> {
  const { data } = await model.predict(x);
  const labels = y.data as Uint32Array;
  return Array.from({ length: SAMPLES }, (_, i) => {
    const row = [...data.slice(3 * i, 3 * i + 3)];
    return row.indexOf(Math.max(...row)) === labels[i] ? 1 : 0;
  });
}

describe("weighted", () => {
  it("weighs an area, which is that of counts without weights of samples, and comes back with a saved model", async () => {
    const model = await compiled([
      auc(),
      weighted(auc({ name: "area" })),
      auc({ thresholds: [0.3, 0.6], name: "own" }),
    ]);
    const plain = await model.evaluate(x, y, { batchSize: 4 });
    expectClose([plain.area!], [plain.auc!], tolerances.elementwise, "without weights");
    const logs = await model.evaluate(x, y, { batchSize: 4, sampleWeight });
    expect(logs.auc).toBe(plain.auc);
    // A sample of four quarters counts as often as four samples of one.
    const times = Array.from(sampleWeight, (weight, i) => new Array<number>(weight * 4).fill(i)).flat();
    const rows = x.data as Float32Array;
    const repeated = tensor(Float32Array.from(times.flatMap((i) => [...rows.slice(4 * i, 4 * i + 4)])), [
      times.length,
      4,
    ]);
    const labels = Uint32Array.from(times, (i) => (y.data as Uint32Array)[i]!);
    const want = await model.evaluate(repeated, labels, { batchSize: 8 });
    expectClose([logs.area!], [want.auc!], tolerances.elementwise, "by weights");
    expect(logs.area).not.toBeCloseTo(plain.area!, 3);
    const again = await loadModel(await saveModel(model), { runtime: await testRuntime() });
    expect(await again.evaluate(x, y, { batchSize: 4, sampleWeight })).toEqual(logs);
    for (const each of [model, again]) each.dispose();
  });

  it("weighs a mean by the samples' weights, over batches of which the last is short; others stay as they are", async () => {
    const model = await compiled(["accuracy", weighted("accuracy", { name: "weighted_accuracy" })]);
    const hits = await hitsOf(model);
    expect(new Set(hits).size).toBe(2);
    const sum = (values: Iterable<number>) => [...values].reduce((a, b) => a + b, 0);
    const plain = sum(hits) / SAMPLES;
    const wanted = sum(hits.map((hit, i) => hit * sampleWeight[i]!)) / sum(sampleWeight);
    expect(wanted).not.toBeCloseTo(plain, 3);
    const logs = await model.evaluate(x, y, { batchSize: 4, sampleWeight });
    expect(Object.keys(logs)).toEqual(["loss", "accuracy", "weighted_accuracy"]);
    expectClose([logs.accuracy!, logs.weighted_accuracy!], [plain, wanted], tolerances.elementwise, "by weights");

    const without = await model.evaluate(x, y, { batchSize: 4 });
    expectClose([without.weighted_accuracy!], [plain], tolerances.elementwise, "without weights");
    // Keras divides by the sum of the weights, and gives 0 for 0 / 0.
    const none = await model.evaluate(x, y, { batchSize: 4, sampleWeight: new Float32Array(SAMPLES) });
    expect(none).toMatchObject({ loss: 0, weighted_accuracy: 0 });
    expectClose([none.accuracy!], [plain], tolerances.elementwise, "of samples without weight");

    const again = await loadModel(await saveModel(model), { runtime: await testRuntime() });
    expect(await again.evaluate(x, y, { batchSize: 4, sampleWeight })).toEqual(logs);
    for (const each of [model, again]) each.dispose();
  });

  it("gives a metric with accumulators the weights, and refuses one that does not read them", async () => {
    const seen: boolean[] = [];
    const own: Metric = {
      name: "own",
      accumulators: () => [{ name: "sum", shape: [1] }],
      call: ({ weights }) => void seen.push(weights !== undefined),
      result: ({ sum }) => sum![0]!,
    };
    const model = await compiled([own, weighted(own, { name: "heavy" })]);
    await model.testOnBatch(x, y);
    seen.length = 0;
    await model.testOnBatch(x, y, { sampleWeight });
    // The first is not weighted.
    expect(seen).toEqual([false, true]);
    model.dispose();
    const deaf: Metric = { ...own, name: "deaf", call: () => undefined };
    await expect(compiled([weighted(deaf)])).rejects.toThrow(
      'weighted: metric "deaf" adds up without weights of samples. Give it to compile() as it is.',
    );
  });

  it.each([
    [() => weighted("precision" as never), /^weighted: metric must be one of "accuracy", got "precision"/],
    [() => weighted({ name: "a" } as never), /^weighted: metric: call must be a function/],
    [() => weighted("accuracy", { weight: 2 } as never), /^weighted has no option "weight"/],
  ])("refuses what is no metric, and unknown options", (call, message) => {
    expect(call).toThrow(message);
  });
});
