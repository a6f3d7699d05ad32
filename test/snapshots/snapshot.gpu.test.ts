import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type Callback,
  checkpoint,
  createDataset,
  createRuntime,
  dense,
  FeaturemapError,
  type Model,
  type Optimizer,
  type Runtime,
  restore,
  type Snapshot,
  sequential,
  setHyperparameters,
  sgd,
  snapshot,
  tensor,
} from "../../src/index.ts";
import { checksumOf } from "../../src/snapshots/snapshot-check.ts";
import { momentumSgd } from "../support/extension.ts";
import { Ledger } from "../support/ledger.ts";
import { allWeights, noise, tinyModel } from "../support/models.ts";
import { savedOf, stepsOf } from "../support/snapshots.ts";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime();
});
afterAll(() => runtime.dispose());

const { x, y } = noise(60, [4], 3);
const held = noise(30, [4], 3, 5);
const options = { batchSize: 4, epochs: 3, verbose: 0, seed: 7, validationData: [held.x, held.y] } as const;
const stepwise = { ...options, stepsPerExecution: 1 } as const;
const settings = { loss: "sparseCategoricalCrossentropy", metrics: ["accuracy"] } as const;
type CompileMore = { readonly runtime?: Runtime; readonly memory?: "compact"; readonly seed?: number };

async function compiled(more: CompileMore = {}, optimizer: Optimizer = momentumSgd(0.1, 0.9), model = tinyModel()) {
  await model.compile({ ...settings, runtime, optimizer, ...more });
  return model;
}

/** What a training came to, bit for bit. */
async function outcome(model: Model, { epoch, history }: { epoch: number[]; history: object }) {
  const state = await snapshot(model);
  model.dispose();
  return { epoch, history, state };
}

let plain: Awaited<ReturnType<typeof outcome>>;
beforeAll(async () => {
  const model = await compiled();
  plain = await outcome(model, await model.fit(x, y, options));
});

/** Trains until a callback has a snapshot, and drops everything but it, as it comes out of a store. */
async function interrupted(callback: (model: Model, take: () => Promise<void>) => Callback, more?: CompileMore) {
  const model = await compiled(more);
  const stop = new AbortController();
  let taken: Snapshot | undefined;
  const take = async () => {
    if (taken) return;
    taken = structuredClone(await snapshot(model));
    stop.abort();
  };
  await model.fit(x, y, { ...stepwise, signal: stop.signal, callbacks: [callback(model, take)] });
  model.dispose();
  return taken!;
}

/** On a device of its own. */
async function goOn(taken: Snapshot, more: CompileMore = {}) {
  const other = await createRuntime();
  const model = await compiled({ ...more, runtime: other, seed: 99 });
  await restore(model, taken);
  const { batchSize: _, seed: __, ...rest } = options;
  const ended = await outcome(model, await model.fit(x, y, { ...rest, resume: true }));
  other.dispose();
  return ended;
}

