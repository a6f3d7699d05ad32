import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FeaturemapError } from "../../src/base/errors.ts";
import { stepState } from "../../src/graph/step-state.ts";
import { meanLayout } from "../../src/ops/batch/means.ts";
import { checkedSnapshot, checksumOf, checkTarget, type SnapshotTarget } from "../../src/snapshots/snapshot-check.ts";
import { type SavedVariable, type Snapshot, VERSION } from "../../src/snapshots/snapshot-format.ts";
import { failure } from "../support/building.ts";
import { copyOf, foreign, holds, hostileValue, mutated, outcomeOf } from "../support/hostile.ts";

const body: Omit<Snapshot, "checksum"> = {
  version: VERSION,
  losses: { dense: "sparseCategoricalCrossentropy" },
  optimizer: "sgd",
  constants: { momentum: 0.9, nesterov: false },
  hyperparameters: { learningRate: 0.1 },
  variables: [
    { path: "dense/kernel", role: "parameter", shape: [2, 3], data: Float32Array.of(1, -2, 3, -4, 5, 1e-30) },
    { path: "dense/bias", role: "parameter", shape: [3], data: Float32Array.of(0, 0.5, -0) },
    { path: "norm/mean", role: "statistic", shape: [2], data: Float32Array.of(7, 8) },
    { path: "dense/kernel/momentum", role: "slot", shape: [2, 3], data: new Float32Array(6).fill(0.25) },
    { path: "dense/bias/momentum", role: "slot", shape: [3], data: new Float32Array(3) },
    {
      path: "means",
      role: "metric",
      shape: [2 * meanLayout().words],
      data: new Uint32Array(2 * meanLayout().words).fill(3),
    },
    // A metric of one's own may add up floats, and they may be anything.
    { path: "spread/sums", role: "metric", shape: [2], data: Float32Array.of(Number.POSITIVE_INFINITY, 1) },
    // Step 17, after 2 steps of 4 of 7 samples: at the end.
    {
      path: "state",
      role: "state",
      shape: [stepState().words],
      data: new Uint32Array(stepState().words).map((_, i) => [17, 7, 7, 0, 4][i] ?? 0),
    },
  ],
  epochs: 6,
  byteScales: { input: 1 / 255 },
  fit: {
    samples: 7,
    data: "7 samples f32 [2] * 1, labels u32 [1], checksum 0",
    batchSize: 4,
    shuffle: true,
    seed: -3,
    epochsBefore: 3,
    epoch: 2,
    steps: 2,
    history: { epoch: [0, 1], history: { loss: [2, Number.NaN], accuracy: [0.5, 1] } },
  },
};
/** The places of some among the variables. */
const [BIAS, SLOT, MEANS, STATE] = [1, 4, 5, 7] as const;

const taken: Snapshot = { ...body, checksum: checksumOf(body) };

/** With the checksum of what it now says: as somebody makes it who means to deceive. */
function forged(changed: object): Snapshot {
  const snapshot = { ...copyOf(taken), ...changed };
  return { ...snapshot, checksum: checksumOf(snapshot) };
}

const check = (snapshot: unknown) => checkedSnapshot(snapshot, "restore");

