import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  adam,
  type Callback,
  createDataset,
  createRuntime,
  type History,
  indexedDbSnapshots,
  type Model,
  type Runtime,
  type Snapshot,
  type SnapshotStore,
  snapshot,
  trainWithRecovery,
} from "../../src/index.ts";
import { randomIntegers } from "../reference/random.ts";
import { Losses, type Point } from "../support/losses.ts";
import { noise, tinyModel } from "../support/models.ts";

const { x, y } = noise(32, [4], 3);
const held = noise(10, [4], 3, 5);
const data = [x, y] as const;
const fit = {
  batchSize: 4,
  epochs: 2,
  seed: 7,
  stepsPerExecution: 1,
  verbose: 0,
  validationData: [held.x, held.y],
} as const;

let losses: Losses;
/** Models of a run. Until training begins, the first uploads and compiles, the others restore before. */
let made = 0;
beforeAll(() => {
  losses = new Losses();
});
afterAll(() => losses.stop());

/** On a device of the app's own, which is what is lost. */
/** On a device of the app's own, which is what is lost. */
async function make(): Promise<Model> {
  const adapter = await navigator.gpu.requestAdapter();
  const device = await adapter!.requestDevice();
  losses.watch(device);
  losses.begin("compile");
  const runtime = await createRuntime({ device });
  const model = tinyModel();
  await model.compile({ loss: "sparseCategoricalCrossentropy", optimizer: adam(), metrics: ["accuracy"], runtime });
  losses.begin(made++ ? "restore" : "begin");
  return model;
}

/** Looks at the model while it trains, as apps do. */
function looking(): Callback {
  let model: Model;
  return {
    setModel: (given: Model) => {
      model = given;
    },
    onTrainBegin: () => losses.begin("fit"),
    onEpochBegin: () => losses.within("predict", () => model.predict(x)).then(() => {}),
    onTrainBatchEnd: (batch) =>
      batch === 5 ? losses.within("snapshot", () => snapshot(model)).then(() => {}) : undefined,
    onEpochEnd: () => losses.within("evaluate", () => model.evaluate(x, y)).then(() => {}),
  };
}

interface Outcome {
  readonly history: Pick<History, "epoch" | "history">;
  readonly snapshot: Snapshot;
}
const outcomeOf = ({ history: { epoch, history }, snapshot }: Outcome) => ({ epoch, history, snapshot });

let plain: ReturnType<typeof outcomeOf>;
beforeAll(async () => {
  const model = await make();
  const history = await model.fit(x, y, { ...fit, callbacks: [looking()] });
  plain = outcomeOf({ history, snapshot: await snapshot(model) });
  model.dispose();
});

async function disturbed(points: readonly Point[]) {
  losses.plan(points);
  made = 0;
  const result = await trainWithRecovery({ make, data, everyMs: 0, ...fit, callbacks: [looking()] });
  result.model.dispose();
  return result;
}

/** Points drawn in a part of the run, each another. */
function drawn(part: string, count: number, seed: number, most: number): Point[] {
  const numbers = new Set(randomIntegers(100, seed, 2 * most));
  return [...numbers].slice(0, count).map((number) => ({ part, call: (number >> 1) + 1, after: number % 2 === 1 }));
}

const SINGLE = [
  ...drawn("compile", 3, 11, 6),
  ...drawn("begin", 5, 12, 24),
  ...drawn("fit", 5, 13, 40),
  ...drawn("predict", 3, 14, 8),
  ...drawn("evaluate", 3, 15, 8),
  ...drawn("snapshot", 2, 16, 3),
];
/** Two of one run: the first, then one while the model of after it is restored. */
const DOUBLE = drawn("restore", 4, 17, 12).map((second, i) => [SINGLE[8 + i]!, second]);
/** One after the other, each further on. */
const MANY = ["begin", "fit", "snapshot", "compile", "evaluate", "restore", "predict"].flatMap((part, i) =>
  drawn(part, 1, 20 + i, 3),
);

describe("trainWithRecovery", () => {
  it.each(SINGLE)("recovers from a loss at $part, call $call (after it: $after), to the same bits", async (point) => {
    const result = await disturbed([point]);
    expect(losses.left).toBe(0);
    expect(result.recoveries).toBe(1);
    expect(outcomeOf(result)).toEqual(plain);
  });

  it.each(DOUBLE)("recovers from one at $part, call $call, and another at restore", async (...points) => {
    const result = await disturbed(points);
    expect(losses.left).toBe(0);
    expect(result.recoveries).toBe(2);
    expect(outcomeOf(result)).toEqual(plain);
  });

  it("recovers from seven in one training", async () => {
    const result = await disturbed(MANY);
    expect(losses.left).toBe(0);
    expect(result.recoveries).toBe(7);
    expect(outcomeOf(result)).toEqual(plain);
  });

  it("goes on from an abort, through a store, to the same bits", async () => {
    let kept: Snapshot | undefined;
    const store: SnapshotStore = {
      get: () => kept,
      set: (next) => {
        kept = structuredClone(next);
      },
    };
    const stop = new AbortController();
    const onTrainBatchEnd = (batch: number) => void (batch === 5 && stop.abort());
    const stopping = { ...fit, signal: stop.signal, callbacks: [{ onTrainBatchEnd }] };
    const first = await trainWithRecovery({ make, data, store, ...stopping });
    first.model.dispose();
    expect(first.history.epoch).toEqual([]);
    expect(kept).toEqual(first.snapshot);
    const second = await trainWithRecovery({ make, data, store, ...fit });
    second.model.dispose();
    expect(kept).toBeUndefined();
    expect(outcomeOf(second)).toEqual(plain);
  });

  it("trains on data sets that a function makes for each device", async () => {
    made = 0;
    losses.plan([{ part: "fit", call: 9, after: true }]);
    const onDevice = (runtime: Runtime) => createDataset(runtime, { x, y });
    const result = await trainWithRecovery({ make, data: onDevice, everyMs: 0, ...fit, callbacks: [looking()] });
    result.model.dispose();
    expect(result.recoveries).toBe(1);
    expect(outcomeOf(result)).toEqual(plain);
  });
});

describe("indexedDbSnapshots", () => {
  it("keeps one snapshot a name, and forgets it", async () => {
    const [first, second] = [indexedDbSnapshots("first"), indexedDbSnapshots("second")];
    const mine = structuredClone(plain.snapshot);
    const setting = first.set(mine);
    mine.variables[0]!.data[0] = 12345; // It was read when set() was called.
    await setting;
    expect(await indexedDbSnapshots("first").get()).toEqual(plain.snapshot);
    expect(await second.get()).toBeUndefined();
    await first.set(undefined);
    expect(await first.get()).toBeUndefined();
  });

  // In the kit's Node a table in memory stands in for IndexedDB.
  it.skipIf(typeof indexedDB.open !== "function")(
    "opens its database again where that was deleted meanwhile",
    async () => {
      const store = indexedDbSnapshots("third");
      await store.set(plain.snapshot);
      await new Promise((resolve, reject) => {
        const request = indexedDB.deleteDatabase("featuremap-snapshots");
        request.onsuccess = resolve;
        request.onerror = reject;
      });
      expect(await store.get()).toBeUndefined();
    },
  );
});
