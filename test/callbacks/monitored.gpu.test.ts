import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import {
  type Callback,
  type CheckpointInfo,
  createRuntime,
  csvLogger,
  dense,
  earlyStopping,
  getHyperparameters,
  learningRateScheduler,
  loadModel,
  type MonitorOptions,
  modelCheckpoint,
  parseSafetensors,
  type Runtime,
  reduceLrOnPlateau,
  type Sequential,
  sequential,
  setHyperparameters,
  sgd,
  tensor,
  terminateOnNaN,
} from "../../src/index.ts";
import golden from "../golden/callbacks.json";
import { expectClose } from "../support/compare.ts";
import { Ledger } from "../support/ledger.ts";
import { allWeights, noise, tinyModel } from "../support/models.ts";
import { squaredError } from "../support/squared-error.ts";
import { tolerances } from "../support/tolerances.ts";

// What callbacks do on Keras's series: test/golden/make_callbacks.py has the runs that this repeats.

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime();
});
afterAll(() => runtime.dispose());
afterEach(() => vi.restoreAllMocks());

const x = tensor([0, 1, 2, 3, 4, 5], [6, 1]);
const y = [0, 2, 4, 6, 8, 10];

/** Model of one weight, which is the number of the epoch, counted from 1, at each epoch's end. */
async function counting(learningRate = 0.1): Promise<Sequential> {
  const model = sequential([dense({ units: 1, useBias: false, inputShape: [1] })]);
  await model.compile({ loss: squaredError(), optimizer: sgd({ learningRate }), runtime });
  return model;
}

type Series = Readonly<Record<string, readonly (number | "NaN" | null)[]>>;

/** Puts the next numbers of series into the logs. */
function driver(model: Sequential, series: Series): Callback & { readonly rates: number[] } {
  const rates: number[] = [];
  return {
    rates,
    onEpochEnd: async (epoch, logs) => {
      await model.setWeights([{ data: [epoch + 1] }]);
      const all = logs as Record<string, number>;
      for (const [name, values] of Object.entries(series)) {
        const value = values[epoch];
        if (value !== null && value !== undefined) all[name] = Number(value);
      }
      rates.push((await getHyperparameters(model)).learningRate!);
    },
  };
}

const camelCase = (name: string) => name.replace(/_[a-z]/g, (part) => part[1]!.toUpperCase());
const optionsOf = (options: object) =>
  Object.fromEntries(Object.entries(options).map(([name, value]) => [camelCase(name), value])) as MonitorOptions;
const seriesOf = (name: string): Series => ({ val_loss: golden.series[name as keyof typeof golden.series] as never });

function quiet() {
  const said: string[] = [];
  vi.spyOn(console, "warn").mockImplementation((text: string) => void said.push(text));
  vi.spyOn(console, "log").mockImplementation((text: string) => void said.push(text));
  return said;
}

describe("on Keras's series", () => {
  it("earlyStopping ends where Keras's does, and gives back the same epoch's weights", async () => {
    quiet();
    const model = await counting();
    for (const { series, options, ...want } of golden.earlyStopping) {
      const stopping = earlyStopping({ ...optionsOf(options), restoreBestWeights: true });
      const callbacks = [driver(model, seriesOf(series)), stopping];
      const { epoch } = await model.fit(x, y, { epochs: 8, verbose: 0, callbacks });
      const got = {
        epochs: epoch.length,
        stopped: stopping.stoppedEpoch ?? 0,
        weightsOf: (await allWeights(model))[0],
      };
      expect(got, `${series} ${JSON.stringify(options)}`).toEqual(want);
    }
    model.dispose();
    expect(runtime.memory.buffers).toBe(0);
  });

  it("reduceLrOnPlateau has Keras's rates, and writes them into the history", async () => {
    quiet();
    const model = await counting();
    for (const { series, options, rates, history } of golden.reduceLrOnPlateau) {
      await setHyperparameters(model, { learningRate: 0.1 });
      const driven = driver(model, seriesOf(series));
      const callbacks = [driven, reduceLrOnPlateau(optionsOf(options))];
      const fitted = await model.fit(x, y, { epochs: 8, verbose: 0, callbacks });
      const what = `${series} ${JSON.stringify(options)}`;
      const got = [...driven.rates, (await getHyperparameters(model)).learningRate!];
      expectClose(got, rates, tolerances.lossCurve, what);
      expectClose(fitted.history.learningRate!, history, tolerances.lossCurve, what);
    }
    model.dispose();
  });

  it("learningRateScheduler has Keras's rates", async () => {
    const model = await counting();
    const driven = driver(model, {});
    const scheduler = learningRateScheduler((epoch, rate) => (epoch < 2 ? rate : rate * 0.5));
    const { history } = await model.fit(x, y, { epochs: 5, verbose: 0, callbacks: [driven, scheduler] });
    expectClose(driven.rates, golden.learningRateScheduler.rates, tolerances.lossCurve, "rates");
    expectClose(history.learningRate!, golden.learningRateScheduler.history, tolerances.lossCurve, "history");
    model.dispose();
  });

  it("csvLogger writes Keras's lines", async () => {
    const model = await counting();
    for (const { options, text, appended } of golden.csvLogger) {
      let written = "";
      const log = (more: object = {}) =>
        csvLogger(
          async (piece) => {
            await Promise.resolve();
            written += piece;
          },
          { ...options, ...more },
        );
      const first = driver(model, { loss: [0.5, 0.25], zeta: [1, 2], alpha: [3, 4] });
      await model.fit(x, y, { epochs: 2, verbose: 0, callbacks: [first, log()] });
      expect(written).toBe(text);
      const second = driver(model, { loss: [0.125], zeta: ["NaN"], alpha: [1e-8] });
      await model.fit(x, y, { verbose: 0, callbacks: [second, log({ append: true })] });
      expect(written).toBe(appended);
    }
    model.dispose();
  });
});

