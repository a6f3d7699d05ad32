import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import {
  type Callback,
  classWeights,
  createRuntime,
  dense,
  input,
  model,
  pauseSwitch,
  type Runtime,
  type Sequential,
  type StreamBatch,
  sequential,
  sgd,
  snapshot,
  stream,
  tensor,
  terminateOnNaN,
  trainWithRecovery,
} from "../../src/index.ts";
import { Ledger } from "../support/ledger.ts";
import { allWeights, noise } from "../support/models.ts";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime();
});
afterAll(() => runtime.dispose());
afterEach(() => vi.restoreAllMocks());

const [INPUTS, CLASSES] = [5, 3];
const quiet = { verbose: 0 } as const;

async function compiled(): Promise<Sequential> {
  const model = sequential([dense({ units: CLASSES, activation: "softmax", inputShape: [INPUTS] })]);
  const optimizer = sgd({ learningRate: 0.5, momentum: 0.9 });
  await model.compile({ loss: "sparseCategoricalCrossentropy", metrics: ["accuracy"], optimizer, runtime });
  return model;
}

/** Batches of these sizes, of noise. */
const batchesOf = (...sizes: number[]) => sizes.map((size, i) => noise(size, [INPUTS], CLASSES, i + 1));
type Batch = ReturnType<typeof noise>;
function* sync(batches: readonly Batch[], weights?: readonly number[][]): Generator<StreamBatch> {
  for (const [i, { x, y }] of batches.entries()) yield weights ? [x, y, weights[i]!] : [x, y];
}
async function* later(batches: readonly Batch[]) {
  for (const { x, y } of batches) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    yield { x, y };
  }
}
/** All samples of the batches, as one. */
function joined(batches: readonly Batch[]) {
  const x = batches.flatMap(({ x }) => [...x.data]);
  const y = batches.flatMap(({ y }) => Array.from((y as { data: ArrayLike<number> }).data));
  return { x: tensor(Float32Array.from(x), [y.length, INPUTS]), y };
}
const warnings = () => {
  const spy = vi.spyOn(console, "warn").mockImplementation(() => {});
  return () => spy.mock.calls.map(([text]) => String(text));
};