describe("a snapshot", () => {
  it("comes out as it went in, and shares no memory with what was given", () => {
    const read = check(taken);
    expect(read).toEqual(taken);
    read.variables.forEach(({ data }, i) => {
      expect(data.buffer).not.toBe(taken.variables[i]!.data.buffer);
    });
    expect(check(structuredClone(taken))).toEqual(taken);
    expect(check({ ...taken, savedAt: new Date(0) })).toEqual(taken);
  });

  it("may lack scales and a fit, and may come from another realm", () => {
    const bare = forged({ byteScales: {}, fit: undefined });
    expect(check(bare)).toEqual(bare);
    const data = foreign<Float32ArrayConstructor>("Float32Array").from(taken.variables[0]!.data);
    expect(data instanceof Float32Array).toBe(false);
    expect(check({ ...taken, variables: taken.variables.with(0, { ...taken.variables[0]!, data }) })).toEqual(taken);
  });

  it("that went through JSON is refused, and what keeps it is named", () => {
    const error = failure(() => check(JSON.parse(JSON.stringify(taken))));
    expect(error.code).toBe("data");
    expect(error.message).toBe(
      "restore: snapshot.variables[0].data must be a Float32Array, got an object with keys 0, 1, 2, 3, 4, 5. JSON does not keep " +
        "typed arrays: keep them by structuredClone(), in IndexedDB, or in a file of saveModel().",
    );
    const listed = { ...taken, variables: taken.variables.map((each) => ({ ...each, data: [...each.data] })) };
    expect(failure(() => check(listed)).message).toMatch(/variables\[0\]\.data must be a Float32Array, got \[1, -2, 3/);
  });

  it("is no promise of one, and nothing without a version", () => {
    const wanted = "restore: snapshot must be an object of snapshot(model), got";
    for (const promise of [Promise.resolve(taken), Object.assign(Promise.resolve(), taken)])
      expect(failure(() => check(promise)).message).toBe(`${wanted} a promise: await it first.`);
    expect(failure(() => check({})).message).toBe(`${wanted} an object with keys (none).`);
  });

  it("has a checksum that tells constants apart which JSON does not", () => {
    const odd = [null, undefined, 0, -0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, "NaN"];
    const sums = odd.map((clip) => checksumOf({ ...body, constants: { momentum: 0.9, clip: clip as number } }));
    expect(new Set(sums).size).toBe(odd.length);
    const dropped = forged({ constants: { momentum: 0.9, clip: null } });
    expect(failure(() => check({ ...dropped, constants: { momentum: 0.9 } })).message).toMatch(/is damaged/);
    // Of a plain one it is as it always was in this version: what apps have kept goes on.
    expect(taken.checksum).toBe("2d5ccfb78290921c");
  });

  const changed = (at: number, change: object) => ({
    variables: taken.variables.map((each, i) => (i === at ? { ...each, ...change } : each)),
  });
  const fit = (change: object) => ({ fit: { ...taken.fit!, ...change } });
  const history = (epoch: unknown, figures: object) => fit({ history: { epoch, history: figures } });
  const state = (...words: number[]) =>
    changed(STATE, { data: (taken.variables[STATE]!.data as Uint32Array).map((word, i) => words[i] ?? word) });

  it.each<[string, object, RegExp]>([
    ["another version", { version: 1 }, /snapshot\.version must be 3, .*got 1\. Another version's snapshots cannot/],
    ["no losses at all", { losses: undefined }, /snapshot\.losses must be an object, got undefined/],
    ["a loss that is none", { losses: { dense: 3 } }, /snapshot\.losses\.dense must be a string, got 3/],
    ["constants that are objects", { constants: { momentum: {} } }, /constants\.momentum must be a number, a string/],
    [
      "a rate that is none",
      { hyperparameters: { learningRate: "0.1" } },
      /hyperparameters\.learningRate must be a fini/,
    ],
    ["a rate beyond 32 bits", { hyperparameters: { learningRate: 1e39 } }, /learningRate must be a finite number/],
    ["variables that are none", { variables: {} }, /snapshot\.variables must be an array/],
    [
      "a hole among the variables",
      { variables: Object.assign(new Array(2), { 0: taken.variables[0] }) },
      /variables\[1\] must be an object/,
    ],
    [
      "a shape of halves",
      changed(BIAS, { shape: [1.5, 2] }),
      /variables\[1\]\.shape\[0\] must be a whole number of at least 1/,
    ],
    ["another shape", changed(BIAS, { shape: [2, 2] }), /variables\[1\]\.data must hold 4 numbers, for shape \[2, 2\]/],
    [
      "a NaN",
      changed(BIAS, { data: Float32Array.of(1, Number.NaN, 0) }),
      /hold finite numbers \("dense\/bias"\) at place 1, got NaN/,
    ],
    [
      "an infinite slot",
      changed(SLOT, { data: Float32Array.of(0, 0, Infinity) }),
      /variables\[4\]\.data must hold finite numbers/,
    ],
    [
      "a path twice",
      changed(BIAS, { path: "dense/kernel" }),
      /variables\[1\]\.path must be no other's too, got "dense\/kern/,
    ],
    [
      "another array",
      changed(BIAS, { data: new Float64Array(3) }),
      /must be a Float32Array, got a Float64Array of length 3/,
    ],
    [
      "a state of other length",
      changed(STATE, { shape: [stepState().words + 1], data: new Uint32Array(stepState().words + 1) }),
      /snapshot\.variables must have one of role "state", of \d words/,
    ],
    ["no state", { variables: taken.variables.slice(0, STATE) }, /variables must have one of role "state"/],
    [
      "a state of floats",
      changed(STATE, { data: new Float32Array(stepState().words) }),
      /\[7\]\.data must be a Uint32/,
    ],
    [
      "metrics of other length",
      changed(MEANS, { data: new Uint32Array(1) }),
      /variables\[5\]\.data must hold \d+ numb/,
    ],
    [
      "metrics of bytes",
      changed(MEANS, { data: new Uint8Array(2 * meanLayout().words) }),
      /\[5\]\.data must be a Uint32/,
    ],
    ["another role", changed(BIAS, { role: "rate" }), /variables\[1\]\.role must be one of parameter, .*got "rate"/],
    ["a place beyond its samples", { ...state(17, 8), fit: undefined }, /state must stand within its samples/],
    ["rows that do not follow", { ...state(17, 4, 7, 4), fit: undefined }, /state must stand within its samples/],
    ["a place that is not fit's", state(17, 4, 7, 3), /state must stand after step 2 of fit/],
    ["half an epoch", { epochs: 5.5 }, /snapshot\.epochs must be a whole number/],
    ["fewer epochs than its fit", { epochs: 4 }, /snapshot\.epochs must be at least 5, the epochs of fit, got 4/],
    ["a scale of NaN", { byteScales: { input: Number.NaN } }, /snapshot\.byteScales\.input must be a finite number/],
    ["a fit of null", { fit: null }, /snapshot\.fit must be an object, got null/],
    ["no samples", fit({ samples: 0 }), /fit\.samples must be a whole number of at least 1/],
    ["a batch of strings", fit({ batchSize: "4" }), /fit\.batchSize must be a whole number/],
    ["more steps than an epoch has", fit({ steps: 3 }), /fit\.steps must be at most 2, the steps of an epoch, got 3/],
    [
      "figures of more epochs",
      history([0, 1], { loss: [1, 2], val_loss: [1, 2, 3] }),
      /val_loss must hold at most 2 figures/,
    ],
    [
      "an epoch that its history lacks",
      fit({ epoch: 3 }),
      /fit\.history\.epoch must count up to the 3 epochs that are done/,
    ],
    ["epochs in disorder", history([1, 0], { loss: [1, 2] }), /fit\.history\.epoch must count up to the 2 epochs/],
    ["figures of other epochs", history([0, 1], { loss: [1] }), /history\.loss must hold 2 figures, one an epoch/],
    ["no losses", history([0, 1], {}), /history\.loss must hold 2 figures/],
    ["figures of text", history([0, 1], { loss: ["1", "2"] }), /history\.loss\[0\] must be a number/],
  ])("with %s is refused, even where the checksum agrees", (_, change, message) => {
    const snapshot = { ...copyOf(taken), ...change } as Snapshot;
    const sum = (() => {
      try {
        return checksumOf(snapshot);
      } catch {
        return taken.checksum;
      }
    })();
    const error = failure(() => check({ ...snapshot, checksum: sum }));
    expect(error.message).toMatch(message);
    expect(error.message).toMatch(/^restore: snapshot/);
    expect(error.code).toBe("data");
  });

  it("is refused where a single bit of its arrays is another", () => {
    const arrays = (of: Snapshot) => of.variables.map(({ data }) => data);
    arrays(taken).forEach((array, i) => {
      for (let at = 0; at < array.byteLength; at++) {
        for (const bit of [0, 3, 7]) {
          const damaged = copyOf(taken);
          const { buffer } = arrays(damaged)[i]!;
          new Uint8Array(buffer)[at]! ^= 1 << bit;
          expect(failure(() => check(damaged)).code, `array ${i}, byte ${at}`).toBe("data");
        }
      }
    });
  });

  it("is refused where any value is another, and never half read", async () => {
    await holds(
      fc.asyncProperty(mutated(taken), async (changed) => {
        const outcome = await outcomeOf(() => check(changed));
        if ("returned" in outcome) expect(outcome.returned).toEqual(taken);
        else expect(outcome.thrown).toMatchObject({ name: "FeaturemapError", code: "data" });
      }),
    );
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  it("is sound where it is taken, whoever made its checksum", async () => {
    await holds(
      fc.asyncProperty(mutated(body), async (changed) => {
        const sum = await outcomeOf(() => checksumOf(changed as Snapshot));
        if (!("returned" in sum)) return;
        const outcome = await outcomeOf(() => check({ ...(changed as Snapshot), checksum: sum.returned }));
        if ("thrown" in outcome) expect(outcome.thrown).toMatchObject({ name: "FeaturemapError", code: "data" });
        else assertSound(outcome.returned as Snapshot);
      }),
    );
  });

  it("is nothing else", async () => {
    await holds(
      fc.asyncProperty(hostileValue(), async (value) => {
        const outcome = await outcomeOf(() => check(value));
        expect(outcome).toMatchObject({ thrown: { name: "FeaturemapError", code: "data" } });
      }),
    );
  });
});

function assertSound({ variables, fit, epochs }: Snapshot): void {
  for (const { role, shape, data } of variables) {
    expect(data).toHaveLength(shape.reduce((a, b) => a * b, 1));
    if (role !== "metric" && role !== "state") expect((data as Float32Array).every(Number.isFinite)).toBe(true);
  }
  expect(variables.filter(({ role }) => role === "state").map(({ data }) => data.length)).toEqual([stepState().words]);
  expect(Number.isSafeInteger(epochs) && epochs >= 0).toBe(true);
  if (!fit) return;
  const { epoch, history } = fit.history;
  expect(epoch).toEqual(epoch.map((_, i) => fit.epoch - epoch.length + i));
  expect(history.loss).toHaveLength(epoch.length);
  for (const figures of Object.values(history)) expect(figures.length).toBeLessThanOrEqual(epoch.length);
}

describe("the model that a snapshot is for", () => {
  const target: SnapshotTarget = { ...taken, outputs: 1 };
  const refused = (change: Partial<SnapshotTarget>, own = false) =>
    failure(() => checkTarget(taken, { ...target, ...change }, own));

  it("suits it where all is the same", () => {
    checkTarget(taken, target, false);
    checkTarget(taken, { ...target, hyperparameters: { learningRate: 3 } }, false);
  });

  it("is named where it is another", () => {
    expect(refused({ losses: { dense: "mse" } }).message).toMatch(/is of loss "sparse.*the model has "mse"/);
    expect(refused({ optimizer: "adam" }).message).toMatch(/is of optimizer "sgd", the model has "adam"/);
    expect(refused({ hyperparameters: {} }).message).toMatch(/of hyperparameters "learningRate", the model has ""/);
    const other = refused({ variables: [taken.variables[0]!] });
    expect(other.message).toMatch(
      /variable 1 of the snapshot is parameter "dense\/bias" \[3\], the model's is missing/,
    );
    expect(other.code).toBe("shape");
    const changed = (at: number, change: Partial<SavedVariable>) =>
      refused({ variables: taken.variables.with(at, { ...taken.variables[at]!, ...change }) }).message;
    expect(changed(SLOT, { path: "dense/bias/mean" })).toMatch(
      /variable 4 .* slot "dense\/bias\/momentum" \[3\], the mod/,
    );
    expect(changed(BIAS, { role: "statistic" })).toMatch(/is parameter "dense\/bias" \[3\], the model's is statistic/);
    expect(changed(BIAS, { shape: [4] })).toMatch(/"dense\/bias" \[3\], the model's is parameter "dense\/bias" \[4\]/);
  });

  it("has the losses of its outputs", () => {
    const losses = { digit: "a", parity: "b" };
    const several = check(forged({ losses }));
    checkTarget(several, { ...target, outputs: 2, losses: { parity: "b", digit: "a" } }, false);
    const one = { losses: { digit: taken.losses[Object.keys(taken.losses)[0]!]! }, outputs: 2 };
    expect(failure(() => checkTarget(taken, { ...target, ...one }, false)).message).toMatch(/loss/);
    for (const other of [{ digit: "a" }, { digit: "b", parity: "a" }, { digit: "a", other: "b" }, {}])
      expect(failure(() => checkTarget(several, { ...target, losses: other as never }, false)).message).toMatch(
        /is of loss ".*digit.*", the model has "/,
      );
  });

  it("has the optimizer's constants, or says that its own count", () => {
    const constants = { momentum: 0.5, nesterov: false, clip: 1 };
    const error = refused({ constants });
    expect(error.code).toBe("value");
    expect(error.message).toBe(
      'restore: the snapshot is of optimizer "sgd" with momentum 0.9, clip undefined, the model\'s has momentum 0.5, clip 1. ' +
        "Compile with the snapshot's, or go on with the model's: restore(model, snapshot, { optimizer: \"model\" }).",
    );
    checkTarget(taken, { ...target, constants, hyperparameters: { rate: 1 } }, true);
  });

  it("steps by any rate that compile takes", () => {
    const negative = check(forged({ hyperparameters: { learningRate: -1 } }));
    expect(() => checkTarget(negative, target, false)).toThrow(/at least 0|0 or at least/);
    checkTarget(negative, { ...target, hyperparameters: { learningRate: -2 } }, false);
    const tiny = check(forged({ hyperparameters: { learningRate: 1e-40 } }));
    expect(() => checkTarget(tiny, target, false)).toThrow(FeaturemapError);
    checkTarget(tiny, target, true);
  });

  it("may have 0 where the snapshot has -0, and NaN where it has NaN", () => {
    const given = check(forged({ constants: { momentum: -0, nesterov: false, clip: Number.NaN } }));
    checkTarget(given, { ...target, constants: { momentum: 0, nesterov: false, clip: Number.NaN } }, false);
  });
});
