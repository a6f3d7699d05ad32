import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import * as library from "../src/index.ts";
import { FeaturemapError, type Sequential } from "../src/index.ts";
import { toOnnx } from "../src/onnx/onnx.ts";
import { tensorBoard } from "../src/tensorboard/tensorboard.ts";
import { fakeDevice, REACHED } from "./support/fake-device.ts";
import { CASES, hostileValue, mutated, outcomeOf, SEEDED } from "./support/hostile.ts";
import { LAYER_CALLS } from "./support/hostile-layers.ts";
import { MEASURE_CALLS } from "./support/hostile-measures.ts";

/** Whatever is thrown at the public functions, they throw documented errors. */

const CODES = ["shape", "value", "data", "limit", "device", "lost", "state"];

/** What getters, traps and proxies of the caller's throw passes through, and so do the reasons of aborts. */
const CALLERS = /of the caller's|has been revoked|aborted/;

type Call = (...args: never[]) => unknown;

const { tensor, dense, sgd, sequential, createRuntime } = library;
const layer = () => dense({ units: 2, activation: "softmax", inputShape: [3] });
const compiled: {
  model?: Sequential;
  probe?: library.Probe;
  runtime?: library.Runtime;
  dataset?: library.Dataset;
} = {};

beforeAll(async () => {
  // What a device refuses, the library waits a moment for: whether it is lost.
  const wait = setTimeout;
  vi.stubGlobal("setTimeout", (run: () => void) => wait(run, 0));
  const device = fakeDevice();
  compiled.runtime = await createRuntime({ device });
  const model = sequential([layer()]);
  await model.compile({ loss: "categoricalCrossentropy", optimizer: sgd(), runtime: compiled.runtime });
  compiled.model = model;
  compiled.dataset = await library.createDataset(compiled.runtime, { x, y });
  // From here on a call ends where its data would go to the GPU: plans need not be made for each.
  device.createBuffer = () => {
    throw new Error(REACHED);
  };
});

afterAll(() => vi.unstubAllGlobals());

const fit = (...args: unknown[]) => (compiled.model!.fit as Call)(...(args as never[]));
const x = tensor([1, 2, 3, 4, 5, 6], [2, 3]);
const y = tensor([1, 0, 0, 1], [2, 2]);
const code = `
const N: u32 = 1u;
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(64)
fn copy() { y[N] = x[N]; }`;
const x0 = library.input({ shape: [3] });
const transforms = [{ name: "own", config: { a: 1 }, transform: () => new Map() }];
const kernelOptions = { activation: "relu", useBias: true, kernelInitializer: "zeros", inputShape: [3], name: "a" };

