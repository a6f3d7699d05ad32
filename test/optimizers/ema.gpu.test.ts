import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import {
  adam,
  type Callback,
  createRuntime,
  dense,
  earlyStopping,
  finalizeVariableValues,
  input,
  type Model,
  model as modelOf,
  type Optimizer,
  ops,
  type Runtime,
  restore,
  type Snapshot,
  sgd,
  snapshot,
  tensor,
  terminateOnNaN,
  withEma,
} from "../../src/index.ts";
import { movingAverage } from "../reference/moving-average.ts";
import { randomArray } from "../reference/random.ts";
import { expectClose } from "../support/compare.ts";
import { allWeights, noise, tinyModel } from "../support/models.ts";
import { GraphRun } from "../support/run-graph.ts";
import { savedOf } from "../support/snapshots.ts";
import { tolerances } from "../support/tolerances.ts";

describe("movingAverage", () => {
  // One, no multiple of four, a workgroup of 64 x 4 and its neighbours.
  const SIZES = [1, 7, 65, 255, 257];

  it.each(["software", "gpu"] as const)("moves and overwrites as the reference does: %s", async (adapter) => {
    const attributes = { momentum: 0.7, overwrite: 2, steps: 2 };
    let held = SIZES.map((size) => ({ p: new Float32Array(size), average: new Float32Array(size).fill(Number.NaN) }));
    const want = SIZES.map((size) => ({ p: new Float64Array(size), average: new Float64Array(size) }));
    for (let t = 0; t < 7; t++) {
      const run = new GraphRun().step(t);
      const ids = SIZES.map((size, i) => {
        // As if stepped.
        const now = held[i]!.p.map((value, at) => value + randomArray(size, 10 * t + i)[at]!);
        want[i]!.p.set(now);
        const [p, average] = [run.input("p", [size], now), run.input("average", [size], held[i]!.average)];
        run.addTyped(ops.movingAverage, { state: run.graph.state, p, average }, attributes);
        return { p, average };
      });
      const read = await run.read(
        ids.flatMap(({ p, average }) => [p, average]),
        { adapter },
      );
      held = SIZES.map((size, i) => {
        movingAverage(want[i]!, { momentum: 0.7, overwrite: 2, updates: Math.floor(t / 2) });
        const [p, average] = [read[2 * i]!, read[2 * i + 1]!] as Float32Array<ArrayBuffer>[];
        expectClose(p!, want[i]!.p, tolerances.optimizerStep, `p of ${size}, step ${t}`);
        expectClose(average!, want[i]!.average, tolerances.optimizerStep, `average of ${size}, step ${t}`);
        return { p: p!, average: average! };
      });
    }
  });

  it("takes NaN and infinity as they come, and leaves weights that it does not overwrite to the bit", async () => {
    const run = new GraphRun().step(3);
    const [nan, inf] = [Number.NaN, Number.POSITIVE_INFINITY];
    const p = run.input("p", [6], [nan, inf, -0, 1, inf, 0.1]);
    const average = run.input("average", [6], [1, 1, 1, nan, inf, 0.1]);
    run.addTyped(ops.movingAverage, { state: run.graph.state, p, average }, { momentum: 0.5, overwrite: 3, steps: 1 });
    const [weights, averages] = await run.read([p, average]);
    expect([...weights!]).toEqual([nan, inf, -0, 1, inf, Math.fround(0.1)]);
    expect([...averages!]).toEqual([nan, inf, 0.5, nan, inf, Math.fround(0.1)]);
  });
});