describe("fit on a stream", () => {
  const batches = batchesOf(4, 4, 4, 3);

  it.each<[string, () => Parameters<typeof stream>[0]]>([
    ["a generator function", () => () => sync(batches)],
    ["an async generator function", () => () => later(batches)],
    ["an iterable", () => ({ [Symbol.iterator]: () => sync(batches) as Iterator<StreamBatch> })],
  ])("of %s computes what fit on arrays does, epoch by epoch", async (_, source) => {
    const [got, want] = [await compiled(), await compiled()];
    const { x, y } = joined(batches);
    const arrays = await want.fit(x, y, { ...quiet, batchSize: 4, epochs: 3, shuffle: false });
    const { history, epoch } = await got.fit(stream(source()), { ...quiet, epochs: 3 });
    expect({ history, epoch }).toEqual({ history: arrays.history, epoch: arrays.epoch });
    expect(await allWeights(got)).toEqual(await allWeights(want));
    for (const disposable of [got, want]) disposable.dispose();
  });

  it("of one generator takes so many steps an epoch, goes on in the next call, and reads nothing ahead of it", async () => {
    const all = batchesOf(4, 4, 4, 4, 4, 4, 4);
    const [got, want] = [await compiled(), await compiled()];
    let made = 0;
    const counted = (function* () {
      for (const batch of sync(all)) {
        made++;
        yield batch;
      }
    })();
    const [first, second] = [await got.fit(stream(counted), { ...quiet, stepsPerEpoch: 2, epochs: 2 }), made];
    expect(second).toBe(4);
    const rest = await got.fit(stream(counted), { ...quiet, stepsPerEpoch: 3 });
    const losses: number[] = [];
    for (const part of [all.slice(0, 2), all.slice(2, 4), all.slice(4)]) {
      const { x, y } = joined(part);
      losses.push(...(await want.fit(x, y, { ...quiet, batchSize: 4, shuffle: false })).history.loss);
    }
    expect([...first.history.loss, ...rest.history.loss]).toEqual(losses);
    expect(await allWeights(got)).toEqual(await allWeights(want));
    for (const disposable of [got, want]) disposable.dispose();
  });

  it("takes weights, of samples and classes, and validates arrays and streams", async () => {
    const weights = batches.map(({ x }) => Array.from({ length: x.shape[0]! }, (_, i) => 0.5 + i));
    const held = batchesOf(5, 2).map((batch, i) => ({ ...batch, at: i }));
    const whole = joined(held);
    const classWeight = classWeights({ 0: 2, 2: 0.25 });
    const [one, two, want] = [await compiled(), await compiled(), await compiled()];
    const { x, y } = joined(batches);
    const options = { ...quiet, epochs: 2, classWeight, validationBatchSize: 5 };
    const validationData = [whole.x, whole.y] as const;
    const arrays = await want.fit(x, y, {
      ...options,
      batchSize: 4,
      shuffle: false,
      sampleWeight: weights.flat(),
      validationData,
    });
    const source = stream(() => sync(batches, weights));
    const got = await one.fit(source, { ...options, validationData });
    expect(got.history).toEqual(arrays.history);
    const both = await two.fit(source, { ...options, validationData: stream(() => later(held)) });
    expect(both.history).toEqual(arrays.history);
    // Each validation takes the same steps from the beginning.
    const three = await compiled();
    await three.setWeights(await want.getWeights());
    const few = await three.fit(x, y, {
      ...quiet,
      epochs: 2,
      batchSize: 15,
      validationData: stream(() => sync(held)),
      validationSteps: 1,
    });
    const [firstHeld] = held;
    expect((await three.evaluate(firstHeld!.x, firstHeld!.y)).loss).toBe(few.history.val_loss![1]);
    expect(await allWeights(one)).toEqual(await allWeights(want));
    for (const disposable of [one, two, three, want]) disposable.dispose();
  });

  it("once warm, makes nothing: a submit and the writes of its batch for each step, and one read an epoch", async () => {
    const model = await compiled();
    const take = (count: number) => stream(() => sync(Array.from({ length: count }, (_, i) => batches[i % 3]!)));
    await model.fit(take(4), quiet);
    const ledger = new Ledger(runtime.device);
    await model.fit(take(5), quiet);
    const few = ledger.take();
    await model.fit(take(37), quiet);
    const many = ledger.take();
    ledger.stop();
    const cost = Object.fromEntries(Object.entries(many).map(([name, n]) => [name, n - few[name as keyof typeof few]]));
    expect(cost).toMatchObject({
      createBuffer: 0,
      createBindGroup: 0,
      createShaderModule: 0,
      createComputePipelineAsync: 0,
      submit: 32,
      beginComputePass: 32,
      writeBuffer: 2 * 32, // samples and labels
    });
    expect(cost.mapAsync).toBeLessThanOrEqual(32 / 16);
    // Three slots of four buffers: samples, labels, order, start. One more for what looks for a NaN at the end.
    expect([few.createBuffer, many.createBuffer]).toEqual([13, 13]);
    model.dispose();
  });

  it("makes the next batch while the GPU works on one, and copies it before another is asked for", async () => {
    const [got, want] = [await compiled(), await compiled()];
    const all = batchesOf(4, 4, 4, 4, 4, 4);
    const shared = new Float32Array(4 * INPUTS); // used again for each batch
    function* reusing() {
      for (const { x, y } of all) {
        shared.set(x.data);
        yield [tensor(shared, [4, INPUTS]), y] as StreamBatch;
      }
      shared.fill(Number.NaN);
    }
    await got.fit(stream(reusing()), quiet);
    const { x, y } = joined(all);
    await want.fit(x, y, { ...quiet, batchSize: 4, shuffle: false });
    expect(await allWeights(got)).toEqual(await allWeights(want));
    for (const disposable of [got, want]) disposable.dispose();
  });

  it("takes larger batches than the first, and a model that does not know its inputs", async () => {
    const sizes = batchesOf(2, 7, 3, 9, 1);
    const [got, want] = [
      sequential([dense({ units: CLASSES, activation: "softmax" })]),
      sequential([dense({ units: CLASSES, activation: "softmax" })]),
    ];
    const settings = { loss: "sparseCategoricalCrossentropy", optimizer: sgd({ learningRate: 0.5 }), runtime } as const;
    for (const model of [got, want]) await model.compile(settings);
    await got.fit(stream(sync(sizes)), quiet);
    for (const { x, y } of sizes) await want.trainOnBatch(x, y);
    expect(await allWeights(got)).toEqual(await allWeights(want));
    for (const disposable of [got, want]) disposable.dispose();
  });

  it("of several inputs and outputs takes them by name", async () => {
    const [a, b] = [input({ shape: [INPUTS], name: "a" }), input({ shape: [INPUTS], name: "b" })];
    const head = dense({ units: CLASSES, activation: "softmax", name: "head" });
    const two = model({ inputs: { a, b }, outputs: { left: head(a), right: head(b) } });
    await two.compile({ loss: "sparseCategoricalCrossentropy", optimizer: sgd(), runtime });
    const source = () => batches.map(({ x, y }) => ({ x: { a: x, b: x }, y: { left: y, right: y } })).values();
    const { history } = await two.fit(stream(source as never), quiet);
    expect(history.left_loss).toEqual(history.right_loss);
    const { left, right } = (await two.predict(stream(source as never))) as Record<
      "left" | "right",
      { data: Float32Array }
    >;
    expect(left.data).toEqual(right.data);
    two.dispose();
  });
});