/** Each exported function, with arguments that are right, of which the mutations make wrong ones. */
const FUNCTIONS: Record<string, { readonly call: Call; readonly args: readonly unknown[] }> = {
  modelLoader: {
    call: library.modelLoader,
    args: [{ layers: { Dense: dense }, optimizers: { sgd }, metrics: {}, transforms: {}, augmentations: {} }],
  },
  ...LAYER_CALLS,
  ...MEASURE_CALLS,
  getLayer: { call: (which: never) => library.getLayer(compiled.model!, which), args: ["dense"] },
  getLayers: { call: (model: never) => library.getLayers(model ?? compiled.model!), args: [undefined] },
  getInputs: { call: (model: never) => library.getInputs(model ?? compiled.model!), args: [undefined] },
  getOutputs: { call: (model: never) => library.getOutputs(model ?? compiled.model!), args: [undefined] },
  asLayer: {
    call: (options: never, on: never) => library.asLayer(compiled.model!, options)(on),
    args: [{ name: "base", trainable: false }, x0],
  },
  plotModel: {
    call: (options: never) => library.plotModel(compiled.model!, options),
    args: [{ rankdir: "LR", showShapes: true, showLayerNames: false, showParams: true }],
  },
  plotHistory: {
    call: library.plotHistory,
    args: [
      { epoch: [0, 1], history: { loss: [2, 1], val_loss: [3] } },
      { figures: ["loss"], width: 300, title: "a" },
    ],
  },
  plotConfusionMatrix: {
    call: library.plotConfusionMatrix,
    args: [
      [
        [4, 1],
        [2, 3],
      ],
      { labels: ["a", "b"], cellSize: 20, title: "c" },
    ],
  },
  randomNormal: { call: library.randomNormal, args: [{ mean: 1, stddev: 2, seed: 3 }] },
  truncatedNormal: { call: library.truncatedNormal, args: [{ mean: 1, stddev: 2, seed: 3 }] },
  randomUniform: { call: library.randomUniform, args: [{ minval: -1, maxval: 1, seed: 3 }] },
  varianceScaling: {
    call: library.varianceScaling,
    args: [{ scale: 2, mode: "fanOut", distribution: "uniform", seed: 3 }],
  },
  glorotNormal: { call: library.glorotNormal, args: [{ seed: 3 }] },
  glorotUniform: { call: library.glorotUniform, args: [{ seed: 3 }] },
  heNormal: { call: library.heNormal, args: [{ seed: 3 }] },
  heUniform: { call: library.heUniform, args: [{ seed: 3 }] },
  lecunNormal: { call: library.lecunNormal, args: [{ seed: 3 }] },
  lecunUniform: { call: library.lecunUniform, args: [{ seed: 3 }] },
  orthogonal: { call: library.orthogonal, args: [{ gain: 2, seed: 3 }] },
  identity: { call: library.identity, args: [{ gain: 2 }] },
  zeros: { call: library.zeros, args: [] },
  ones: { call: library.ones, args: [] },
  constant: { call: library.constant, args: [{ value: 2 }] },
  tensor: { call: library.tensor, args: [new Uint8Array(6), [2, 3], { scale: 0.5 }] },
  oneHot: { call: library.oneHot, args: [[0, 1, 2], 3] },
  stream: { call: library.stream, args: [() => []] },
  classWeights: { call: library.classWeights, args: [{ 0: 1, 1: 0.5 }] },
  dense: { call: library.dense, args: [{ units: 3, ...kernelOptions }] },
  conv2d: {
    call: library.conv2d,
    args: [{ filters: 3, kernelSize: [3, 3], dilationRate: 2, groups: 3, padding: "same", ...kernelOptions }],
  },
  conv2dTranspose: {
    call: library.conv2dTranspose,
    args: [{ filters: 3, kernelSize: 2, strides: [2, 3], padding: "same", outputPadding: [1, 0], dilationRate: 1 }],
  },
  activation: { call: library.activation, args: [{ activation: "relu", inputShape: [3], name: "a" }] },
  batchNormalization: {
    call: library.batchNormalization,
    args: [{ momentum: 0.9, epsilon: 0.1, scale: true, gammaInitializer: "ones", inputShape: [3], name: "a" }],
  },
  depthwiseConv2d: {
    call: library.depthwiseConv2d,
    args: [
      { kernelSize: [3, 3], dilationRate: [2, 1], padding: "same", depthMultiplier: 2, depthwiseInitializer: "zeros" },
    ],
  },
  dropout: { call: library.dropout, args: [{ rate: 0.5, seed: 3, inputShape: [3], name: "a" }] },
  flatten: { call: library.flatten, args: [{ inputShape: [3, 3], name: "a" }] },
  maxPooling2d: { call: library.maxPooling2d, args: [{ poolSize: 2, strides: [1, 1], padding: "same" }] },
  averagePooling2d: { call: library.averagePooling2d, args: [{ poolSize: [2, 3], strides: 1, name: "a" }] },
  sgd: { call: library.sgd, args: [{ learningRate: 0.1, momentum: 0.9, nesterov: true, transforms }] },
  adam: {
    call: library.adam,
    args: [{ learningRate: 0.1, beta1: 0.9, beta2: 0.9, epsilon: 1e-7, amsgrad: true, transforms }],
  },
  withEma: {
    call: (options: never, optimizer: never) => library.withEma(optimizer ?? sgd(), options),
    args: [{ momentum: 0.9, overwriteFrequency: 3 }],
  },
  withGradientAccumulation: {
    call: (options: never, optimizer: never) => library.withGradientAccumulation(optimizer ?? sgd(), options),
    args: [{ steps: 2 }],
  },
  finalizeVariableValues: {
    call: (model: never) => library.finalizeVariableValues(model ?? compiled.model!),
    args: [undefined],
  },
  adamW: { call: library.adamW, args: [{ learningRate: 0.1, weightDecay: 0.1, transforms }] },
  rmsprop: {
    call: library.rmsprop,
    args: [{ learningRate: 0.1, rho: 0.9, momentum: 0.5, centered: true, transforms }],
  },
  adagrad: {
    call: library.adagrad,
    args: [{ learningRate: 0.1, initialAccumulatorValue: 0.1, epsilon: 1e-7, transforms }],
  },
  adadelta: { call: library.adadelta, args: [{ learningRate: 0.1, rho: 0.9, epsilon: 1e-7, weightDecay: 0.1 }] },
  adamax: { call: library.adamax, args: [{ learningRate: 0.1, beta1: 0.9, beta2: 0.9, epsilon: 1e-7 }] },
  lion: { call: library.lion, args: [{ learningRate: 0.1, beta1: 0.9, beta2: 0.9, transforms }] },
  nadam: { call: library.nadam, args: [{ learningRate: 0.1, beta1: 0.9, beta2: 0.9, epsilon: 1e-7 }] },
  exponentialDecay: {
    call: library.exponentialDecay,
    args: [{ initialLearningRate: 0.1, decaySteps: 10, decayRate: 0.9, staircase: true }],
  },
  inverseTimeDecay: {
    call: library.inverseTimeDecay,
    args: [{ initialLearningRate: 0.1, decaySteps: 10, decayRate: 0.9, staircase: true }],
  },
  polynomialDecay: {
    call: library.polynomialDecay,
    args: [{ initialLearningRate: 0.1, decaySteps: 10, endLearningRate: 0.01, power: 2, cycle: true }],
  },
  cosineDecay: {
    call: library.cosineDecay,
    args: [{ initialLearningRate: 0.1, decaySteps: 10, alpha: 0.1, warmupTarget: 0.2, warmupSteps: 3 }],
  },
  cosineDecayRestarts: {
    call: library.cosineDecayRestarts,
    args: [{ initialLearningRate: 0.1, firstDecaySteps: 10, tMul: 2, mMul: 0.9, alpha: 0.1 }],
  },
  defineSchedule: { call: library.defineSchedule, args: [{ name: "flat", config: {}, rate: () => 0 }] },
  piecewiseConstantDecay: { call: library.piecewiseConstantDecay, args: [{ boundaries: [3, 5], values: [3, 2, 1] }] },
  accuracy: { call: library.accuracy, args: [] },
  auc: {
    call: library.auc,
    args: [{ numThresholds: 20, curve: "PR", summationMethod: "minoring", name: "area" }],
  },
  topKCategoricalAccuracy: { call: library.topKCategoricalAccuracy, args: [{ k: 3, name: "top3" }] },
  sparseTopKCategoricalAccuracy: { call: library.sparseTopKCategoricalAccuracy, args: [{ k: 3, name: "top3" }] },
  weighted: { call: library.weighted, args: ["accuracy", { name: "heavy" }] },
  clipNorm: { call: library.clipNorm, args: [1] },
  clipValue: { call: library.clipValue, args: [1] },
  globalClipNorm: { call: library.globalClipNorm, args: [1] },
  sequential: { call: library.sequential, args: [[layer()], { name: "model" }] },
  input: { call: library.input, args: [{ shape: [3], name: "a" }] },
  model: { call: library.model, args: [{ inputs: x0, outputs: layer()(x0), name: "model" }] },
  defineLayer: {
    call: (spec: never) => void library.defineLayer(spec),
    args: [{ type: "Own", name: "own", call: ({ input }: library.LayerCall) => input }],
  },
  createRuntime: { call: library.createRuntime, args: [{ device: {}, powerPreference: "low-power", gpu: {} }] },
  createDataset: {
    call: (input: never, runtime: never) => library.createDataset(runtime ?? compiled.runtime!, input),
    args: [{ x, y }, undefined],
  },
  "dataset.map": {
    call: (mapping: never) => compiled.dataset!.map(mapping),
    args: [{ x: ["multiply", "x", 2], y: [layer()] }],
  },
  "dataset.batch": {
    call: (size: never, options: never) => compiled.dataset!.batch(size, options),
    args: [2, { dropRemainder: true }],
  },
  tuner: { call: library.tuner, args: [{ budgetMs: 100, store: { get: () => {}, set: () => {} }, warn: () => {} }] },
  progressLine: {
    call: library.progressLine,
    args: [{ done: 1, total: 2, elapsedMs: 3, firstStepMs: 1, logs: { loss: 0.5 }, finished: false, columns: 80 }],
  },
  progressBar: { call: library.progressBar, args: [{ isTTY: true, columns: 80, write: () => {} }] },
  defineKernel: { call: library.defineKernel, args: [code] },
  defineOp: {
    call: (op: never) => void library.defineOp(op),
    args: [{ name: "op", inputs: ["x"], outputs: [], infer: () => ({}) }],
  },
  typed: { call: () => library.typed(), args: [{}] },
  dispatch: {
    call: library.dispatch,
    args: [
      { code },
      {
        bind: { x: 0, y: { id: 1 } },
        constants: { N: 3 },
        libraries: [{ code: "", rename: { a: "b" } }],
        workgroups: [1, 1, 1],
      },
    ],
  },
  checkpoint: {
    call: (options: never, model: never) => library.checkpoint(model ?? compiled.model!, options),
    args: [{ everyMs: 5, everyEpochs: 1, save: () => {} }, undefined],
  },
  pauseSwitch: { call: library.pauseSwitch, args: [] },
  withReduction: {
    call: library.withReduction,
    args: [{ name: "mine", labels: () => {}, check: () => {}, call: () => 0 }, "sum", () => 1],
  },
  earlyStopping: {
    call: library.earlyStopping,
    args: [
      { monitor: "loss", minDelta: 0.1, patience: 2, verbose: 0, mode: "min", baseline: 1, restoreBestWeights: true },
    ],
  },
  reduceLrOnPlateau: {
    call: library.reduceLrOnPlateau,
    args: [
      { monitor: "loss", factor: 0.5, patience: 1, verbose: 1, mode: "max", minDelta: 0, cooldown: 1, minLr: 0.01 },
    ],
  },
  lambdaCallback: { call: library.lambdaCallback, args: [{ exactLogs: true, onEpochEnd: () => {} }] },
  tensorBoard: { call: tensorBoard, args: ["logs", { updateFreq: 2, writeStepsPerSecond: true }] },
  learningRateScheduler: { call: library.learningRateScheduler, args: [() => 0.1, { verbose: 0 }] },
  modelCheckpoint: {
    call: library.modelCheckpoint,
    args: [{ save: () => {}, monitor: "loss", saveBestOnly: true, saveWeightsOnly: true, saveFreq: 2, mode: "min" }],
  },
  checkpointFiles: { call: library.checkpointFiles, args: ["run/{epoch:02d}-{val_loss:.2f}.safetensors"] },
  csvLogger: { call: library.csvLogger, args: [() => {}, { separator: ";", append: true }] },
  terminateOnNaN: { call: library.terminateOnNaN, args: [] },
  getHyperparameters: { call: library.getHyperparameters, args: [{}] },
  setHyperparameters: {
    call: (values: never, model: never) => library.setHyperparameters(model ?? compiled.model!, values),
    args: [{ learningRate: 0.1 }, undefined],
  },
  parameterBuffers: { call: library.parameterBuffers, args: [{}] },
  modelSummary: {
    // Of a model without shapes, so that no plans are made.
    call: (options: never, model: never) => library.modelSummary(model ?? sequential([dense({ units: 2 })]), options),
    args: [{ batchSize: 2, flops: { scale: () => 1 } }, undefined],
  },
  createProbe: {
    call: (options: never, model: never) => library.createProbe(model ?? compiled.model!, options),
    args: [{ outputs: ["dense"], batchSize: 2 }, undefined],
  },
  createInferenceRecorder: {
    call: (options: never, model: never) => library.createInferenceRecorder(model ?? compiled.model!, options),
    args: [{ batchSize: 2, input: { dtype: "u8", scale: 0.5 } }, undefined],
  },
  createTrainingRecorder: {
    call: (options: never, dataset: never, model: never) =>
      library.createTrainingRecorder(model ?? compiled.model!, dataset ?? compiled.dataset!, options),
    args: [{ batchSize: 2, shuffle: true, seed: 3 }, undefined, undefined],
  },
  outputsOf: {
    call: (input: never, names: never) => library.outputsOf(compiled.model!, input, names),
    args: [x, ["dense"]],
  },
  toConfig: { call: library.toConfig, args: [{}] },
  fromConfig: { call: library.fromConfig, args: [library.toConfig(sequential([layer()])), { layers: {} }] },
  saveModel: { call: library.saveModel, args: [{}] },
  loadModel: { call: library.loadModel, args: [new Uint8Array(16), { loss: "categoricalCrossentropy" }] },
  loadWeights: {
    call: (bytes: never, model: never) => library.loadWeights(model ?? compiled.model!, bytes),
    args: [new Uint8Array(16), undefined],
  },
  snapshot: { call: library.snapshot, args: [{}] },
  restore: {
    call: (taken: never, model: never) => library.restore(model ?? compiled.model!, taken),
    args: [{ version: 3, variables: [] }, undefined],
  },
  toOnnx: {
    call: (options: never, model: never) => toOnnx(model ?? compiled.model!, options),
    args: [{ layout: "nchw", rules: { softmax: () => ({ y: "dense" }) } }, undefined],
  },
  parseIdx: { call: library.parseIdx, args: [Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 1, 5)] },
  parseSafetensors: { call: library.parseSafetensors, args: [new Uint8Array(16)] },
  toSafetensors: {
    call: library.toSafetensors,
    args: [{ a: { shape: [2], data: new Float32Array(2) } }, { format: "x" }],
  },
};

