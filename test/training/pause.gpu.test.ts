import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createRuntime, type FitOptions, type Labelled, pauseSwitch, type Runtime, sgd } from "../../src/index.ts";
import { Ledger } from "../support/ledger.ts";
import { allWeights, noise, tinyModel } from "../support/models.ts";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime();
});
afterAll(() => runtime.dispose());

const { x, y } = noise(60, [4], 3);
const held = noise(30, [4], 3, 5);
const options = { batchSize: 4, epochs: 2, verbose: 0, stepsPerExecution: 1 } as const;

async function compiled(onto = runtime) {
  const model = tinyModel();
  const settings = { loss: "sparseCategoricalCrossentropy", metrics: ["accuracy"], runtime: onto } as const;
  await model.compile({ ...settings, optimizer: sgd({ learningRate: 0.1 }) });
  return model;
}

/** History and weights of a training, and what was looked at while it was paused. */
async function train(more: FitOptions<Labelled>, model?: Awaited<ReturnType<typeof compiled>>) {
  model ??= await compiled();
  const { epoch, history } = await model.fit(x, y, { ...options, validationData: [held.x, held.y], ...more });
  const weights = await allWeights(model);
  model.dispose();
  return { epoch, history, weights };
}

const soon = (ms = 20) => new Promise((resolve) => setTimeout(resolve, ms));

describe("a pause", () => {
  it("stops within an epoch, leaves the GPU idle and the model at hand, and changes no bit", async () => {
    const pause = pauseSwitch();
    const model = await compiled();
    const seen: number[] = [];
    const ledger = new Ledger(runtime.device);
    const look = async () => {
      await pause.pause();
      const { steps } = model.stats();
      expect(steps % 15).not.toBe(0);
      expect(pause.paused).toBe(true);
      ledger.take();
      await soon();
      expect(ledger.take().submit).toBe(0);
      const [predicted, evaluated] = await Promise.all([model.predict(x), model.evaluate(x, y)]);
      seen.push(predicted.data.length, evaluated.loss, (await model.getWeights()).length);
      expect(model.stats().steps).toBe(steps);
      pause.resume();
      expect(pause.paused).toBe(false);
    };
    const looks: Promise<void>[] = [];
    let epochs = 0;
    const onTrainBatchEnd = (batch: number) => {
      if (looks.length < epochs && batch >= 7) looks.push(look());
    };
    const paused = await train({ pause, callbacks: [{ onTrainBatchEnd, onEpochBegin: () => void epochs++ }] }, model);
    ledger.stop();
    await Promise.all(looks);
    expect(seen).toEqual([180, expect.any(Number), 2, 180, expect.any(Number), 2]);
    expect(paused).toEqual(await train({}));
  });

  it("before fit holds its first step", async () => {
    const pause = pauseSwitch();
    await pause.pause();
    const model = await compiled();
    const training = train({ pause }, model);
    await soon();
    expect(model.stats().steps).toBe(0);
    pause.resume();
    expect(await training).toEqual(await train({}));
  });

  it("drops a validation, which is made anew", async () => {
    const pause = pauseSwitch();
    const { queue } = runtime.device;
    const { submit } = queue;
    let submits = 0;
    let idle = false;
    const look = async () => {
      await pause.pause();
      idle = true;
      await soon();
      pause.resume();
    };
    queue.submit = (buffers) => {
      expect(idle && pause.paused).toBe(false);
      submits++;
      // The first epoch's 15 steps come before.
      if (submits === 17) void look();
      submit.call(queue, buffers);
    };
    const paused = await train({ pause });
    queue.submit = submit;
    expect(paused).toEqual(await train({}));
    // 15 steps and 8 of validation an epoch, and the weights; 2 of validation were for nothing, and the reading of theirs.
    expect(submits).toBe(2 * (15 + 8) + 1 + 3);
  });

  it("ends by an AbortSignal, and by the end of the model", async () => {
    const pause = pauseSwitch();
    const stop = new AbortController();
    await pause.pause();
    const aborted = train({ pause, signal: stop.signal });
    await soon();
    stop.abort();
    expect((await aborted).epoch).toEqual([]);
    const model = await compiled();
    const disposed = model.fit(x, y, { ...options, pause });
    await soon();
    model.dispose();
    await expect(disposed).rejects.toThrow(/disposed/);
    const other = await createRuntime();
    const lost = (await compiled(other)).fit(x, y, { ...options, pause });
    await soon();
    other.device.destroy();
    await expect(lost).rejects.toThrow(/lost/);
    // Gone before it has come to hold.
    pause.resume();
    const early = await compiled();
    const onTrainBatchEnd = () => {
      void pause.pause();
      early.dispose();
    };
    await expect(early.fit(x, y, { ...options, pause, callbacks: [{ onTrainBatchEnd }] })).rejects.toThrow(/disposed/);
    // Nothing trains any more.
    await pause.pause();
  });
});

describe("resume", () => {
  it.each([3, 14, 15, 16, 22])("goes on where fit was stopped, after about %d steps", async (steps) => {
    const model = await compiled();
    const stop = new AbortController();
    const onTrainBatchEnd = () => void (model.stats().steps >= steps && stop.abort());
    const first = await model.fit(x, y, {
      ...options,
      validationData: [held.x, held.y],
      signal: stop.signal,
      callbacks: [{ onTrainBatchEnd }],
    });
    expect(first.epoch.length).toBeLessThan(2);
    const { batchSize: _, ...rest } = options;
    const resumed = await model.fit(x, y, { ...rest, resume: true, validationData: [held.x, held.y] });
    expect(first.epoch.length).toBeLessThan(2);
    const plain = await train({});
    expect({ epoch: resumed.epoch, history: resumed.history }).toEqual({ epoch: plain.epoch, history: plain.history });
    expect(await allWeights(model)).toEqual(plain.weights);
    expect(model.stats().steps).toBe(30);
    model.dispose();
  });

  it("says what there is to resume, and that the course is another", async () => {
    const model = await compiled();
    await expect(model.fit(x, y, { ...options, resume: true })).rejects.toThrow(/not of a fit. Leave resume out/);
    await model.fit(x, y, options);
    const again = { ...options, resume: true };
    await expect(model.fit(x, y, { ...again, batchSize: 5 })).rejects.toThrow(/batchSize was 4, got 5/);
    await expect(model.fit(x, y, { ...again, seed: 3 })).rejects.toThrow(/seed was 0, got 3/);
    await expect(model.fit(held.x, held.y, again)).rejects.toThrow(/data was 60 samples.*got 30 samples/);
    expect((await model.fit(x, y, again)).epoch).toEqual([0, 1]);
    expect((await model.fit(x, y, { ...again, epochs: 3 })).epoch).toEqual([0, 1, 2]);
    await model.trainOnBatch(x, y);
    await expect(model.fit(x, y, again)).rejects.toMatchObject({ code: "state" });
    model.dispose();
  });
});
