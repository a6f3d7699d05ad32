import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type ColumnInputs,
  createDataset,
  createRuntime,
  dense,
  input,
  model,
  type Runtime,
  sequential,
  sgd,
  tensor,
} from "../../src/index.ts";
import { randomArray } from "../reference/random.ts";
import { softmaxCrossEntropy } from "../reference/softmax.ts";
import { expectClose } from "../support/compare.ts";
import { Ledger } from "../support/ledger.ts";
import { allWeights } from "../support/models.ts";
import { tolerances } from "../support/tolerances.ts";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime();
});
afterAll(() => runtime.dispose());

const [SAMPLES, INPUTS, CLASSES, BATCH, RATE] = [7, 3, 4, 4, 0.5];
const x = randomArray(SAMPLES * INPUTS, 1);
const samples = tensor(x, [SAMPLES, INPUTS]);
const labels = [3, 0, 2, 1, 0, 3, 2];
const sampleWeight = [1, 0, 2.5, 0.25, 3, 1, 0.5];

const settings = () => ({
  loss: "sparseCategoricalCrossentropy" as const,
  metrics: ["accuracy"] as const,
  optimizer: sgd({ learningRate: RATE }),
  runtime,
});
async function compiled() {
  const model = sequential([dense({ units: CLASSES, activation: "softmax", inputShape: [INPUTS] })]);
  await model.compile(settings());
  return model;
}

/** Epoch of softmax regression by plain loops in float64, as Keras weighs it: the mean over a batch of weight * loss. */
function epoch(kernel: Float64Array, bias: Float64Array, weights: readonly number[]): number {
  let total = 0;
  for (let from = 0; from < SAMPLES; from += BATCH) {
    const rows = Math.min(BATCH, SAMPLES - from);
    const logits = new Float64Array(rows * CLASSES).map((_, i) => {
      const [r, o] = [from + Math.floor(i / CLASSES), i % CLASSES];
      return [...Array(INPUTS).keys()].reduce(
        (sum, j) => sum + x[r * INPUTS + j]! * kernel[j * CLASSES + o]!,
        bias[o]!,
      );
    });
    const oneHot = new Float64Array(rows * CLASSES).map((_, i) =>
      labels[from + Math.floor(i / CLASSES)] === i % CLASSES ? 1 : 0,
    );
    const { losses, dLogits } = softmaxCrossEntropy(logits, oneHot, CLASSES, rows);
    for (let r = 0; r < rows; r++) {
      const weight = weights[from + r]!;
      total += weight * losses[r]!;
      for (let o = 0; o < CLASSES; o++) {
        const step = RATE * weight * dLogits[r * CLASSES + o]!;
        bias[o]! -= step;
        for (let j = 0; j < INPUTS; j++) kernel[j * CLASSES + o]! -= step * x[(from + r) * INPUTS + j]!;
      }
    }
  }
  return total / SAMPLES;
}

describe("weights of samples", () => {
  it("scale losses and steps as Keras's do, on short batches too, and no metric", async () => {
    const model = await compiled();
    const [kernel, bias] = (await model.getWeights()).map(({ data }) => Float64Array.from(data));
    const first = await model.evaluate(samples, labels, { batchSize: BATCH, sampleWeight });
    const plain = await model.evaluate(samples, labels, { batchSize: BATCH });
    expect(first.accuracy).toBe(plain.accuracy);
    const options = { batchSize: BATCH, epochs: 3, shuffle: false, verbose: 0 } as const;
    const { history } = await model.fit(samples, labels, { ...options, sampleWeight });
    const want = [1, 2, 3].map(() => epoch(kernel!, bias!, sampleWeight));
    expectClose(history.loss, want, tolerances.lossCurve, "losses");
    const [gotKernel, gotBias] = await model.getWeights();
    expectClose(gotKernel!.data, kernel!, tolerances.lossCurve, "kernel");
    expectClose(gotBias!.data, bias!, tolerances.lossCurve, "bias");
    model.dispose();
  });

  it("may come with a data set, with validation data and batch by batch, to the same bits", async () => {
    const [one, two, three] = [await compiled(), await compiled(), await compiled()];
    const options = { batchSize: SAMPLES, shuffle: false, verbose: 0 } as const;
    const dataset = await createDataset(runtime, { x: samples, y: labels, sampleWeight });
    const validationData = [samples, labels, sampleWeight] as const;
    const { history } = await one.fit(samples, labels, { ...options, sampleWeight, validationData });
    const { history: same } = await two.fit(dataset, { ...options, validationData: dataset });
    const { loss } = await three.trainOnBatch(samples, labels, { sampleWeight });
    expect(same).toEqual(history);
    expect(history.loss).toEqual([loss]);
    expect(history.val_loss).toEqual([(await two.evaluate(dataset, { batchSize: SAMPLES })).loss]);
    expect(await allWeights(two)).toEqual(await allWeights(one));
    expect(await allWeights(three)).toEqual(await allWeights(one));
    for (const disposable of [one, two, three, dataset]) disposable.dispose();
  });

  it("once warm, are written with their batch, and nothing is made", async () => {
    const model = await compiled();
    await model.trainOnBatch(samples, labels, { sampleWeight });
    const ledger = new Ledger(runtime.device);
    await model.trainOnBatch(samples, labels, { sampleWeight: [...sampleWeight].reverse() });
    // Samples, labels and weights.
    expect(ledger.take()).toMatchObject({ createBuffer: 0, createBindGroup: 0, createShaderModule: 0, writeBuffer: 3 });
    ledger.stop();
    model.dispose();
  });

  it("are of all outputs, or of those that they name", async () => {
    const parts = input({ shape: [INPUTS], name: "parts" });
    const head = (name: string) => dense({ units: CLASSES, activation: "softmax", name })(parts);
    const two = model({ inputs: parts, outputs: { left: head("left"), right: head("right") } });
    await two.compile({ ...settings(), metrics: [] });
    const y = { left: labels, right: labels };
    const losses = async (given?: ColumnInputs) => {
      const { left_loss: left, right_loss: right } = await two.evaluate(samples, y, { sampleWeight: given! });
      return [left!, right!];
    };
    const [plain, all, named] = [await losses(), await losses(sampleWeight), await losses({ right: sampleWeight })];
    expect(all[0]).not.toBe(plain[0]);
    expect(named).toEqual([plain[0], all[1]]);
    two.dispose();
  });

  it("are refused where they cannot be, before anything runs", async () => {
    const model = await compiled();
    const dataset = await createDataset(runtime, { x: samples, y: labels });
    const calls: [() => Promise<unknown>, RegExp][] = [
      [() => model.fit(dataset, { sampleWeight } as never), /^fit: sampleWeight: give it to createDataset\(\)/],
      [() => model.fit(samples, labels, { sampleWeight: [1] }), /but sampleWeight has 1/],
      [
        () => model.evaluate(samples, labels, { sampleWeight: { other: sampleWeight } }),
        /^evaluate: sampleWeight has a column "other"/,
      ],
      [
        () => model.trainOnBatch(samples, labels, sampleWeight as never),
        /^trainOnBatch must be given an object of options/,
      ],
      [
        () => model.fit(samples, labels, { validationData: [samples, labels, sampleWeight, 1] as never }),
        /^fit: validationData must be \[x, y\], \[x, y, sampleWeight\] or a Dataset/,
      ],
    ];
    for (const [call, message] of calls) await expect(call()).rejects.toThrow(message);
    model.dispose();
    dataset.dispose();
  });
});