describe("a snapshot", () => {
  it.each<[string, (model: Model, take: () => Promise<void>) => Callback, object]>([
    [
      "in the first epoch",
      (_, take) => ({ onTrainBatchEnd: (batch) => (batch > 2 ? take() : undefined) }),
      { epoch: 0 },
    ],
    [
      "in the second, not awaited",
      (model, take) => ({
        onTrainBatchEnd: (batch) => {
          if (batch > 5 && model.stats().steps > 15) void take();
        },
      }),
      { epoch: 1 },
    ],
    ["at an epoch's end", (_, take) => ({ onEpochEnd: take }), { epoch: 1, steps: 0 }],
    [
      "at an epoch's begin",
      (_, take) => ({ onEpochBegin: (epoch) => (epoch === 2 ? take() : undefined) }),
      { epoch: 2 },
    ],
    ["at the last epoch's end", (_, take) => ({ onTrainEnd: take }), { epoch: 3, steps: 0 }],
  ])("taken %s goes on elsewhere to the same bits and history", async (_, callback, place) => {
    const taken = await interrupted(callback);
    expect(taken.fit).toMatchObject({ ...place, samples: 60, batchSize: 4, shuffle: true, seed: 7 });
    const { steps, epoch } = taken.fit!;
    expect(stepsOf(taken)).toBe(epoch * 15 + steps);
    expect(await goOn(taken)).toEqual(plain);
  });

  it("is of one moment, where it is read in pieces too", async () => {
    // Parameters and slots take 768 KB, a piece of a compact model 512 KiB.
    const wide = () =>
      sequential([dense({ units: 12_000, inputShape: [4] }), dense({ units: 3, activation: "softmax" })]);
    const compact = { memory: "compact" } as const;
    const once = { batchSize: 4, verbose: 0, stepsPerExecution: 1 } as const;
    const whole = await compiled(compact, undefined, wide());
    let taking: Promise<Snapshot> | undefined;
    const onTrainBatchEnd = (batch: number) => {
      if (batch > 3) taking ??= snapshot(whole);
    };
    await whole.fit(x, y, { ...once, callbacks: [{ onTrainBatchEnd }] });
    const other = await compiled(compact, undefined, wide());
    await restore(other, (await taking)!);
    await other.fit(x, y, { resume: true, verbose: 0 });
    // Not toEqual, whose difference of so many numbers nobody can wait for.
    const [resumed, straight] = [await allWeights(other), await allWeights(whole)];
    expect(resumed.findIndex((weight, i) => weight !== straight[i])).toBe(-1);
    whole.dispose();
    other.dispose();
  });

  it("holds what was set meanwhile, and where training stopped before its validation", async () => {
    const run = async (cut: boolean) => {
      const model = await compiled();
      await setHyperparameters(model, { learningRate: 0.05, momentum: 0.5 });
      const stop = new AbortController();
      const onTrainBatchEnd = (batch: number) => void (cut && batch === 14 && stop.abort());
      const first = await model.fit(x, y, { ...stepwise, signal: stop.signal, callbacks: [{ onTrainBatchEnd }] });
      if (!cut) return outcome(model, first);
      expect(first.epoch).toEqual([]);
      const taken = await snapshot(model);
      expect(taken).toMatchObject({ hyperparameters: { learningRate: 0.05, momentum: 0.5 }, fit: { steps: 15 } });
      model.dispose();
      return goOn(taken);
    };
    expect(await run(true)).toEqual(await run(false));
  });

  it("costs one copy for each buffer, one submit and one read", async () => {
    const model = await compiled();
    await model.fit(x, y, options);
    const ledger = new Ledger(runtime.device);
    await snapshot(model);
    expect(ledger.take()).toMatchObject({
      submit: 1,
      mapAsync: 1,
      copyBufferToBuffer: 6,
      createBuffer: 1,
      writeBuffer: 0,
    });
    ledger.stop();
    model.dispose();
  });

  it("of a model that was not trained by fit restores weights, counts and the scale of bytes", async () => {
    const bytes = tensor(
      Uint8Array.from({ length: 240 }, (_, i) => i),
      [60, 4],
      { scale: 1 / 255 },
    );
    const unscaled = tensor(
      Uint8Array.from({ length: 240 }, (_, i) => i),
      [60, 4],
    );
    const model = await compiled();
    await model.trainOnBatch(bytes, y);
    const taken = await snapshot(model);
    expect(taken.fit).toBeUndefined();
    const other = await compiled({ seed: 5 });
    await restore(other, taken);
    expect(await snapshot(other)).toEqual(taken);
    expect(await other.predict(unscaled)).toEqual(await model.predict(unscaled));
    await expect(other.fit(x, y, { ...options, resume: true })).rejects.toThrow(/not of a fit/);
    model.dispose();
    other.dispose();
  });
});

/** With the checksum of what it now says. */
function forged(taken: Snapshot, change: object): Snapshot {
  const changed = { ...taken, ...change };
  return { ...changed, checksum: checksumOf(changed) };
}

