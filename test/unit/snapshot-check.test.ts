import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FeaturemapError } from "../../src/base/errors.ts";
import { stepState } from "../../src/graph/step-state.ts";
import type { Snapshot } from "../../src/snapshots/snapshot.ts";
import {
  checkedSnapshot,
  checkReceiver,
  checksumOf,
  type Receiver,
  VERSION,
} from "../../src/snapshots/snapshot-check.ts";
import { metricsLayout } from "../../src/training/metrics-layout.ts";
import { copyOf, foreign, holds, hostileValue, mutated, outcomeOf } from "../support/hostile.ts";
import { failure } from "./building.ts";

const body: Omit<Snapshot, "checksum"> = {
  version: VERSION,
  loss: "sparseCategoricalCrossentropy",
  optimizer: "sgd",
  constants: { momentum: 0.9, nesterov: false },
  hyperparameters: { learningRate: 0.1 },
  weights: [
    { name: "dense/kernel", shape: [2, 3], data: Float32Array.of(1, -2, 3, -4, 5, 1e-30) },
    { name: "dense/bias", shape: [3], data: Float32Array.of(0, 0.5, -0) },
  ],
  slots: [
    { name: "dense/kernel/momentum", shape: [2, 3], data: new Float32Array(6).fill(0.25) },
    { name: "dense/bias/momentum", shape: [3], data: new Float32Array(3) },
  ],
  // Step 17, after 2 steps of 4 of 7 samples: at the end.
  state: new Uint32Array(stepState().words).map((_, i) => [17, 7, 7, 0, 4][i] ?? 0),
  metrics: new Uint32Array(metricsLayout().words).fill(3),
  epochs: 6,
  byteScale: 1 / 255,
  fit: {
    ...{ samples: 7, data: "7 samples f32 [2] * 1, labels u32 [1], checksum 0", batchSize: 4, shuffle: true, seed: -3 },
    ...{ epochsBefore: 3, epoch: 2, steps: 2 },
    history: { epoch: [0, 1], history: { loss: [2, Number.NaN], accuracy: [0.5, 1] } },
  },
};
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
    for (const part of ["weights", "slots"] as const)
      read[part].forEach(({ data }, i) => {
        expect(data).not.toBe(taken[part][i]!.data);
      });
    expect(read.state).not.toBe(taken.state);
    expect(check(structuredClone(taken))).toEqual(taken);
    expect(check({ ...taken, savedAt: new Date(0) })).toEqual(taken);
  });

  it("may lack a byteScale and a fit, and may come from another realm", () => {
    const bare = forged({ byteScale: undefined, fit: undefined });
    expect(check(bare)).toEqual(bare);
    const data = foreign<Float32ArrayConstructor>("Float32Array").from(taken.weights[0]!.data);
    expect(data instanceof Float32Array).toBe(false);
    expect(check({ ...taken, weights: [{ ...taken.weights[0]!, data }, taken.weights[1]!] })).toEqual(taken);
  });

  it("that went through JSON is refused, and what keeps it is named", () => {
    const error = failure(() => check(JSON.parse(JSON.stringify(taken))));
    expect(error.code).toBe("data");
    expect(error.message).toBe(
      "restore: snapshot.weights[0].data must be a Float32Array, got an object with keys 0, 1, 2, 3, 4, 5. JSON does not keep " +
        "typed arrays: keep them by structuredClone(), in IndexedDB, or in a file of saveModel().",
    );
    const listed = { ...taken, weights: taken.weights.map((each) => ({ ...each, data: [...each.data] })) };
    expect(failure(() => check(listed)).message).toMatch(/weights\[0\]\.data must be a Float32Array, got \[1, -2, 3/);
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
    // Of a plain one it is as it always was: what apps have kept goes on.
    expect(taken.checksum).toBe("36d74c14d291e83a");
  });

  const weight = (change: object) => ({ weights: [taken.weights[0]!, { ...taken.weights[1]!, ...change }] });
  const fit = (change: object) => ({ fit: { ...taken.fit!, ...change } });
  const history = (epoch: unknown, figures: object) => fit({ history: { epoch, history: figures } });
  const state = (...words: number[]) => ({ state: taken.state.map((word, i) => words[i] ?? word) });

  it.each<[string, object, RegExp]>([
    ["another version", { version: 1 }, /snapshot\.version must be 2, .*got 1\. Another version's snapshots cannot/],
    ["no loss", { loss: undefined }, /snapshot\.loss must be a string, got undefined/],
    ["constants that are objects", { constants: { momentum: {} } }, /constants\.momentum must be a number, a string/],
    [
      "a rate that is none",
      { hyperparameters: { learningRate: "0.1" } },
      /hyperparameters\.learningRate must be a fini/,
    ],
    ["a rate beyond 32 bits", { hyperparameters: { learningRate: 1e39 } }, /learningRate must be a finite number/],
    ["weights that are none", { weights: {} }, /snapshot\.weights must be an array/],
    [
      "a hole among the weights",
      { weights: Object.assign(new Array(2), { 0: taken.weights[0] }) },
      /weights\[1\] must be an object/,
    ],
    ["a shape of halves", weight({ shape: [1.5, 2] }), /weights\[1\]\.shape\[0\] must be a whole number of at least 1/],
    ["another shape", weight({ shape: [2, 2] }), /weights\[1\]\.data must hold 4 numbers, for shape \[2, 2\]/],
    [
      "a NaN",
      weight({ data: Float32Array.of(1, Number.NaN, 0) }),
      /hold finite numbers \("dense\/bias"\) at place 1, got NaN/,
    ],
    [
      "an infinite slot",
      { slots: [taken.slots[0], { ...taken.slots[1]!, data: Float32Array.of(0, 0, Infinity) }] },
      /slots\[1\]\.data/,
    ],
    ["a name twice", weight({ name: "dense/kernel" }), /weights\[1\]\.name must be no other's too, got "dense\/kern/],
    ["another array", weight({ data: new Float64Array(3) }), /must be a Float32Array, got a Float64Array of length 3/],
    [
      "a state of other length",
      { state: new Uint32Array(stepState().words + 1) },
      /snapshot\.state must hold \d words/,
    ],
    ["metrics of other length", { metrics: new Uint32Array(1) }, /snapshot\.metrics must hold \d words/],
    [
      "metrics of floats",
      { metrics: new Float32Array(metricsLayout().words) },
      /snapshot\.metrics must be a Uint32Array/,
    ],
    ["a place beyond its samples", { ...state(17, 8), fit: undefined }, /state must stand within its samples/],
    ["rows that do not follow", { ...state(17, 4, 7, 4), fit: undefined }, /state must stand within its samples/],
    ["a place that is not fit's", state(17, 4, 7, 3), /state must stand after step 2 of fit/],
    ["half an epoch", { epochs: 5.5 }, /snapshot\.epochs must be a whole number/],
    ["fewer epochs than its fit", { epochs: 4 }, /snapshot\.epochs must be at least 5, the epochs of fit, got 4/],
    ["a scale of NaN", { byteScale: Number.NaN }, /snapshot\.byteScale must be a finite number/],
    ["a fit of null", { fit: null }, /snapshot\.fit must be an object, got null/],
    ["no samples", fit({ samples: 0 }), /fit\.samples must be a whole number of at least 1/],
    ["a batch of strings", fit({ batchSize: "4" }), /fit\.batchSize must be a whole number/],
    ["more steps than an epoch has", fit({ steps: 3 }), /fit\.steps must be at most 2, the steps of an epoch, got 3/],
    ["an epoch that its history lacks", fit({ epoch: 3 }), /fit\.history\.epoch must count the 3 epochs that are done/],
    ["epochs in disorder", history([1, 0], { loss: [1, 2] }), /fit\.history\.epoch must count the 2 epochs/],
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
    const arrays = (of: Snapshot) => [...[...of.weights, ...of.slots].map(({ data }) => data), of.state, of.metrics];
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

function assertSound({ weights, slots, state, metrics, fit, epochs }: Snapshot): void {
  for (const { shape, data } of [...weights, ...slots]) {
    expect(data).toHaveLength(shape.reduce((a, b) => a * b, 1));
    expect(data.every(Number.isFinite)).toBe(true);
  }
  expect([state.length, metrics.length]).toEqual([stepState().words, metricsLayout().words]);
  expect(Number.isSafeInteger(epochs) && epochs >= 0).toBe(true);
  if (!fit) return;
  expect(fit.history.epoch).toEqual(Array.from({ length: fit.epoch }, (_, i) => i));
  for (const figures of Object.values(fit.history.history)) expect(figures).toHaveLength(fit.epoch);
}

describe("the model that a snapshot is for", () => {
  const receiver: Receiver = { ...taken };
  const refused = (change: Partial<Receiver>, own = false) =>
    failure(() => checkReceiver(taken, { ...receiver, ...change }, own));

  it("suits it where all is the same", () => {
    checkReceiver(taken, receiver, false);
    checkReceiver(taken, { ...receiver, hyperparameters: { learningRate: 3 } }, false);
  });

  it("is named where it is another", () => {
    expect(refused({ loss: "mse" }).message).toMatch(/is of loss "sparse.*the model has "mse"/);
    expect(refused({ optimizer: "adam" }).message).toMatch(/is of optimizer "sgd", the model has "adam"/);
    expect(refused({ hyperparameters: {} }).message).toMatch(/of hyperparameters "learningRate", the model has ""/);
    const other = refused({ weights: [taken.weights[0]!] });
    expect(other.message).toMatch(/parameter 1 of the snapshot is "dense\/bias" \[3\], the model's is missing/);
    expect(other.code).toBe("shape");
    expect(refused({ slots: [] }).message).toMatch(/optimizer slot 0 of the snapshot is "dense\/kernel\/momentum"/);
  });

  it("has the optimizer's constants, or says that its own count", () => {
    const constants = { momentum: 0.5, nesterov: false, clip: 1 };
    const error = refused({ constants });
    expect(error.code).toBe("value");
    expect(error.message).toBe(
      'restore: the snapshot is of optimizer "sgd" with momentum 0.9, clip undefined, the model\'s has momentum 0.5, clip 1. ' +
        "Compile with the snapshot's, or go on with the model's: restore(model, snapshot, { optimizer: \"model\" }).",
    );
    checkReceiver(taken, { ...receiver, constants, hyperparameters: { rate: 1 } }, true);
  });

  it("steps by any rate that compile takes", () => {
    const negative = check(forged({ hyperparameters: { learningRate: -1 } }));
    expect(() => checkReceiver(negative, receiver, false)).toThrow(/at least 0|0 or at least/);
    checkReceiver(negative, { ...receiver, hyperparameters: { learningRate: -2 } }, false);
    const tiny = check(forged({ hyperparameters: { learningRate: 1e-40 } }));
    expect(() => checkReceiver(tiny, receiver, false)).toThrow(FeaturemapError);
    checkReceiver(tiny, receiver, true);
  });

  it("may have 0 where the snapshot has -0, and NaN where it has NaN", () => {
    const given = check(forged({ constants: { momentum: -0, nesterov: false, clip: Number.NaN } }));
    checkReceiver(given, { ...receiver, constants: { momentum: 0, nesterov: false, clip: Number.NaN } }, false);
  });
});
