import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Runtime as DeviceRuntime } from "../../src/gpu/runtime.ts";
import {
  type CompileProgress,
  conv2d,
  createRuntime,
  dense,
  flatten,
  indexedDbStore,
  maxPooling2d,
  type Runtime,
  type Sequential,
  sequential,
  sgd,
  tuner,
} from "../../src/index.ts";
import { expectClose } from "../support/compare.ts";
import { allWeights, noise } from "../support/models.ts";
import { tolerances } from "../support/tolerances.ts";

const settings = { loss: "sparseCategoricalCrossentropy", optimizer: sgd({ learningRate: 0.05 }), seed: 3 } as const;
const { x, y } = noise(20, [10, 10, 8], 4);
const batches = { batchSize: 8, shuffle: false, verbose: 0 } as const;

/** Small, and yet its convolution can be computed by Winograd's algorithm. */
const model = (): Sequential =>
  sequential([
    conv2d({ filters: 12, kernelSize: 3, activation: "relu", inputShape: [10, 10, 8] }),
    maxPooling2d(),
    flatten(),
    dense({ units: 4, activation: "softmax" }),
  ]);

let runtime: Runtime;
const database = `featuremap-test-${Math.random()}`;
beforeAll(async () => {
  runtime = await createRuntime();
});
afterAll(() => {
  runtime.dispose();
  indexedDB.deleteDatabase(database);
});

async function trained(options: object) {
  const made = model();
  await made.compile({ ...settings, runtime, ...options });
  const before = await allWeights(made);
  const first = await made.trainOnBatch(x, y);
  const history = await made.fit(x, y, { ...batches, epochs: 2 });
  const after = await allWeights(made);
  const stats = made.stats();
  made.dispose();
  return { before, first, losses: history.history.loss!, after, stats };
}

describe("compile({ tune })", () => {
  it("measures once a store, changes no result beyond the tolerance, and can be repeated by its choices", async () => {
    const shipped = await trained({});
    const seen: CompileProgress[] = [];
    const tune = () => tuner({ store: indexedDbStore(database), budgetMs: 60_000 });
    const onProgress = (each: CompileProgress) => void seen.push(each);
    const tuned = await trained({ tune: tune(), onProgress });
    expect(tuned.stats.tuning.measured).toBeGreaterThan(3);
    expect(tuned.stats.tuning).toMatchObject({ remembered: 0, skipped: 0 });
    expect(seen.some(({ tuning, kernel }) => tuning && kernel === "conv2d")).toBe(true);
    // The weights that tuning found, it left.
    expect(tuned.before).toEqual(shipped.before);
    expectClose([tuned.first.loss], [shipped.first.loss], tolerances.trainingStep, "loss before the first step");
    expectClose(tuned.losses, shipped.losses, tolerances.lossCurve, "losses");

    const again = await trained({ tune: tune() });
    expect(again.stats.tuning).toMatchObject({ measured: 0, remembered: tuned.stats.tuning.measured });
    const repeated = await trained({ choices: tuned.stats.choices });
    expect(repeated.stats.tuning).toEqual({ ms: 0, measured: 0, remembered: 0, skipped: 0 });
    for (const run of [again, repeated]) {
      expect(run.stats.choices).toEqual(tuned.stats.choices);
      expect(run.after).toEqual(tuned.after);
      expect(run.losses).toEqual(tuned.losses);
    }
    expect(runtime.memory.buffers).toBe(0);
  });

  it("measures nothing that choices name", async () => {
    const { stats } = await trained({});
    const fixed = await trained({ choices: stats.choices, tune: tuner({ store: indexedDbStore(database) }) });
    expect(fixed.stats.choices).toEqual(stats.choices);
    expect(fixed.stats.tuning).toMatchObject({ measured: 0, remembered: 0, skipped: 0 });
  });

  it("leaves everything as shipped where there is no time", async () => {
    const { stats, after } = await trained({});
    const rushed = await trained({ tune: tuner({ store: indexedDbStore(`${database}-empty`), budgetMs: 0 }) });
    indexedDB.deleteDatabase(`${database}-empty`);
    expect(rushed.stats.choices).toEqual(stats.choices);
    expect(rushed.stats.tuning.measured).toBe(0);
    expect(rushed.stats.tuning.skipped).toBeGreaterThan(3);
    expect(rushed.after).toEqual(after);
  });

  it("leaves the model's weights as they are, also where it looks only", async () => {
    const made = model();
    await made.compile({ ...settings, runtime, tune: tuner({ store: indexedDbStore(database), budgetMs: 60_000 }) });
    const before = await allWeights(made);
    const { data } = await made.predict(x, { batchSize: 8 });
    await made.evaluate(x, y, { batchSize: 8 });
    expect(await allWeights(made)).toEqual(before);
    expect(made.stats().tuning.measured).toBeGreaterThan(0);
    const plain = model();
    await plain.compile({ ...settings, runtime });
    expectClose(data, (await plain.predict(x, { batchSize: 8 })).data, tolerances.trainingStep, "outputs");
    made.dispose();
    plain.dispose();
    expect(runtime.memory.buffers).toBe(0);
  });

  it("tunes the plan made for a GPU, whose dispatches are merged, within the tolerance, too", async () => {
    const gpu = new DeviceRuntime(runtime.device, { ...runtime.adapter, software: false }, false);
    const shipped = await trained({ runtime: gpu });
    // A store of its own: on a GPU the tests above have answered the same questions.
    const tune = tuner({ store: indexedDbStore(`${database}-gpu`), budgetMs: 60_000 });
    const tuned = await trained({ runtime: gpu, tune });
    indexedDB.deleteDatabase(`${database}-gpu`);
    expect(tuned.stats.tuning.measured).toBeGreaterThan(3);
    expect(tuned.stats.tuning).toMatchObject({ remembered: 0, skipped: 0 });
    expectClose(tuned.losses, shipped.losses, tolerances.lossCurve, "losses");
    const repeated = await trained({ runtime: gpu, choices: tuned.stats.choices });
    expect(repeated.after).toEqual(tuned.after);
    expect(gpu.memory.buffers).toBe(0);
  });

  it("stops where the model is disposed of meanwhile, and leaves no buffer", async () => {
    const made = model();
    const onProgress = ({ tuning, kernel }: CompileProgress) => {
      if (tuning && kernel) made.dispose();
    };
    const tune = tuner({ store: { get: async () => undefined, set: async () => {} }, budgetMs: 60_000 });
    await made.compile({ ...settings, runtime, tune, onProgress });
    await expect(made.fit(x, y, batches)).rejects.toMatchObject({ code: "state" });
    expect(runtime.memory.buffers).toBe(0);
  });
});