/** The compiled model's methods. */
const METHODS: Record<string, { readonly call: Call; readonly args: readonly unknown[] }> = {
  add: { call: (added: never) => sequential([layer()]).add(added), args: [dense({ units: 3, name: "next" })] },
  summary: {
    call: (options: never) => compiled.model!.summary(options ?? { print: () => {} }),
    args: [{ print: () => {} }],
  },
  compile: {
    call: (options: never) => sequential([layer()]).compile(options),
    args: [
      {
        loss: "categoricalCrossentropy",
        optimizer: sgd(),
        metrics: ["accuracy"],
        augment: [library.mixUp()],
        seed: 3,
        memory: "fast",
        choices: { dense: { algorithm: "direct" } },
        onProgress: () => {},
        runtime: null,
      },
    ],
  },
  fit: {
    call: fit,
    args: [
      x,
      y,
      { epochs: 1, batchSize: 2, verbose: 0, validationData: [x, y], callbacks: [{ onTrainBatchEnd: () => {} }] },
    ],
  },
  "fit's other options": {
    call: (options: never) => fit(x, y, { verbose: 0, ...(options as object) }),
    args: [
      {
        shuffle: true,
        seed: 3,
        validationSplit: 0,

        resume: false,
        submitMs: 20,
        stepsPerExecution: "auto",
        signal: undefined,
      },
    ],
  },
  evaluate: {
    call: (...args: unknown[]) => (compiled.model!.evaluate as Call)(...(args as never[])),
    args: [x, y, { batchSize: 2, submitMs: 20, stepsPerExecution: 2, signal: undefined }],
  },
  predict: {
    call: (input: never, options: never) => compiled.model!.predict(input, options),
    args: [x, { batchSize: 2 }],
  },
  trainOnBatch: { call: (a: never, b: never) => compiled.model!.trainOnBatch(a, b), args: [x, y] },
  setWeights: {
    call: (weights: never) => compiled.model!.setWeights(weights),
    args: [[{ shape: [3, 2], data: new Float32Array(6) }, { data: [1, 2] }]],
  },
};