describe("modelCheckpoint", () => {
  it("saves the models that Keras's does", async () => {
    quiet();
    const model = await counting();
    for (const { series, options, files } of golden.modelCheckpoint) {
      const saved: string[] = [];
      const save = (bytes: Uint8Array<ArrayBuffer>, { epoch }: CheckpointInfo) => {
        const [, { data }] = [...parseSafetensors(bytes).tensors][0]!;
        expect(data[0]).toBe(epoch + 1);
        saved.push(String(epoch + 1).padStart(2, "0"));
      };
      const callback = modelCheckpoint({ ...optionsOf(options), saveWeightsOnly: true, save });
      await model.fit(x, y, { epochs: 8, verbose: 0, callbacks: [driver(model, seriesOf(series)), callback] });
      expect(saved, `${series} ${JSON.stringify(options)}`).toEqual(files.map((name) => name.slice(0, 2)));
    }
    model.dispose();
  });

  it("saves whole models each so many batches, through epochs, with the weights of just that batch", async () => {
    const data = noise(20, [4], 3);
    const compiled = async () => {
      const model = tinyModel();
      await model.compile({ loss: "sparseCategoricalCrossentropy", optimizer: sgd({ learningRate: 0.1 }), runtime });
      return model;
    };
    const model = await compiled();
    const saved: { info: CheckpointInfo; weights: number[] }[] = [];
    const callback = modelCheckpoint({
      saveFreq: 3,
      save: async (bytes, info) => {
        const loaded = await loadModel(bytes, { runtime });
        saved.push({ info, weights: await allWeights(loaded) });
        loaded.dispose();
      },
    });
    const options = { batchSize: 4, epochs: 2, verbose: 0, shuffle: false, stepsPerExecution: 1 } as const;
    await model.fit(data.x, data.y, { ...options, callbacks: [callback] });
    expect(saved.map(({ info: { epoch, batch } }) => [epoch, batch])).toEqual([
      [0, 2],
      [1, 0],
      [1, 3],
    ]);
    const other = await compiled();
    const [samples, classes] = [data.x.data as Float32Array, Array.from(data.y.data as ArrayLike<number>)];
    for (let step = 0, next = 0; step < 9; step++) {
      const at = (step % 5) * 4;
      await other.trainOnBatch(tensor(samples.slice(4 * at, 4 * at + 16), [4, 4]), classes.slice(at, at + 4));
      if ((step + 1) % 3 === 0) expect(saved[next++]!.weights).toEqual(await allWeights(other));
    }
    for (const each of [model, other]) each.dispose();
  });
});

