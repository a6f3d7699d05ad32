import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type CompileOptions,
  categoricalCrossentropy,
  categoricalGeneralizedCrossEntropy,
  confusionMatrix,
  createDataset,
  createRuntime,
  createTrainingRecorder,
  cutMix,
  dense,
  type Loss,
  loadModel,
  mixUp,
  modelLoader,
  oneHot,
  type Runtime,
  type Sequential,
  saveModel,
  sequential,
  sgd,
  sparseCategoricalCrossentropy,
  tensor,
} from "../../src/index.ts";
import { mixDraws, mixRows } from "../reference/mix.ts";
import { expectClose } from "../support/compare.ts";
import { allWeights, noise, tinyModel } from "../support/models.ts";
import { tolerances } from "../support/tolerances.ts";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime();
});
afterAll(() => runtime.dispose());

const optimizer = () => sgd({ learningRate: 0.5 });
const [INPUTS, CLASSES] = [4, 3];

async function compiled(options: CompileOptions = {}): Promise<Sequential> {
  const model = tinyModel();
  const own = { loss: "sparseCategoricalCrossentropy", metrics: ["accuracy"] } as const;
  await model.compile({ ...own, optimizer: optimizer(), runtime, seed: 3, ...options });
  return model;
}

const { x, y } = noise(13, [INPUTS], CLASSES, 5);
const classes = [...y.data];
const sampleWeight = classes.map((_, i) => Math.fround(0.5 + (i % 4) / 2));

/** Rows `from` to `from + rows` of the samples, mixed as the step's draws say. */
function mixedRows(from: number, rows: number, batch: number, step: number, call: { alpha: number; seed: number }) {
  const { alpha, seed } = call;
  const draws = mixDraws({ batch, rows, low: alpha, high: alpha, seed, node: "mixUp/mixDraws", step });
  const [partners, weights] = [draws.partners.slice(0, rows), draws.weights.slice(0, rows)];
  const mix = (values: ArrayLike<number>, size: number) =>
    mixRows(Array.from(values).slice(from * size, (from + rows) * size), partners, weights);
  const labels = oneHot(classes, CLASSES).data as Float32Array;
  return {
    x: tensor(Float32Array.from(mix(x.data, INPUTS)), [rows, INPUTS]),
    y: tensor(Float32Array.from(mix(labels, CLASSES)), [rows, CLASSES]),
    sampleWeight: mix(sampleWeight, 1),
  };
}

describe("mixUp in a model", () => {
  it.each(["sparseCategoricalCrossentropy", "categoricalCrossentropy"] as const)(
    "trains by %s as on samples, labels and weights that were mixed before, also in a short batch",
    async (loss) => {
      const augment = [mixUp({ alpha: 0.7, seed: 2 })];
      const model = await compiled({ loss, augment });
      const labels = loss === "categoricalCrossentropy" ? oneHot(classes, CLASSES) : y;
      const { history } = await model.fit(x, labels, { batchSize: 8, shuffle: false, sampleWeight, verbose: 0 });
      const plain = await compiled({ loss: "categoricalCrossentropy" });
      const losses: number[] = [];
      const hits: number[] = [];
      for (const [step, rows] of [8, 5].entries()) {
        const mixed = mixedRows(8 * step, rows, 8, step, { alpha: 0.7, seed: 2 });
        const logs = await plain.trainOnBatch(mixed.x, mixed.y, { sampleWeight: mixed.sampleWeight });
        losses.push(logs.loss * rows);
        hits.push(logs.accuracy! * rows);
      }
      const [got, want] = [await allWeights(model), await allWeights(plain)];
      expectClose(got.flat(), want.flat(), tolerances.mixedSteps, "weights");
      expect(history.loss![0]).toBeCloseTo((losses[0]! + losses[1]!) / 13, 5);
      expect(history.accuracy![0]).toBeCloseTo((hits[0]! + hits[1]!) / 13, 6);
      for (const each of [model, plain]) each.dispose();
    },
  );

  it("trains to the same bits again, whatever the steps of a submit, and to others by another seed", async () => {
    const trained = async (seed: number, stepsPerExecution: number) => {
      const model = await compiled({ augment: [mixUp({ seed })] });
      await model.fit(x, y, { batchSize: 4, epochs: 2, stepsPerExecution, verbose: 0 });
      const weights = await allWeights(model);
      model.dispose();
      return weights;
    };
    const first = await trained(1, 1);
    expect(await trained(1, 4)).toEqual(first);
    expect(await trained(2, 1)).not.toEqual(first);
  });

  it("leaves evaluate, predict and a validation as they are", async () => {
    const [model, plain] = [await compiled({ augment: [mixUp({ alpha: 1 })] }), await compiled()];
    expect(await model.evaluate(x, y)).toEqual(await plain.evaluate(x, y));
    expect(await model.predict(x)).toEqual(await plain.predict(x));
    const { history } = await model.fit(x, y, { validationData: [x, y], batchSize: 8, verbose: 0 });
    expect(history.val_loss![0]).toBe((await model.evaluate(x, y, { batchSize: 8 })).loss);
    for (const each of [model, plain]) each.dispose();
  });

  it("is a part of a recorded step and of trainOnBatch, too", async () => {
    const dataset = await createDataset(runtime, { x, y });
    const augment = [mixUp({ alpha: 1 }), mixUp({ alpha: 1 })];
    const [fitted, recorded, single] = [
      await compiled({ augment }),
      await compiled({ augment }),
      await compiled({ augment }),
    ];
    await fitted.fit(dataset, { batchSize: 13, shuffle: false, verbose: 0 });
    const training = await createTrainingRecorder(recorded, dataset, { batchSize: 13 });
    const encoder = runtime.device.createCommandEncoder();
    training.record(encoder);
    runtime.device.queue.submit([encoder.finish()]);
    await single.trainOnBatch(x, y);
    expect(await allWeights(recorded)).toEqual(await allWeights(fitted));
    expect(await allWeights(single)).toEqual(await allWeights(fitted));
    training.dispose();
    for (const each of [fitted, recorded, single, dataset]) each.dispose();
  });

  it("is saved with the model, and trains on with it", async () => {
    const model = await compiled({ augment: [mixUp({ alpha: 0.4, seed: 7 })] });
    const file = await saveModel(model);
    const again = await loadModel(file, { runtime });
    const without = await loadModel(file, { runtime, augment: [] });
    const small = modelLoader({
      layers: { Dense: dense },
      optimizers: { sgd },
      metrics: { accuracy: () => confusionMatrix() },
    });
    await expect(small.loadModel(file, { runtime })).rejects.toThrow(
      "loadModel: the file's augment \"MixUp\" is not the library's. Bring it: loadModel(bytes, { augment: ... }).",
    );
    for (const each of [model, again, without]) await each.trainOnBatch(x, y);
    // A loaded model counts its steps from 0, as this one did.
    expect(await allWeights(again)).toEqual(await allWeights(model));
    expect(await allWeights(without)).not.toEqual(await allWeights(model));
    for (const each of [model, again, without]) each.dispose();
  });

  it("takes every metric that takes rows of labels", async () => {
    const model = await compiled({ augment: [mixUp({ alpha: 1 })], metrics: ["accuracy", confusionMatrix()] });
    const logs = await model.trainOnBatch(x, y);
    const counts = Object.entries(logs).filter(([name]) => name.startsWith("confusionMatrix"));
    expect(counts.reduce((sum, [, count]) => sum + count, 0)).toBe(13);
    model.dispose();
  });
});

