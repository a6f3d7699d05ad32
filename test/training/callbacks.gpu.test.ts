import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type Callback,
  createRuntime,
  dense,
  type Logs,
  type Runtime,
  sequential,
  sgd,
  type TrainingParams,
  tensor,
} from "../../src/index.ts";
import golden from "../golden/callbacks.json";
import { Ledger } from "../support/ledger.ts";
import { allWeights, noise, tinyModel } from "../support/models.ts";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime();
});
afterAll(() => runtime.dispose());

const settings = () => ({
  loss: "sparseCategoricalCrossentropy" as const,
  metrics: ["accuracy"] as const,
  optimizer: sgd({ learningRate: 0.1 }),
  runtime,
});
async function compiled() {
  const model = tinyModel();
  await model.compile(settings());
  return model;
}

const PARTS = ["Epoch", "Train", "TrainBatch", "Test", "TestBatch", "Predict", "PredictBatch"];
const snake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Callback with all hooks, and what it was told, by Keras's names. */
function watcher(): { readonly calls: string[]; readonly callback: Callback } {
  const calls: string[] = [];
  const hooks = PARTS.flatMap((part) => [`on${part}Begin`, `on${part}End`]);
  const told = (hook: string) => (number: unknown) => {
    calls.push(/Batch|Epoch/.test(hook) ? `${snake(hook)} ${number}` : snake(hook));
  };
  const callback = Object.fromEntries(["setModel", "setParams", ...hooks].map((hook) => [hook, told(hook)]));
  return { calls, callback };
}