describe("a model that keeps averages", () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await createRuntime();
  });
  afterAll(() => runtime.dispose());

  const [ROWS, IN, CLASSES] = [12, 4, 3];
  const loss = "sparseCategoricalCrossentropy";
  const { x, y } = noise(ROWS, [IN], CLASSES);
  const options = { batchSize: 4, verbose: 0 } as const;
  const make = () => withEma(adam({ learningRate: 0.1 }), { momentum: 0.8 });

  async function compiled(optimizer: Optimizer = make(), seed = 2): Promise<Model> {
    const model = tinyModel();
    await model.compile({ loss, optimizer, runtime, seed });
    return model;
  }

  const averagesOf = (taken: Snapshot) =>
    savedOf(taken, "slot").flatMap(({ path, data }) => (path.endsWith("/average") ? [...data] : []));

  it("has them for weights once fit has ended; until then all see the weights", async () => {
    const model = await compiled();
    const seen: { weights: number[]; taken: Snapshot; loss: number }[] = [];
    let atEnd: number[] = [];
    const watch: Callback = {
      onEpochEnd: async () => {
        const [weights, taken] = [await allWeights(model), await snapshot(model)];
        seen.push({ weights, taken, loss: (await model.testOnBatch(x, y)).loss });
      },
      onTrainEnd: async () => {
        atEnd = await allWeights(model);
      },
    };
    const { history } = await model.fit(x, y, { ...options, epochs: 2, validationData: [x, y], callbacks: [watch] });
    const [, last] = seen;
    expect(last!.weights).not.toEqual(averagesOf(last!.taken));
    expectClose([history.val_loss![1]!], [last!.loss], tolerances.trainingStep, "val_loss by the weights");
    expect(Math.abs((await model.testOnBatch(x, y)).loss - last!.loss)).toBeGreaterThan(1e-3);
    expect(await allWeights(model)).toEqual(averagesOf(last!.taken));
    expect(atEnd).toEqual(averagesOf(last!.taken));
    model.dispose();
  });

  it("goes on to the same bits after a signal has stopped it, and from a snapshot", async () => {
    const [whole, stopped, other] = [await compiled(), await compiled(), await compiled(make(), 7)];
    await whole.fit(x, y, { ...options, epochs: 3 });
    const controller = new AbortController();
    let taken: Snapshot | undefined;
    const onTrainBatchEnd = async (step: number) => {
      if (step !== 1 || taken) return;
      taken = await snapshot(stopped);
      controller.abort();
    };
    const callbacks = [{ onTrainBatchEnd }];
    const one = { ...options, epochs: 3, stepsPerExecution: 1 };
    await stopped.fit(x, y, { ...one, callbacks, signal: controller.signal }).catch(() => {});
    const raw = await snapshot(stopped);
    expect(savedOf(raw, "parameter").flatMap(({ data }) => [...data])).not.toEqual(averagesOf(raw));
    await restore(other, structuredClone(taken!));
    for (const each of [stopped, other]) await each.fit(x, y, { ...options, epochs: 3, resume: true });
    expect(await allWeights(stopped)).toEqual(await allWeights(whole));
    expect(await allWeights(other)).toEqual(await allWeights(whole));
    for (const each of [whole, stopped, other]) each.dispose();
  });

  it("ends as any other when a callback stops it", async () => {
    const model = await compiled();
    const stop: Callback = {
      onEpochEnd: () => {
        model.stopTraining = true;
      },
    };
    await model.fit(x, y, { ...options, epochs: 5, callbacks: [stop] });
    expect(await allWeights(model)).toEqual(averagesOf(await snapshot(model)));
    model.dispose();
  });

  it("keeps the best epoch's weights, not their averages, where earlyStopping restores them", async () => {
    const model = await compiled();
    const seen: number[][] = [];
    const watch: Callback = { onEpochEnd: async () => void seen.push(await allWeights(model)) };
    // Each later epoch is worse by this measure.
    const early = earlyStopping({ monitor: "loss", mode: "max", patience: 9, restoreBestWeights: true });
    await model.fit(x, y, { ...options, epochs: 3, callbacks: [watch, early] });
    expect(seen).toContainEqual(await allWeights(model));
    model.dispose();
  });

  it("has the weights of before a NaN by terminateOnNaN, with their averages beside them", async () => {
    vi.spyOn(console, "warn").mockImplementation(() => {});
    const samples = Float32Array.from(randomArray(ROWS * IN, 3));
    samples[9 * IN] = Number.NaN;
    const fit = async (model: Model, count: number) => {
      const guard = terminateOnNaN();
      const images = tensor(samples.slice(0, count * IN), [count, IN]);
      const labels = tensor((y.data as Uint32Array).slice(0, count), [count]);
      let raw: number[] = [];
      const watch: Callback = {
        onEpochEnd: async () => {
          raw = await allWeights(model);
        },
      };
      await model.fit(images, labels, { ...options, shuffle: false, callbacks: [watch, guard] });
      return { raw, found: guard.found };
    };
    const [model, other] = [await compiled(), await compiled()];
    expect((await fit(model, 12)).found).toMatchObject({ step: 3, where: "samples" });
    const { raw } = await fit(other, 8);
    expect(await allWeights(model)).toEqual(raw);
    expect(averagesOf(await snapshot(model))).toEqual(averagesOf(await snapshot(other)));
    for (const each of [model, other]) each.dispose();
    vi.restoreAllMocks();
  });

  it("leaves a frozen layer and an output without a loss as they are", async () => {
    const features = input({ shape: [IN] });
    const frozen = dense({ units: 4, trainable: false, name: "frozen" })(features);
    const first = dense({ units: CLASSES, activation: "softmax", name: "first" })(frozen);
    const second = dense({ units: 2, name: "second" })(frozen);
    const model = modelOf({ inputs: features, outputs: { first, second } });
    await model.compile({
      loss: { first: loss, second: null },
      optimizer: withEma(sgd({ learningRate: 0.5 })),
      runtime,
    });
    const before = await model.getWeights();
    await model.fit(x, { first: y } as never, { ...options, epochs: 2 });
    const after = await model.getWeights();
    const changed = after.filter(({ data }, i) => String(data) !== String(before[i]!.data)).map(({ name }) => name);
    expect(changed).toEqual(["first/kernel", "first/bias"]);
    model.dispose();
  });

  it("ends by finalizeVariableValues after steps of its own, and not before the first", async () => {
    const model = await compiled();
    const begun = await allWeights(model);
    await finalizeVariableValues(model);
    expect(await allWeights(model)).toEqual(begun);
    for (let t = 0; t < 3; t++) await model.trainOnBatch(x, y);
    const taken = await snapshot(model);
    await finalizeVariableValues(model);
    expect(await allWeights(model)).toEqual(averagesOf(taken));
    const plain = await compiled(sgd());
    const weights = await allWeights(plain);
    await plain.trainOnBatch(x, y);
    await finalizeVariableValues(plain);
    expect(await allWeights(plain)).not.toEqual(weights);
    const predicting = tinyModel();
    await predicting.compile({ runtime });
    await expect(finalizeVariableValues(predicting)).rejects.toThrow(
      "finalizeVariableValues: the model was compiled to predict. Give compile() loss and optimizer.",
    );
    for (const each of [model, plain, predicting]) each.dispose();
  });
});