describe("earlyStopping", () => {
  const data = noise(24, [4], 3);
  const options = { batchSize: 8, epochs: 4, verbose: 0, validationData: [data.x, data.y] } as const;
  async function compiled() {
    const model = tinyModel();
    const optimizer = sgd({ learningRate: 0.1 });
    await model.compile({ loss: "sparseCategoricalCrossentropy", metrics: ["accuracy"], optimizer, runtime });
    return model;
  }

  it("keeps the best weights on the GPU: nothing is read back, and all is freed", async () => {
    const model = await compiled();
    const { buffers, bytes } = runtime.memory;
    const stopping = earlyStopping({ monitor: "val_accuracy", mode: "min", restoreBestWeights: true, patience: 9 });
    let first: number[] = [];
    let copied = { buffers: 0, bytes: 0 };
    const reads: number[] = [];
    const look: Callback = {
      onEpochEnd: async (epoch) => {
        if (epoch === 0) first = await allWeights(model);
        copied = { ...runtime.memory };
      },
    };
    // The first epoch is the best: no accuracy is below 0.
    const zero: Callback = {
      onEpochEnd: (epoch, logs) => void Object.assign(logs, { val_accuracy: epoch }),
    };
    const plain = await compiled();
    const ledger = new Ledger(runtime.device);
    await plain.fit(data.x, data.y, { ...options, callbacks: [zero] });
    reads.push(ledger.take().mapAsync);
    await model.fit(data.x, data.y, { ...options, callbacks: [zero, stopping] });
    reads.push(ledger.take().mapAsync);
    ledger.stop();
    expect(reads[1]).toBe(reads[0]);
    expect(stopping.bestEpoch).toBe(0);
    const again = await compiled();
    await again.fit(data.x, data.y, { ...options, epochs: 1, callbacks: [look] });
    expect(await allWeights(model)).toEqual(first);
    expect(await allWeights(model)).not.toEqual(await allWeights(plain));
    const inFit = { ...copied };
    await again.fit(data.x, data.y, { ...options, callbacks: [zero, stopping, look] });
    expect(copied.bytes - inFit.bytes).toBe(model.countParams() * 4);
    for (const each of [plain, again]) each.dispose();
    expect(runtime.memory.buffers).toBeGreaterThanOrEqual(buffers);
    expect(bytes).toBeGreaterThan(0);
    model.dispose();
    expect(runtime.memory.buffers).toBe(0);
  });

  it("is freed where fit fails, or the model is disposed of meanwhile, and serves again", async () => {
    const stopping = earlyStopping({ monitor: "loss", restoreBestWeights: true });
    const failing = await compiled();
    const fail: Callback = { onEpochEnd: () => Promise.reject(new Error("mine")) };
    await expect(failing.fit(data.x, data.y, { ...options, callbacks: [stopping, fail] })).rejects.toThrow("mine");
    failing.dispose();
    expect(runtime.memory.buffers).toBe(0);
    const gone = await compiled();
    const dispose: Callback = { onEpochEnd: () => gone.dispose() };
    await expect(gone.fit(data.x, data.y, { ...options, callbacks: [stopping, dispose] })).rejects.toThrow(/disposed/);
    expect(runtime.memory.buffers).toBe(0);
    const model = await compiled();
    await expect(model.fit(data.x, data.y, { ...options, callbacks: [stopping, stopping] })).rejects.toThrow(/in use/);
    expect(
      (await model.fit(data.x, data.y, { ...options, callbacks: [stopping, terminateOnNaN()] })).epoch,
    ).toHaveLength(4);
    model.dispose();
  });

  it("knows directions of losses and of metrics, and says where it does not; it warns of a figure that is not there", async () => {
    const said = quiet();
    const model = await compiled();
    const fit = (callback: Callback) => model.fit(data.x, data.y, { ...options, epochs: 2, callbacks: [callback] });
    await fit(earlyStopping({ monitor: "accuracy" }));
    await expect(fit(earlyStopping({ monitor: "mine" }))).rejects.toThrow(/"mine" is better is not known/);
    expect(said).toEqual([]);
    await fit(reduceLrOnPlateau({ monitor: "mine", mode: "min" }));
    expect(said[0]).toMatch(/reduceLrOnPlateau: there is no figure "mine". The figures are: loss, accuracy, /);
    await fit(earlyStopping({ monitor: "loss", mode: "max", verbose: 1, restoreBestWeights: true }));
    expect(said.slice(-2)).toEqual([
      "Epoch 2: early stopping",
      "Restoring model weights from the end of the best epoch: 1.",
    ]);
    model.dispose();
  });
});

it("a schedule's rate is checked", async () => {
  const model = await counting();
  const bad = learningRateScheduler(() => -1);
  await expect(model.fit(x, y, { verbose: 0, callbacks: [bad] })).rejects.toThrow(/schedule must be .*at least 0/);
  model.dispose();
});