describe("hooks", () => {
  const { x, y } = noise(6, [4], 3);

  it("come in Keras's order, with its numbers", async () => {
    const model = await compiled();
    const [fit, evaluate, predict, few] = [watcher(), watcher(), watcher(), watcher()];
    await model.fit(x, y, {
      batchSize: 2,
      epochs: 3,
      initialEpoch: 1,
      verbose: 0,
      validationData: [x, y],
      validationBatchSize: 4,
      validationFreq: [3],
      stepsPerExecution: 1,
      callbacks: [fit.callback],
    });
    const stepwise = { batchSize: 4, stepsPerExecution: 1 };
    await model.evaluate(x, y, { ...stepwise, callbacks: [evaluate.callback] });
    await model.predict(x, { ...stepwise, callbacks: [predict.callback] });
    await model.predict(x, { callbacks: [few.callback] });
    expect(fit.calls).toEqual(golden.order.fit);
    expect(evaluate.calls).toEqual(golden.order.evaluate);
    expect(predict.calls).toEqual(golden.order.predict);
    expect(few.calls).toEqual(golden.order.predict.filter((call) => !call.endsWith(" 1")));
    model.dispose();
  });

  it("tell of every submit, of several steps too, and change no bit", async () => {
    const { x, y } = noise(40, [4], 3);
    const options = { batchSize: 4, epochs: 2, verbose: 0, stepsPerExecution: 3 } as const;
    const plain = await compiled();
    const { history } = await plain.fit(x, y, options);
    for (const begins of [false, true]) {
      const model = await compiled();
      const ends: number[] = [];
      const callback: Callback = {
        onTrainBatchEnd: (batch) => void ends.push(batch),
        ...(begins && { onTrainBatchBegin: () => {} }),
      };
      const followed = await model.fit(x, y, { ...options, callbacks: [callback] });
      expect(ends).toEqual([2, 5, 8, 9, 2, 5, 8, 9]);
      expect(followed.history).toEqual(history);
      expect(await allWeights(model)).toEqual(await allWeights(plain));
      model.dispose();
    }
    plain.dispose();
  });

  it("with exactLogs get the means up to their own batch", async () => {
    const { x, y } = noise(22, [4], 3);
    const model = await compiled();
    const own: [number, number][] = [];
    const losses: number[] = [];
    const exact: Callback = {
      exactLogs: true,
      onTrainBatchEnd: (_, { loss }, { samples }) => void own.push([loss, samples]),
      onTestBatchEnd: (_, { loss }, { samples }) => void losses.push(loss * samples),
    };
    const options = { batchSize: 4, verbose: 0, shuffle: false, stepsPerExecution: 1 } as const;
    await model.fit(x, y, { ...options, callbacks: [exact] });
    expect(own.map(([, samples]) => samples)).toEqual([4, 8, 12, 16, 20, 22]);
    const other = await compiled();
    const classes = Array.from(y.data as ArrayLike<number>);
    let sum = 0;
    for (const [i, [mean, samples]] of own.entries()) {
      const [from, to] = [4 * i, Math.min(22, 4 * i + 4)];
      const rows = tensor((x.data as Float32Array).slice(4 * from, 4 * to), [to - from, 4]);
      sum += (await other.trainOnBatch(rows, classes.slice(from, to))).loss * (to - from);
      expect(mean).toBeCloseTo(sum / samples, 5);
    }
    await model.evaluate(x, y, { batchSize: 4, stepsPerExecution: 1, callbacks: [exact] });
    expect(losses).toHaveLength(6);
    expect(losses.every((loss, i) => i === 0 || loss > losses[i - 1]!)).toBe(true);
    model.dispose();
    other.dispose();
  });

  it("are told of the model and of what is to come, and of figures; figures that they add come into the history", async () => {
    const model = await compiled();
    const seen: unknown[] = [];
    let tested: Logs | undefined;
    const callback: Callback = {
      setModel: (its) => void seen.push(its === model),
      setParams: (params: TrainingParams) => void seen.push(params),
      onTestEnd: (logs) => {
        tested = logs;
      },
      onEpochEnd: async (epoch, logs) => {
        await Promise.resolve();
        if (epoch === 1) logs.mine = 7;
      },
    };
    const options = { batchSize: 4, epochs: 2, verbose: 0, validationData: [x, y], callbacks: [callback] } as const;
    const { history } = await model.fit(x, y, options);
    expect(seen).toEqual([true, { epochs: 2, steps: 2, batchSize: 4 }]);
    expect(history.mine).toEqual([7]);
    expect(history.val_loss!.at(-1)).toBe(tested!.loss);
    expect(await model.evaluate(x, y, { batchSize: 4, callbacks: [callback] })).toEqual(tested);
    model.dispose();
  });

  it("that are not there cost nothing; batch hooks read with the first submit, exactLogs with each", async () => {
    const { x, y } = noise(24, [4], 3);
    const reads: number[] = [];
    const end = () => {};
    for (const callbacks of [
      [{ onEpochEnd: end }],
      [{ onTrainBatchEnd: end }],
      [{ onTrainBatchEnd: end, exactLogs: true }],
    ]) {
      const model = await compiled();
      await model.fit(x, y, { batchSize: 4, verbose: 0, stepsPerExecution: 1, callbacks });
      reads.push(model.stats().readbacks);
      model.dispose();
    }
    expect(reads).toEqual([1, 2, 6]);
  });

  it("of training may await evaluations and predictions of the model, which change no bit of the training", async () => {
    const plain = await compiled();
    const alone = await plain.fit(x, y, { batchSize: 2, epochs: 2, verbose: 0, stepsPerExecution: 1 });
    const model = await compiled();
    const seen: unknown[] = [];
    const look = async () => {
      const { loss } = await model.evaluate(x, y, { batchSize: 4 });
      seen.push(Number.isFinite(loss), (await model.predict(x)).shape, (await model.testOnBatch(x, y)).loss >= 0);
    };
    const hooks = {
      onTrainBatchBegin: look,
      onTrainBatchEnd: look,
      onEpochEnd: look,
      onTestBegin: look,
      onTestEnd: look,
    };
    const options = { batchSize: 2, epochs: 2, verbose: 0, stepsPerExecution: 1, callbacks: [hooks] } as const;
    const watched = await model.fit(x, y, { ...options, validationData: [x, y] });
    expect(watched.history.loss).toEqual(alone.history.loss);
    // Three batches, their begins, the epoch's end and two of the validation, in each of two epochs.
    expect(seen).toEqual(Array.from({ length: 18 }, () => [true, [6, 3], true]).flat());
    expect(await allWeights(model)).toEqual(await allWeights(plain));
    for (const each of [plain, model]) each.dispose();
  });

  it("end a fit, by stopTraining, before the batch that begins", async () => {
    const model = await compiled();
    const begun: number[] = [];
    const callback: Callback = {
      onTrainBatchBegin: (batch) => {
        begun.push(batch);
        if (batch === 2) model.stopTraining = true;
      },
    };
    const { x, y } = noise(24, [4], 3);
    const { epoch } = await model.fit(x, y, { batchSize: 4, verbose: 0, stepsPerExecution: 1, callbacks: [callback] });
    expect([begun, epoch, model.stats().steps]).toEqual([[0, 1, 2], [], 2]);
    model.dispose();
  });

  it("that fail reject their call", async () => {
    const model = await compiled();
    const fail = () => Promise.reject(new Error("mine"));
    for (const hook of ["onTestBegin", "onTestBatchBegin", "onTestBatchEnd", "onTestEnd"])
      await expect(model.evaluate(x, y, { callbacks: [{ [hook]: fail }] })).rejects.toThrow("mine");
    for (const hook of ["onPredictBegin", "onPredictBatchBegin", "onPredictBatchEnd", "onPredictEnd"])
      for (const batchSize of [2, 32])
        await expect(model.predict(x, { batchSize, callbacks: [{ [hook]: fail }] })).rejects.toThrow("mine");
    expect((await model.evaluate(x, y)).loss).toBeGreaterThan(0);
    model.dispose();
    expect(runtime.memory.buffers).toBe(0);
  });
});