/** Reads or writes files or the network: tried with what is no address. */
const OUTSIDE = ["fetchIdx", "readIdxFile", "fileStore", "indexedDbStore", "indexedDbSnapshots", "trainWithRecovery"];
const CLASSES = ["FeaturemapError", "RecoveryError"];

it("knows every function that the library exports", () => {
  const functions = Object.entries(library).filter(([, value]) => typeof value === "function");
  const tried = [...Object.keys(FUNCTIONS), ...OUTSIDE, ...CLASSES];
  expect(functions.map(([name]) => name).filter((name) => !tried.includes(name))).toEqual([]);
});

/** Throws what a call throws, if it is no documented error. */
async function documented(call: () => unknown): Promise<void> {
  const outcome = await outcomeOf(() => {
    const made = call();
    // Of values that come back as they were given, no `then` is to be called.
    return made instanceof Promise ? made.then(() => {}) : undefined;
  });
  if (!("thrown" in outcome)) return;
  const { thrown } = outcome;
  if (thrown instanceof FeaturemapError) {
    expect(CODES).toContain(thrown.code);
    expect(thrown.message.length).toBeLessThan(2000);
    return;
  }
  const { message } = Object(thrown) as Partial<Error>;
  if (typeof message === "string" && (CALLERS.test(message) || message === REACHED)) return;
  throw thrown;
}

const TIMEOUT_MS = 30_000 + 60 * CASES;

describe.each(Object.entries({ ...FUNCTIONS, ...METHODS }))("%s", (_, { call, args }) => {
  it("takes what is right, or says why not", () => documented(() => call(...(args as never[]))), TIMEOUT_MS);

  it(
    "throws documented errors for anything at all",
    async () => {
      const values = fc.tuple(...args.map(() => hostileValue()));
      const tried = fc.asyncProperty(values, (given) => documented(() => call(...(given as never[]))));
      await fc.assert(tried, SEEDED);
    },
    TIMEOUT_MS,
  );

  it.skipIf(args.length === 0)(
    "throws documented errors for what is right but for one thing",
    async () => {
      // The calls' own list of arguments is the test's, and stays as it is.
      const one = fc.nat(args.length - 1).chain((i) => mutated(args[i]).map((wrong) => args.with(i, wrong)));
      const tried = fc.asyncProperty(one, (given) => documented(() => call(...(given as never[]))));
      await fc.assert(tried, SEEDED);
    },
    TIMEOUT_MS,
  );
});