describe("a stream that ends early", () => {
  it("ends its epoch with a warning, and the next begins anew, if it can", async () => {
    const all = batchesOf(4, 4, 4);
    const told = warnings();
    const model = await compiled();
    const { history } = await model.fit(
      stream(() => sync(all)),
      { ...quiet, stepsPerEpoch: 5, epochs: 2 },
    );
    expect(history.loss).toHaveLength(2);
    expect(told().filter((text) => text.includes("ran out"))).toEqual([
      expect.stringMatching(/^fit: the stream ran out of data in epoch 1, after 3 of 5 steps\. A function begins anew/),
      expect.stringMatching(/in epoch 2, after 3 of 5 steps/),
    ]);
    model.dispose();
  });

  it("ends training with a warning, if it is a generator", async () => {
    const told = warnings();
    const [one, two] = [await compiled(), await compiled()];
    const ends: number[] = [];
    const callbacks: Callback[] = [{ onEpochEnd: (epoch) => void ends.push(epoch) }];
    const first = await one.fit(stream(sync(batchesOf(4, 4, 4))), { ...quiet, epochs: 4, callbacks });
    expect(first.epoch).toEqual([0]);
    expect(ends).toEqual([0]);
    const second = await two.fit(stream(sync(batchesOf(4, 4, 4))), { ...quiet, stepsPerEpoch: 2, epochs: 4 });
    expect(second.epoch).toEqual([0, 1]);
    expect(told().map((text) => /in epoch.*steps/.exec(text)![0])).toEqual([
      "in epoch 1, after 3 steps",
      "in epoch 2, after 1 of 2 steps",
    ]);
    await expect(one.fit(stream(sync([])), quiet)).rejects.toThrow(/^fit: the stream has no batch\./);
    await expect(one.evaluate(stream(sync([])))).rejects.toThrow(/^evaluate: the stream has no batch\./);
    await one.fit(...(Object.values(noise(4, [INPUTS], CLASSES)) as [never, never]), quiet); // goes on as before
    for (const disposable of [one, two]) disposable.dispose();
  });

  it("by an error ends the call with it, frees the slots and leaves the model usable", async () => {
    const model = await compiled();
    const [good] = batchesOf(4);
    await model.fit(stream(sync([good!])), quiet);
    const before = runtime.memory.bytes;
    let closed = 0;
    const failing = () =>
      (async function* () {
        try {
          yield [good!.x, good!.y] as StreamBatch;
          yield [good!.x, good!.y] as StreamBatch;
          throw new Error("no disk");
        } finally {
          closed++;
        }
      })();
    const wrongBatch = () =>
      (function* () {
        try {
          yield [good!.x, good!.y] as StreamBatch;
          yield [tensor(new Float32Array(8), [4, 2]), good!.y] as StreamBatch;
        } finally {
          closed++;
        }
      })();
    await expect(model.fit(stream(failing), quiet)).rejects.toThrow(/^no disk$/);
    await expect(model.fit(stream(wrongBatch), quiet)).rejects.toThrow(/^The model takes \[5\] a sample, got \[2\]/);
    await expect(model.evaluate(stream(failing))).rejects.toThrow(/^no disk$/);
    await expect(model.predict(stream(failing))).rejects.toThrow(/^no disk$/);
    expect(closed).toBe(4);
    expect(runtime.memory.bytes).toBeLessThanOrEqual(before + 4096);
    const after = runtime.memory.bytes;
    await expect(model.fit(stream(failing), quiet)).rejects.toThrow(/^no disk$/);
    expect(runtime.memory.bytes).toBe(after);
    await model.fit(stream(sync([good!])), quiet);
    model.dispose();
  });
});