describe("fit", () => {
  const { x, y } = noise(20, [4], 3);
  const options = { batchSize: 4, verbose: 0 } as const;

  it("from an initial epoch goes on as one long fit would", async () => {
    const whole = await compiled();
    const { history } = await whole.fit(x, y, { ...options, epochs: 4 });
    const model = await compiled();
    await model.fit(x, y, { ...options, epochs: 2 });
    const rest = await model.fit(x, y, { ...options, epochs: 4, initialEpoch: 2 });
    expect(rest.epoch).toEqual([2, 3]);
    expect(rest.history.loss).toEqual(history.loss.slice(2));
    expect(await allWeights(model)).toEqual(await allWeights(whole));
    // A model that was loaded takes the same orders.
    const late = await compiled();
    expect((await late.fit(x, y, { ...options, epochs: 4, initialEpoch: 4 })).epoch).toEqual([]);
    await expect(late.fit(x, y, { ...options, initialEpoch: 1, resume: true })).rejects.toThrow(
      /initialEpoch or resume/,
    );
    for (const each of [whole, model, late]) each.dispose();
  });

  it("validates each so many epochs, or those of a list, in batches of another size", async () => {
    const model = await compiled();
    const data = { validationData: [x, y] as const, validationBatchSize: 20 };
    const freq = async (validationFreq: number | number[]) => {
      const { history } = await model.fit(x, y, { ...options, ...data, epochs: 5, validationFreq });
      return history.val_loss?.length;
    };
    expect([await freq(2), await freq([1, 4, 5]), await freq(6)]).toEqual([2, 3, undefined]);
    model.dispose();
  });
});

describe("a batch", () => {
  it("is trained, tested and predicted in buffers that are kept", async () => {
    const model = await compiled();
    const { x, y } = noise(6, [4], 3);
    const [part, rest] = [
      tensor((x.data as Float32Array).slice(0, 16), [4, 4]),
      Array.from(y.data as ArrayLike<number>).slice(0, 4),
    ];
    const sampleWeight = [1, 2, 0, 1, 0.5, 1];
    const round = async () => {
      const tested = await model.testOnBatch(x, y, { sampleWeight });
      expect(tested).toEqual(await model.evaluate(x, y, { sampleWeight }));
      expect((await model.predictOnBatch(x)).data).toEqual((await model.predict(x)).data);
      expect((await model.predictOnBatch(part)).shape).toEqual([4, 3]);
      const fewer = await model.testOnBatch(part, rest, { sampleWeight: sampleWeight.slice(0, 4) });
      const trained = await model.trainOnBatch(part, rest, { sampleWeight: sampleWeight.slice(0, 4) });
      expect(trained).toEqual(fewer);
      expect(trained.loss).not.toBe(tested.loss);
      expect(trained.accuracy).toBeGreaterThanOrEqual(0);
    };
    await round();
    const ledger = new Ledger(runtime.device);
    await model.testOnBatch(x, y, { sampleWeight });
    await model.predictOnBatch(x);
    await model.testOnBatch(part, rest, { sampleWeight: sampleWeight.slice(0, 4) });
    ledger.stop();
    expect(ledger.take()).toMatchObject({ createBuffer: 0, createBindGroup: 0, createComputePipelineAsync: 0 });
    await round();
    model.dispose();
    expect(runtime.memory.buffers).toBe(0);
  });

  it("is of the host, and needs a loss to be tested", async () => {
    const model = sequential([dense({ units: 3, activation: "softmax", inputShape: [4] })]);
    await model.compile({ runtime });
    const { x, y } = noise(6, [4], 3);
    await expect(model.testOnBatch(x, y)).rejects.toThrow(/testOnBatch: the model was compiled without a loss/);
    expect((await model.predictOnBatch(x)).shape).toEqual([6, 3]);
    model.dispose();
  });
});
