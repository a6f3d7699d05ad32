import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Add } from "../../src/graph/op.ts";
import {
  auc,
  createRuntime,
  dense,
  input,
  loadModel,
  model,
  oneHot,
  type Runtime,
  restore,
  type Snapshot,
  saveModel,
  sequential,
  sgd,
  snapshot,
  sparseTopKCategoricalAccuracy,
  tensor,
  topKCategoricalAccuracy,
} from "../../src/index.ts";
import { rowsAbove as thresholdSums } from "../../src/metrics/thresholds.ts";
import { areaUnderCurve, confusion, rowsAbove, thresholdsOf, topKHits } from "../reference/metrics.ts";
import { randomArray, randomIntegers } from "../reference/random.ts";
import { expectClose } from "../support/compare.ts";
import { noise } from "../support/models.ts";
import { GraphRun } from "../support/run-graph.ts";
import { tolerances } from "../support/tolerances.ts";

const ADAPTERS = ["software", "gpu"] as const;

/** Rows of weights, all but one 0. */
function rowsOf(classes: ArrayLike<number>, count: number): Float32Array {
  const rows = new Float32Array(classes.length * count);
  for (let r = 0; r < classes.length; r++) rows[r * count + classes[r]!] = 1;
  return rows;
}

describe("topKAccuracy", () => {
  const hitsOf = async (
    x: Float32Array,
    labels: Float32Array | Int32Array,
    [classes, k]: readonly [number, number],
    { rows, adapter = "software" }: { rows?: number; adapter?: "software" | "gpu" } = {},
  ) => {
    const batch = x.length / classes;
    const run = new GraphRun().rows(rows ?? batch);
    const sparse = labels instanceof Int32Array;
    const t = run.input("labels", [batch, sparse ? 1 : classes], labels, sparse ? "u32" : "f32");
    const y = run.add(
      "topKAccuracy",
      { x: run.input("x", [batch, classes], x), labels: t, state: run.graph.state },
      { k },
    ).y!;
    return [...(await run.read([y], { adapter }))[0]!];
  };

  it.each([
    [1, 1, 1],
    [7, 3, 2],
    [65, 10, 5],
    [65, 7, 9],
  ])("of %i rows of %i is the reference's for k = %i", async (rows, classes, k) => {
    // Of few values, so that many are equal.
    const x = Float32Array.from(randomIntegers(rows * classes, 3, 5), (value) => value - 2);
    const numbers = randomIntegers(rows, 4, classes);
    const want = [...topKHits(x, rowsOf(numbers, classes), classes, k)];
    const soft = Float32Array.from(randomArray(rows * classes, 5));
    for (const adapter of ADAPTERS) {
      expect(await hitsOf(x, numbers, [classes, k], { adapter })).toEqual(want);
      expect(await hitsOf(x, rowsOf(numbers, classes), [classes, k], { adapter })).toEqual(want);
      expect(await hitsOf(x, soft, [classes, k], { adapter })).toEqual([...topKHits(x, soft, classes, k)]);
    }
  });

  it("is 0 for rows not in use, and where the row's softmax is NaN", async () => {
    const [nan, inf] = [Number.NaN, Number.POSITIVE_INFINITY];
    const x = Float32Array.of(1, 2, 3, nan, 2, 3, 1, inf, 3, -inf, 2, 3, -inf, -inf, -inf, 3, 2, 1);
    const numbers = Int32Array.of(2, 1, 1, 0, 0, 0);
    const want = [...topKHits(x, rowsOf(numbers, 3), 3, 3)];
    expect(want).toEqual([1, 0, 0, 1, 0, 1]);
    expect(await hitsOf(x, numbers, [3, 3])).toEqual(want);
    expect(await hitsOf(x, numbers, [3, 3], { rows: 5 })).toEqual([...want.slice(0, 5), 0]);
  });
});