describe("a fit on a stream", () => {
  const endless = () =>
    (async function* () {
      for (let i = 0; ; i++) {
        await new Promise((resolve) => setTimeout(resolve));
        yield Object.values(noise(4, [INPUTS], CLASSES, (i % 5) + 1)) as unknown as StreamBatch;
      }
    })();

  it("ends at a signal, though the next batch never comes, and at stopTraining", async () => {
    const model = await compiled();
    const controller = new AbortController();
    let given = 0;
    const hanging = async function* () {
      const { x, y } = noise(4, [INPUTS], CLASSES);
      for (; given < 3; given++) yield [x, y] as StreamBatch;
      setTimeout(() => controller.abort(), 20);
      await new Promise(() => {});
    };
    const { epoch } = await model.fit(stream(hanging), { ...quiet, signal: controller.signal });
    expect(epoch).toEqual([]);
    expect(model.stats().steps).toBe(3);
    const batchesSeen: number[] = [];
    const stop: Callback = {
      onTrainBatchEnd: (batch) => {
        batchesSeen.push(batch);
        if (batch === 4) model.stopTraining = true;
      },
    };
    await model.fit(stream(endless), { ...quiet, callbacks: [stop] });
    expect(batchesSeen.slice(0, 5)).toEqual([0, 1, 2, 3, 4]);
    const aborted = AbortSignal.abort(new Error("enough"));
    expect((await model.fit(stream(endless), { ...quiet, signal: aborted })).epoch).toEqual([]);
    await expect(model.evaluate(stream(endless), { signal: aborted })).rejects.toThrow("enough");
    await expect(model.predict(stream(endless), { signal: aborted })).rejects.toThrow("enough");
    model.dispose();
  });

  it("pauses between two steps and goes on to the same bits", async () => {
    const all = batchesOf(4, 4, 4, 4, 4, 4);
    const [got, want] = [await compiled(), await compiled()];
    const pause = pauseSwitch();
    let idle: Promise<void> | undefined;
    const callbacks: Callback[] = [
      {
        onTrainBatchEnd: (batch) => {
          if (batch === 1) idle = pause.pause();
        },
      },
    ];
    const training = got.fit(
      stream(() => sync(all)),
      { ...quiet, callbacks, pause },
    );
    while (!idle) await new Promise((resolve) => setTimeout(resolve, 1));
    await idle;
    const { steps } = got.stats();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(got.stats().steps).toBe(steps);
    expect(steps).toBeLessThan(6);
    await got.predict(all[0]!.x);
    pause.resume();
    await training;
    const { x, y } = joined(all);
    await want.fit(x, y, { ...quiet, batchSize: 4, shuffle: false });
    expect(await allWeights(got)).toEqual(await allWeights(want));
    for (const disposable of [got, want]) disposable.dispose();
  });

  it("tells callbacks of steps as they become known, and calls hooks in Keras's order", async () => {
    const model = await compiled();
    const seen: unknown[] = [];
    const callback: Callback = {
      onTrainBegin: ({ steps, batchSize }) => void seen.push(["begin", steps, batchSize]),
      setParams: (params) => {
        callback.onEpochEnd = () => void seen.push(["epoch", params.steps]);
      },
      onTrainBatchBegin: (batch) => void seen.push(["batch", batch]),
      onTestBegin: () => void seen.push(["test"]),
      onTrainEnd: () => void seen.push(["end"]),
    };
    const all = batchesOf(4, 4);
    const held = stream(() => sync(all));
    await model.fit(
      stream(() => sync(all)),
      { ...quiet, epochs: 2, validationData: held, callbacks: [callback] },
    );
    const epoch = [["batch", 0], ["batch", 1], ["test"], ["epoch", 2]];
    expect(seen).toEqual([["begin", undefined, 4], ...epoch, ...epoch, ["end"]]);
    const printed = vi.spyOn(console, "log").mockImplementation(() => {});
    await model.fit(stream(() => sync(all)));
    expect(String(printed.mock.calls[1])).toMatch(/^2\/2 - \d+s - \d+ms\/step - accuracy: /);
    model.dispose();
  });

  it("leaves no place to resume, and is refused where it would have to be replayed", async () => {
    const model = await compiled();
    const [{ x, y }] = batchesOf(4) as [Batch];
    const source = () => stream(() => sync(batchesOf(4, 4)));
    await model.fit(source(), quiet);
    expect((await snapshot(model)).fit).toBeUndefined();
    const calls: [() => Promise<unknown>, RegExp][] = [
      [() => model.fit(x, y, { ...quiet, resume: true }), /^fit: resume: the last training step was not of a fit/],
      [() => model.fit(source(), { resume: true }), /^fit: resume must be left out: a stream cannot be replayed/],
      [
        () => model.fit(source(), { batchSize: 4 }),
        /^fit: batchSize must be left out: batches are as the stream gives/,
      ],
      [() => model.fit(source(), { validationSplit: 0.5 }), /^fit: validationSplit must be of arrays/],
      [
        () => model.fit(source(), { callbacks: [terminateOnNaN()] }),
        /^fit: terminateOnNaN makes an epoch's steps again/,
      ],
      [() => model.fit(source(), y as never), /^fit has no option "data"/],
      [() => model.fit(source() as never, undefined as never, {}), /^fit\(stream, options\): a stream brings its own/],
      [() => model.fit(source(), { stepsPerEpoch: 0 }), /^fit: stepsPerEpoch must be a whole number of at least 1/],
      [() => model.fit(x, y, { stepsPerEpoch: 2 } as never), /^fit has no option "stepsPerEpoch"/],
      [
        () => model.fit(source(), { validationData: source(), validationSteps: 0.5 }),
        /^fit: validationSteps must be a whole/,
      ],
      [() => model.evaluate(source(), { steps: 0 }), /^evaluate: steps must be a whole number of at least 1/],
      [() => model.predict(source(), { batchSize: 2 }), /^predict: batchSize must be left out/],
      [() => model.trainOnBatch(source() as never, y), /^x must be tensor/],
      [
        () => model.fit(sync(batchesOf(4)) as never, y),
        /^x must be tensor\(data, shape\), .* or stream\(batches\), got/,
      ],
      [
        () => trainWithRecovery({ make: compiled, data: (() => source()) as never }),
        /^trainWithRecovery: data must be \[x, y\], \[x, y, sampleWeight\] or a Dataset/,
      ],
    ];
    for (const [call, message] of calls) await expect(call()).rejects.toThrow(message);
    model.dispose();
  });
});

