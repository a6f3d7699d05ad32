import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import {
  type Callback,
  createRuntime,
  pauseSwitch,
  type Runtime,
  type StreamBatch,
  snapshot,
  stream,
  tensor,
  terminateOnNaN,
  trainWithRecovery,
} from "../../src/index.ts";
import { allWeights, noise } from "../support/models.ts";

import { type Batch, batchesOf, CLASSES, compiledOn, INPUTS, joined, sync } from "../support/streams.ts";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime();
});
afterAll(() => runtime.dispose());
afterEach(() => vi.restoreAllMocks());

const compiled = () => compiledOn(runtime);
const quiet = { verbose: 0 } as const;

const warnings = () => {
  const spy = vi.spyOn(console, "warn").mockImplementation(() => {});
  return () => spy.mock.calls.map(([text]) => String(text));
};

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
