// The browser's half of `npm run train`: it trains, and the command draws what it hears.

import {
  adam,
  conv2d,
  createDataset,
  createRuntime,
  type Dataset,
  dense,
  fetchIdx,
  flatten,
  maxPooling2d,
  oneHot,
  type Runtime,
  type Sequential,
  saveModel,
  sequential,
  sgd,
  type TuningStore,
  tensor,
  tuner,
} from "../../src/index.ts";
import { goldenWeights } from "../keras/formula.ts";
import type { TrainOptions } from "../options.ts";
import type { Outcome, TrainRequest, TrainResult } from "./protocol.ts";
import { EVENT_FUNCTION, type TrainEvent, TUNING_FUNCTION, WEIGHTS_ROUTE } from "./protocol.ts";
import { createRecorder } from "./recorder.ts";

const CLASSES = 10;
const OPTIMIZERS = { sgd, adam };

const abort = new AbortController();

globalThis.featuremapTrain = {
  start: (request) => train(request).then((result) => ({ ok: true, result }), failure),
  stop: () => abort.abort(),
};

function failure(error: unknown): Outcome {
  const { message, stack = "" } = error instanceof Error ? error : new Error(String(error));
  return { ok: false, message, stack };
}

async function train(request: TrainRequest): Promise<TrainResult> {
  const runtime = await createRuntime();
  return Promise.race([trainOn(runtime, request), deviceLost(runtime)]);
}

async function deviceLost({ lost }: Runtime): Promise<never> {
  const { message, reason } = await lost;
  throw new Error(`The GPU device was lost (${message.replace(/\.$/, "") || reason}) during training. Try again.`);
}

async function trainOn(runtime: Runtime, { options, save, tune }: TrainRequest): Promise<TrainResult> {
  const [trainSet, testSet] = await Promise.all([
    loadSet(runtime, "train", options.trainSize),
    loadSet(runtime, "t10k", options.testSize),
  ]);
  const model = buildModel();
  await model.compile({
    loss: "categoricalCrossentropy",
    optimizer: OPTIMIZERS[options.optimizer]({ learningRate: options.learningRate }),
    metrics: ["accuracy"],
    runtime,
    seed: options.seed,
    onProgress: (progress) => emit({ type: "compile", progress }),
    ...(tune ? { tune: tuner({ store: commandStore(), warn: (text) => emit({ type: "warning", text }) }) } : {}),
  });
  if (options.parity) await useGoldenWeights(model);
  const { adapter } = runtime;
  emit({ type: "ready", adapter: { ...adapter }, summary: model.summary({ print: () => {} }) });

  const recorder = createRecorder(options, emit);
  const { signal } = abort;
  await model.fit(trainSet, { ...fitOptions(options), validationData: testSet, callbacks: [recorder], signal });
  const stats = model.stats();
  const test = signal.aborted ? null : await testOf(model, testSet, options.batchSize);
  if (save) await postWeights(model);
  const steps = Math.max(1, stats.steps);
  return {
    adapter: { ...adapter },
    history: recorder.history,
    test,
    timing: { ...recorder.timing(), compileMs: stats.compileMs, firstStepMs: stats.firstStepMs ?? null },
    perStep: {
      dispatches: stats.dispatchesPerStep,
      submits: stats.submits / steps,
      readbacks: stats.readbacks / steps,
    },
    bytes: { ...stats.bytes },
    choices: stats.choices,
    tuning: stats.tuning,
    interrupted: signal.aborted,
  };
}

/** The network of "Understanding Convolutional Neural Networks (CNN) with Keras", layer by layer. */
function buildModel(): Sequential {
  return sequential([
    conv2d({ filters: 32, kernelSize: [5, 5], strides: [1, 1], activation: "relu", inputShape: [28, 28, 1] }),
    maxPooling2d({ poolSize: [2, 2], strides: [2, 2] }),
    conv2d({ filters: 64, kernelSize: [5, 5], activation: "relu" }),
    maxPooling2d({ poolSize: [2, 2] }),
    flatten(),
    dense({ units: 1000, activation: "relu" }),
    dense({ units: CLASSES, activation: "softmax" }),
  ]);
}

/** The first `size` images of a split, as pixels in [0, 1] of [size, 28, 28, 1], and their classes as one-hot rows. */
async function loadSet(runtime: Runtime, split: "train" | "t10k", size: number): Promise<Dataset> {
  const [images, labels] = await Promise.all([
    fetchIdx(`/mnist/${split}-images-idx3-ubyte`),
    fetchIdx(`/mnist/${split}-labels-idx1-ubyte`),
  ]);
  const [count = 0, height = 0, width = 0] = images.shape;
  const n = Math.min(size, count);
  const pixels = images.data.subarray(0, n * height * width);
  return createDataset(runtime, {
    x: tensor(pixels, [n, height, width, 1], { scale: 1 / 255 }),
    y: oneHot(labels.data.subarray(0, n), CLASSES),
  });
}

async function testOf(model: Sequential, testSet: Dataset, batchSize: number) {
  const { loss, accuracy = Number.NaN } = await model.evaluate(testSet, { batchSize });
  return { loss, accuracy };
}

function fitOptions({ batchSize, epochs, seed, parity }: TrainOptions) {
  return { batchSize, epochs, seed, shuffle: !parity, verbose: 0 as const };
}

async function useGoldenWeights(model: Sequential): Promise<void> {
  const weights = await model.getWeights();
  const golden = goldenWeights(weights);
  await model.setWeights(weights.map((weight, i) => ({ ...weight, data: golden[i]! })));
}

async function postWeights(model: Sequential): Promise<void> {
  const body = await saveModel(model);
  const response = await fetch(WEIGHTS_ROUTE, { method: "POST", body });
  if (!response.ok) throw new Error(`The weights could not be handed over: HTTP ${response.status}.`);
}

/** The command keeps what is measured, since this browser's own storage ends with it. */
function commandStore(): TuningStore {
  const call = (globalThis as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>)[TUNING_FUNCTION]!;
  return {
    get: (key) => call(key),
    set: async (key, choices) => {
      await call(key, choices);
    },
  };
}

/** Not awaited: training does not wait for the terminal. */
function emit(event: TrainEvent): void {
  const send = (globalThis as unknown as Record<string, (event: TrainEvent) => Promise<void>>)[EVENT_FUNCTION];
  send?.(event).catch(() => {});
}