describe("restore", () => {
  it("names what differs, and changes nothing", async () => {
    const model = await compiled();
    await model.fit(x, y, options);
    const taken = await snapshot(model);
    const before = await allWeights(model);
    const refused = async (other: Model, from: unknown, message: RegExp, code = "data") => {
      const was = await snapshot(other);
      const error = await restore(other, from as Snapshot).catch((error: unknown) => error);
      expect(error).toBeInstanceOf(FeaturemapError);
      expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
      expect(await snapshot(other)).toEqual(was);
    };
    await refused(model, undefined, /snapshot must be an object of snapshot\(model\), got undefined/);
    await refused(
      model,
      { weights: [] },
      /snapshot must be an object of snapshot\(model\), got an object with keys weights/,
    );
    await refused(model, { ...taken, version: 1 }, /version must be 3, .*got 1\. Another version's/);
    await refused(model, { ...taken, epochs: 4 }, /is damaged, or was changed: its checksum is \w{16}, but it says/);
    await refused(
      model,
      JSON.parse(JSON.stringify(taken)),
      /must be a Float32Array, .*JSON does not keep typed arrays/,
    );
    const nan = structuredClone(taken);
    nan.variables[1]!.data[2] = Number.NaN;
    await refused(model, nan, /finite numbers \("dense\/bias"\) at place 2, got NaN/);
    await refused(model, forged(taken, { losses: { dense: "mse" } }), /of loss "mse", the model has "sparse/, "value");
    const rate = { ...taken.hyperparameters, learningRate: -1 };
    await refused(
      model,
      forged(taken, { hyperparameters: rate }),
      /learningRate must be .* at least 0, got -1/,
      "value",
    );
    const without = (path: string) => ({ variables: taken.variables.filter((each) => each.path !== path) });
    const fewer = forged(taken, without("dense/kernel/velocity"));
    await refused(model, fewer, /variable 2 of the snapshot is slot "dense\/bias\/velocity"/, "shape");
    const one = forged(taken, without("dense/bias"));
    await refused(model, one, /variable 1 of the snapshot is slot .*, the model's is parameter "dense\/bias"/, "shape");
    await expect(restore(model, taken, { optimizer: "mine" } as never)).rejects.toThrow(/optimizer must be one of/);
    const plainSgd = await compiled({}, sgd());
    await refused(plainSgd, taken, /of optimizer "momentumSgd", the model has "sgd"/, "value");
    const wide = sequential([dense({ units: 5, activation: "softmax", inputShape: [4] })]);
    await refused(
      await compiled({}, undefined, wide),
      taken,
      /"dense\/kernel" \[4, 3\], the model's is .*\[4, 5\]/,
      "shape",
    );
    expect(await allWeights(model)).toEqual(before);
    const training = model.fit(x, y, options);
    await expect(restore(model, taken)).rejects.toThrow(/busy with fit/);
    await training;
    for (const one of [model, plainSgd, wide]) one.dispose();
    await expect(snapshot(model)).rejects.toMatchObject({ code: "state" });
    await expect(restore({} as never, taken)).rejects.toThrow(/must come from sequential/);
  });
});

describe("a restored fit", () => {
  it("goes on with its own data only", async () => {
    const taken = await interrupted((_, take) => ({ onEpochEnd: take }));
    const model = await compiled();
    await restore(model, taken);
    const { batchSize: _, seed: __, ...rest } = options;
    const resume = (...data: Parameters<typeof noise>) => {
      const { x, y } = noise(...data);
      return model.fit(x, y, { ...rest, resume: true });
    };
    const was = await snapshot(model);
    await expect(resume(60, [4], 3, 9)).rejects.toMatchObject({
      code: "value",
      message: expect.stringMatching(/fit: resume: data was 60 samples f32 \[4\].*, got 60 samples f32 \[4\]/),
    });
    await expect(resume(59, [4], 3)).rejects.toThrow(/data was 60 samples f32.*, got 59 samples/);
    const scaled = model.fit({ ...x, scale: 2 }, y, { ...rest, resume: true });
    await expect(scaled).rejects.toThrow(/\[4\] \* 1, .* got 60 samples f32 \[4\] \* 2/);
    expect(await snapshot(model)).toEqual(was);
    const dataset = await createDataset(runtime, { x, y });
    expect(await outcome(model, await model.fit(dataset, { ...rest, resume: true }))).toEqual(plain);
    dataset.dispose();
  });

  it("wants the optimizer's constants, or is told that the model's count", async () => {
    const model = await compiled({}, sgd({ learningRate: 0.1, momentum: 0.9 }));
    await model.trainOnBatch(x, y);
    const taken = await snapshot(model);
    const other = await compiled({}, sgd({ learningRate: 0.3, momentum: 0.5, nesterov: true }));
    await expect(restore(other, taken)).rejects.toMatchObject({
      code: "value",
      message: expect.stringMatching(
        /"sgd" with momentum 0\.9, nesterov false, the model's has momentum 0\.5, nesterov true.*optimizer: "model"/,
      ),
    });
    await restore(other, taken, { optimizer: "model" });
    expect(await allWeights(other)).toEqual(await allWeights(model));
    expect(await snapshot(other)).toMatchObject({
      variables: expect.arrayContaining(savedOf(taken, "slot")),
      hyperparameters: { learningRate: 0.3 },
      constants: { momentum: 0.5, nesterov: true },
    });
    for (const each of [model, other]) each.dispose();
  });

  it("is read before the promise is returned", async () => {
    const model = await compiled();
    const taken = await snapshot(model);
    const before = await allWeights(model);
    await model.fit(x, y, options);
    const restoring = restore(model, taken);
    for (const { data } of taken.variables) data.fill(7);
    await restoring;
    expect(await allWeights(model)).toEqual(before);
    model.dispose();
  });
});

describe("checkpoint", () => {
  it("saves at epochs' ends and between, while training goes on, and goes on from any of them", async () => {
    const model = await compiled();
    const all: Snapshot[] = [];
    const save = (taken: Snapshot) => void all.push(taken);
    const callbacks = [checkpoint(model, { everyMs: 0, save }), checkpoint(model, { everyEpochs: 2, save })];
    expect(await outcome(model, await model.fit(x, y, { ...stepwise, callbacks }))).toEqual(plain);
    const ends = all.filter(({ fit }) => fit?.epoch === 2 && fit.steps === 0);
    expect(ends).toHaveLength(1);
    const within = all.filter(({ fit }) => fit!.steps % 15 > 0);
    expect(within.length).toBeGreaterThan(1);
    for (const taken of [ends[0]!, within.at(-1)!]) expect(await goOn(taken)).toEqual(plain);
  });

  it("keeps the last good snapshot where training goes wrong", async () => {
    const model = await compiled();
    const all: Snapshot[] = [];
    const saving = checkpoint(model, { everyMs: 0, everyEpochs: 1, save: (taken) => void all.push(taken) });
    const bad = { ...x, data: Float32Array.from(x.data as Float32Array, (value, i) => (i < 180 ? value : Number.NaN)) };
    await model.fit(bad, y, { ...stepwise, shuffle: false, callbacks: [saving] });
    expect((await allWeights(model)).some(Number.isNaN)).toBe(true);
    expect(all.length).toBeGreaterThan(0);
    for (const each of all)
      for (const { data } of savedOf(each, "parameter", "slot"))
        expect([...data].every((value) => Number.isFinite(value))).toBe(true);
    const other = await compiled();
    await restore(other, all.at(-1)!);
    for (const each of [model, other]) each.dispose();
  });

  it("ends fit where saving fails, and says what is wrong with its options", async () => {
    const model = await compiled();
    const full = () => Promise.reject(new Error("the disk is full"));
    for (const when of [{ everyMs: 0 }, { everyEpochs: 3 }]) {
      const callbacks = [checkpoint(model, { ...when, save: full })];
      await expect(model.fit(x, y, { ...stepwise, callbacks })).rejects.toThrow("the disk is full");
    }
    const wrong = (given: object) => () => checkpoint(model, given as never);
    expect(wrong({ save: full })).toThrow(/needs everyMs, everyEpochs or both/);
    expect(wrong({ everyMs: -1, save: full })).toThrow(/everyMs must be a finite number of at least 0, got -1/);
    expect(wrong({ everyEpochs: 0.5, save: full })).toThrow(/everyEpochs must be a whole number/);
    expect(wrong({ everyMs: 1 })).toThrow(/save must be a function, got undefined/);
    expect(wrong({ everyMs: 1, save: full, folder: "x" })).toThrow(/no option "folder"/);
    model.dispose();
  });
});

describe("a lost device", () => {
  it("in mid-training is an error of its own; training goes on elsewhere from the last checkpoint, to the same bits", async () => {
    let last: Snapshot | undefined;
    let losses = 0;
    const train = async (): Promise<Awaited<ReturnType<typeof outcome>>> => {
      const own = await createRuntime();
      const model = await compiled({ runtime: own });
      const saving = checkpoint(model, {
        everyMs: 0,
        save: (taken) => {
          last = taken;
        },
      });
      const lose: Callback = {
        onTrainBatchEnd: () => {
          if (losses < 2 && (last ? stepsOf(last) : 0) > 12 * (losses + 1)) {
            losses++;
            own.device.destroy();
          }
        },
      };
      if (last) await restore(model, last);
      try {
        const fitted = await model.fit(x, y, { ...stepwise, resume: last !== undefined, callbacks: [saving, lose] });
        return await outcome(model, fitted);
      } catch (error) {
        model.dispose();
        if ((error as FeaturemapError).code !== "lost") throw error;
        return train();
      } finally {
        own.dispose();
      }
    };
    expect(await train()).toEqual(plain);
    expect(losses).toBe(2);
  });

  it("makes every call say so, those under way too", async () => {
    const calls: [string, (model: Model, own: Runtime) => Promise<unknown>][] = [
      ["fit", (model) => model.fit(x, y, options)],
      ["evaluate", (model) => model.evaluate(x, y, { batchSize: 4 })],
      ["predict", (model) => model.predict(x)],
      ["getWeights", (model) => model.getWeights()],
      ["trainOnBatch", (model) => model.trainOnBatch(x, y)],
      ["snapshot", (model) => snapshot(model)],
    ];
    for (const [name, call] of calls) {
      const own = await createRuntime();
      const model = await compiled({ runtime: own });
      const under = call(model, own).catch((error: unknown) => error);
      await Promise.resolve();
      own.device.destroy();
      expect(await under, name).toMatchObject({ name: "FeaturemapError", code: "lost" });
      for (const [after, again] of calls) {
        const error = await again(model, own).catch((error: unknown) => error);
        expect(error, `${after} after ${name}`).toMatchObject({ name: "FeaturemapError", code: "lost" });
      }
      model.dispose();
    }
  });
});