describe("thresholdCounts", () => {
  const countsOf = async (
    x: Float32Array,
    labels: Float32Array | Int32Array,
    [size, buckets]: readonly [number, number],
    { rows, adapter = "software" }: { rows?: number; adapter?: "software" | "gpu" } = {},
  ) => {
    const batch = x.length / size;
    const run = new GraphRun().rows(rows ?? batch);
    const sparse = labels instanceof Int32Array;
    const t = run.input("labels", [batch, sparse ? 1 : size], labels, sparse ? "u32" : "f32");
    const before = Uint32Array.from({ length: 2 * buckets }, (_, i) => i);
    const counts = run.input("counts", [2, buckets], before, "u32");
    run.add("thresholdCounts", { x: run.input("x", [batch, size], x), labels: t, state: run.graph.state, counts });
    const [read] = await run.read([counts], { adapter });
    return Array.from(new Uint32Array(read!.buffer), (count, i) => count - before[i]!);
  };

  /** Between two thresholds, of what the reference has above each. */
  const reference = (x: ArrayLike<number>, labels: ArrayLike<number>, buckets: number) => {
    const { falsePositives, truePositives } = confusion(x, labels, thresholdsOf(buckets));
    return [falsePositives, truePositives].flatMap((above) =>
      Array.from(above, (count, i) => count - (above[i + 1] ?? 0)),
    );
  };

  it.each([
    [1, 1, 2],
    [7, 3, 3],
    [65, 1, 200],
    [65, 7, 200],
  ])("of %i rows of %i by %i thresholds are the reference's, added to those of before", async (rows, size, buckets) => {
    const x = Float32Array.from(randomArray(rows * size, 1, -0.2, 1.2));
    const numbers = randomIntegers(rows, 2, size === 1 ? 2 : size);
    const labels = size === 1 ? Float32Array.from(numbers) : rowsOf(numbers, size);
    const want = reference(x, labels, buckets);
    for (const adapter of ADAPTERS) {
      expect(await countsOf(x, labels, [size, buckets], { adapter })).toEqual(want);
      expect(await countsOf(x, numbers, [size, buckets], { adapter })).toEqual(want);
    }
    const used = Math.ceil(rows / 2);
    const short = reference(x.slice(0, used * size), labels, buckets);
    expect(await countsOf(x, labels, [size, buckets], { rows: used })).toEqual(short);
  });

  it("takes a number on a threshold as below it, a NaN as 0, and any label but 0 as positive", async () => {
    const [nan, inf] = [Number.NaN, Number.POSITIVE_INFINITY];
    const x = Float32Array.of(0, -0, 0.25, 0.5, 0.75, 1, 0.2501, 1e-40, nan, -nan, inf, -inf, 2, -1);
    const labels = Float32Array.of(1, 0, 0.5, -0, nan, -1, 1, 0, 1, 0, 1, 0, 1, 0);
    const want = reference(x, labels, 5);
    expect(await countsOf(x, labels, [1, 5])).toEqual(want);
    expect(await countsOf(x, labels, [7, 5])).toEqual(want);
  });
});

describe("rows of counts above thresholds", () => {
  const rowsOfCounts = async (
    x: Float32Array,
    labels: Float32Array | Int32Array,
    size: number,
    {
      thresholds: list,
      places,
      ...even
    }: { count: number; thresholds?: number[]; places?: number; zerosApart?: boolean },
  ) => {
    const batch = x.length / size;
    const run = new GraphRun();
    const sparse = labels instanceof Int32Array;
    const t = run.input("labels", [batch, sparse ? 1 : size], labels, sparse ? "u32" : "f32");
    const output = run.input("x", [batch, size], x);
    const add = ((op: { name: string }, inputs: object, attributes: object) =>
      run.add(op.name, inputs as never, attributes)) as unknown as Add;
    const y = thresholdSums({ add, output, labels: t }, { ...even, list }, places);
    return [...(await run.read([y]))[0]!];
  };

  it.each([
    [1, 1, 2, 1],
    [7, 3, 3, 3],
    [65, 7, 20, 1],
    [7, 65, 5, 65],
  ])("of %i rows of %i by %i thresholds and %i places are the reference's", async (rows, size, count, places) => {
    const x = Float32Array.from(randomArray(rows * size, 1, -0.2, 1.2));
    const numbers = randomIntegers(rows, 2, size === 1 ? 2 : size);
    const labels = size === 1 ? Float32Array.from(numbers) : rowsOf(numbers, size);
    const within = x.map((value) => Math.min(1, Math.max(0, value)));
    const even = rowsAbove(within, labels, size, thresholdsOf(count), places);
    const thresholds = Array.from(randomArray(count, 3, -0.1, 1.1)).sort((a, b) => a - b);
    const want = rowsAbove(x, labels, size, thresholds, places);
    for (const given of [labels, numbers]) {
      expect(await rowsOfCounts(x, given, size, { count, places })).toEqual(even);
      expect(await rowsOfCounts(x, given, size, { count, places, thresholds })).toEqual(want);
    }
  });

  it("takes a number on a threshold as below it; a NaN is below all of a list, and 0 otherwise", async () => {
    const [nan, inf] = [Number.NaN, Number.POSITIVE_INFINITY];
    const x = Float32Array.of(0, -0, 0.25, 0.5, 0.75, 1, 0.2501, 1e-40, nan, -nan, inf, -inf, 2, -1);
    const labels = Float32Array.of(1, 0, 0.5, -0, nan, -1, 1, 0, 1, 0, 1, 0, 1, 0);
    const thresholds = [-0.5, 0.25, 0.5, 1.5];
    const want = rowsAbove(x, labels, 7, thresholds);
    expect(await rowsOfCounts(x, labels, 7, { count: 4, thresholds })).toEqual(want);
    const within = x.map((value) => (value > 0 ? Math.min(1, value) : 0));
    for (const [zerosApart, first] of [
      [false, -1e-7],
      [true, 0],
    ] as const) {
      const even = rowsAbove(within, labels, 7, [first, 0.25, 0.5, 0.75, 1]);
      expect(await rowsOfCounts(x, labels, 7, { count: 5, zerosApart })).toEqual(even);
    }
  });
});