/** Loss of class numbers that knows no rows. */
const OWN: Loss = {
  name: "own",
  labels: () => ({ shape: [1], dtype: "u32" }),
  check: () => {},
  call: (call) => categoricalGeneralizedCrossEntropy().call(call),
};

describe("what mixUp refuses", () => {
  it.each<[call: () => unknown, message: string]>([
    [() => mixUp({ alpha: 0 }), "mixUp: alpha must be at least 1e-6"],
    [() => mixUp({ alpha: Number.NaN }), "mixUp: alpha must be a finite number"],
    [() => mixUp({ factor: 1 } as never), 'mixUp has no option "factor"'],
    [() => mixUp({ seed: 0.5 }), "mixUp: seed must be a whole number"],
    [() => cutMix({ factor: 1.5 }), "cutMix: factor must be from 0 to 1"],
    [() => cutMix({ factor: [0, 1, 2] as never }), "cutMix: factor must be a number or a pair of them"],
  ])("%s", (call, message) => {
    expect(call).toThrow(message);
  });

  it.each<[options: CompileOptions, message: string]>([
    [{ augment: mixUp() as never }, "compile: augment must be an array"],
    [{ augment: [mixUp as never] }, "compile: augment: stage must be a function, got undefined"],
    [
      { loss: sparseCategoricalCrossentropy({ ignoreClass: 1 }), metrics: [], augment: [mixUp()] },
      'mixUp mixes labels, but loss "sparseCategoricalCrossentropy" takes class numbers [batch, 1]',
    ],
    [
      { loss: categoricalGeneralizedCrossEntropy(), augment: [mixUp()] },
      'Use loss: "categoricalCrossentropy" with oneHot(y, classes), or "sparseCategoricalCrossentropy".',
    ],
    [{ loss: OWN, augment: [mixUp()] }, 'mixUp mixes labels, but loss "own" takes class numbers'],
    [{ augment: [cutMix()] }, 'cutMix cuts images [batch, height, width, channels], but input "'],
  ])("in compile: %o", async (options, message) => {
    await expect(compiled(options)).rejects.toThrow(message);
  });

  it("is nothing of a loss that takes rows, in words or as a function", async () => {
    for (const loss of [sparseCategoricalCrossentropy(), categoricalCrossentropy()]) {
      const model = sequential([dense({ units: 3, activation: "softmax", inputShape: [4] })]);
      await model.compile({ loss, optimizer: optimizer(), runtime, augment: [mixUp()] });
      model.dispose();
    }
  });
});