describe("evaluate and predict on a stream", () => {
  it("give what they give for all samples, for so many steps too, and make nothing in a steady step", async () => {
    const all = batchesOf(4, 4, 4, 2);
    const model = await compiled();
    const { x, y } = joined(all);
    const [figures, rows] = [await model.evaluate(x, y, { batchSize: 4 }), await model.predict(x, { batchSize: 4 })];
    expect(await model.evaluate(stream(() => sync(all)))).toEqual(figures);
    const got = await model.predict(stream(() => later(all)));
    expect(got).toEqual(rows);
    const two = joined(all.slice(0, 2));
    expect(await model.evaluate(stream(sync(all)), { steps: 2 })).toEqual(
      await model.evaluate(two.x, two.y, { batchSize: 4 }),
    );
    const bare = stream(() => all.map(({ x }) => x).values());
    expect((await model.predict(bare, { steps: 2 })).data).toEqual(rows.data.slice(0, 8 * CLASSES));
    const ledger = new Ledger(runtime.device);
    const cost = async (count: number) => {
      ledger.take();
      await model.predict(stream(() => Array.from({ length: count }, (_, i) => all[i % 3]!.x).values()));
      return ledger.take();
    };
    const [few, many] = [await cost(4), await cost(20)];
    ledger.stop();
    expect(many.createBuffer).toBe(few.createBuffer);
    expect(many.createBindGroup).toBe(few.createBindGroup);
    expect([many.submit - few.submit, many.writeBuffer - few.writeBuffer]).toEqual([16, 16]);
    const seen: string[] = [];
    const callbacks: Callback[] = [
      {
        onPredictBegin: () => void seen.push("begin"),
        onPredictBatchEnd: (batch) => void seen.push(`batch ${batch}`),
        onPredictEnd: () => void seen.push("end"),
        onTestEnd: ({ loss }) => void seen.push(`test ${loss}`),
      },
    ];
    await model.predict(bare, { callbacks });
    await model.evaluate(
      stream(() => sync(all)),
      { callbacks },
    );
    expect(seen).toEqual(["begin", ...[0, 1, 2, 3].map((i) => `batch ${i}`), "end", `test ${figures.loss}`]);
    model.dispose();
  });
});