describe("metrics in training", () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await createRuntime();
  });
  afterAll(() => runtime.dispose());

  const CLASSES = 6;
  const metrics = [
    auc(),
    auc({ curve: "PR", numThresholds: 50, name: "area" }),
    topKCategoricalAccuracy({ k: 2 }),
    "accuracy",
  ] as const;
  const tiny = () => sequential([dense({ units: CLASSES, activation: "softmax", inputShape: [4] })]);
  const dataOf = (samples: number, seed: number) => {
    const { x, y } = noise(samples, [4], CLASSES, seed);
    const classes = y.data as Uint32Array;
    return { x, y: oneHot(classes, CLASSES), classes };
  };
  const [train, held] = [dataOf(37, 1), dataOf(21, 9)];

  /** Figures of predictions, by the reference. */
  const figuresOf = (predicted: ArrayLike<number>, classes: ArrayLike<number>) => {
    const labels = rowsOf(classes, CLASSES);
    const hits = topKHits(predicted, labels, CLASSES, 2);
    return {
      auc: areaUnderCurve(confusion(predicted, labels, thresholdsOf(200))),
      area: areaUnderCurve(confusion(predicted, labels, thresholdsOf(50)), { curve: "PR" }),
      topKCategoricalAccuracy: hits.reduce((a, b) => a + b, 0) / classes.length,
    };
  };
  const expectFigures = (
    got: Readonly<Record<string, unknown>>,
    want: Readonly<Record<string, number>>,
    prefix = "",
  ) => {
    for (const [name, value] of Object.entries(want))
      expectClose([got[prefix + name] as number], [value], tolerances.elementwise, prefix + name);
  };

  it("are the reference's over several batches with a short last one: of fit, its validation, evaluate", async () => {
    const trained = tiny();
    // At a rate of 0 the weights stay, so that all batches of an epoch are of one model.
    const optimizer = sgd({ learningRate: 0 });
    await trained.compile({ loss: "categoricalCrossentropy", optimizer, metrics, runtime, seed: 3 });
    const predicted = await trained.predict(train.x);
    const heldOut = await trained.predict(held.x);
    const { history } = await trained.fit(train.x, train.y, {
      batchSize: 8,
      epochs: 2,
      verbose: 0,
      validationData: [held.x, held.y],
    });
    expect(Object.keys(history)).toEqual(
      ["", "val_"].flatMap((prefix) =>
        ["loss", "auc", "area", "topKCategoricalAccuracy", "accuracy"].map((name) => prefix + name),
      ),
    );
    for (const epoch of [0, 1]) {
      const logs = Object.fromEntries(Object.entries(history).map(([name, values]) => [name, values[epoch]!]));
      expectFigures(logs, figuresOf(predicted.data, train.classes));
      expectFigures(logs, figuresOf(heldOut.data, held.classes), "val_");
    }
    expectFigures(
      { ...(await trained.evaluate(held.x, held.y, { batchSize: 5 })) },
      figuresOf(heldOut.data, held.classes),
    );
    trained.dispose();
  });

  it("are the same for class numbers", async () => {
    const trained = tiny();
    const top = sparseTopKCategoricalAccuracy({ k: 2, name: "topKCategoricalAccuracy" });
    const optimizer = sgd({ learningRate: 0 });
    await trained.compile({
      loss: "sparseCategoricalCrossentropy",
      optimizer,
      runtime,
      seed: 3,
      metrics: [metrics[0], metrics[1], top],
    });
    const predicted = await trained.predict(train.x);
    const got = await trained.evaluate(train.x, tensor(train.classes, [37]), { batchSize: 8 });
    expectFigures({ ...got }, figuresOf(predicted.data, train.classes));
    const loss = "sparseCategoricalCrossentropy";
    await trained.compile({ loss, optimizer, runtime, metrics: [topKCategoricalAccuracy()] });
    await expect(trained.evaluate(train.x, tensor(train.classes, [37]))).rejects.toThrow(
      'metric "topKCategoricalAccuracy" wants y of rows, [samples, classes], got class numbers.',
    );
    trained.dispose();
  });

  it("are each output's own", async () => {
    const x = input({ shape: [4] });
    const digit = dense({ units: CLASSES, activation: "softmax" })(x);
    const kind = dense({ units: 2, activation: "softmax" })(x);
    const both = model({ inputs: x, outputs: { digit, kind } });
    await both.compile({
      loss: { digit: "categoricalCrossentropy", kind: "sparseCategoricalCrossentropy" },
      metrics: { digit: [auc(), topKCategoricalAccuracy()], kind: [auc(), "accuracy"] },
      optimizer: sgd({ learningRate: 0 }),
      runtime,
      seed: 5,
    });
    const kinds = Uint32Array.from(train.classes, (value) => value % 2);
    const y = { digit: train.y, kind: tensor(kinds, [37]) };
    const logs = { ...(await both.evaluate(train.x, y, { batchSize: 8 })) } as Record<string, number>;
    const predicted = await both.predict(train.x);
    const thresholds = thresholdsOf(200);
    const want = {
      digit_auc: areaUnderCurve(confusion(predicted.digit.data, rowsOf(train.classes, CLASSES), thresholds)),
      kind_auc: areaUnderCurve(confusion(predicted.kind.data, rowsOf(kinds, 2), thresholds)),
    };
    expect(logs).toHaveProperty("digit_topKCategoricalAccuracy");
    expectFigures(logs, want);
    both.dispose();
  });

  it("go on from a snapshot in the middle of an epoch to the same figures", async () => {
    const compiled = async () => {
      const trained = tiny();
      const optimizer = sgd({ learningRate: 0.5 });
      await trained.compile({ loss: "categoricalCrossentropy", optimizer, metrics, runtime, seed: 3 });
      return trained;
    };
    const options = { batchSize: 8, epochs: 2, verbose: 0, seed: 4, stepsPerExecution: 1 } as const;
    const whole = await compiled();
    const { history } = await whole.fit(train.x, train.y, options);
    const first = await compiled();
    const stop = new AbortController();
    let taken: Snapshot | undefined;
    const onTrainBatchEnd = async (batch: number) => {
      if (batch < 2) return;
      taken ??= await snapshot(first);
      stop.abort();
    };
    await first.fit(train.x, train.y, { ...options, signal: stop.signal, callbacks: [{ onTrainBatchEnd }] });
    const counts = taken!.variables.find(({ path }) => path === "auc/counts")!;
    const { epoch, steps } = taken!.fit!;
    expect([epoch, counts.role, counts.shape]).toEqual([0, "metric", [2, 200]]);
    expect(steps).toBeLessThan(5);
    expect([...counts.data].reduce((a, b) => a + b, 0)).toBe(steps * 8 * CLASSES);
    const second = await compiled();
    await restore(second, structuredClone(taken!));
    const resumed = await second.fit(train.x, train.y, { epochs: 2, verbose: 0, resume: true });
    expect(resumed.history).toEqual(history);
    for (const each of [whole, first, second]) each.dispose();
  });

  it("come back with a saved model, with their options", async () => {
    const trained = tiny();
    await trained.compile({ loss: "categoricalCrossentropy", optimizer: sgd(), metrics, runtime });
    const again = await loadModel(await saveModel(trained), { runtime });
    const want = await trained.evaluate(held.x, held.y);
    expect(await again.evaluate(held.x, held.y)).toEqual(want);
    expect(Object.keys(want)).toContain("area");
    trained.dispose();
    again.dispose();
  });
});
