// A training step that can be taken apart: the library's own plan, buffers and encoding, on real data.

import type { Dataset } from "../../src/data/dataset.ts";
import { tensor } from "../../src/data/tensor.ts";
import { createDataset } from "../../src/datasets/create-dataset.ts";
import { Runtime } from "../../src/gpu/runtime.ts";
import { sweepState } from "../../src/graph/step-state.ts";
import { feedOf } from "../../src/model/calls.ts";
import { type CompileOptions, checkCompileOptions } from "../../src/model/compile-options.ts";
import { Compilation } from "../../src/model/compiled.ts";
import { INTERNALS } from "../../src/model/internals.ts";
import { sgd } from "../../src/optimizers/sgd.ts";
import { prepare } from "../../src/plan/executable.ts";
import type { Plan } from "../../src/plan/plan.ts";
import { adapterClassOf } from "../../src/plan/shipped-tiles.ts";
import { portKey } from "../../src/program/builder.ts";
import type { Feed } from "../../src/program/feed.ts";
import { predictionProgram } from "../../src/program/programs.ts";
import { FRAMES_MS } from "../../src/training/pace.ts";
import type { SweepSettings } from "../../src/training/sweep.ts";
import type { NetworkSpec } from "../networks.ts";
import { modelOf } from "../systems/featuremap.ts";
import { type BenchData, LEARNING_RATE } from "../systems/system.ts";

export interface Step {
  readonly runtime: Runtime;
  readonly plan: Plan;
  /** In the network's order; the nodes of a layer bear its name. */
  readonly layerNames: readonly string[];
  /** Makes the next step the first of the data. */
  rewind(): void;
  encode(pass: GPUComputePassEncoder): void;
  encodeDispatch(pass: GPUComputePassEncoder, dispatch: number): void;
  /** Trains on the data once, as `fit` does. */
  epoch(): Promise<unknown>;
  dispose(): void;
}

const SCALE = 1 / 255;

export interface StepOptions {
  /** Batches that the data has. */
  readonly batches: number;
  /** Steps a submit of `epoch`. Default 1. */
  readonly stepsPerExecution?: number;
  /** Options of `compile` beside the optimizer; the loss is sparse cross-entropy where there is none. */
  readonly compile?: Omit<CompileOptions, "runtime" | "optimizer">;
}

/** Compiles the training step. `epoch` must be called once before anything else: it uploads the order of the samples. */
export async function createStep(
  runtime: Runtime,
  data: BenchData,
  { batches, stepsPerExecution = 1, compile = {} }: StepOptions,
): Promise<Step> {
  const { batch } = data.network;
  const { compiled, network, dispose } = await compiledModel(runtime, data.network, compile);
  const samples = batches * batch;
  const feed = feedOf(await uploaded(runtime, data, samples), network, compiled.settings.training, {});
  const trainer = await compiled.trainer(feed, sweepSettings(batch, stepsPerExecution));
  const state = sweepState({ step: 0, samples, batch });
  return {
    runtime,
    plan: trainer.run.plan,
    layerNames: network.layers.map(({ name }) => name),
    rewind: () => runtime.device.queue.writeBuffer(compiled.variables.store.cursor("training").state, 0, state),
    encode: (pass) => trainer.run.encode(pass),
    encodeDispatch: (pass, dispatch) => trainer.run.encodeStep(pass, dispatch),
    epoch: () => trainer.epoch(undefined),
    dispose: () => {
      trainer.dispose();
      feed.dataset.dispose();
      dispose();
    },
  };
}

/** The model as `compile` makes it. */
export async function compiledModel(runtime: Runtime, spec: NetworkSpec, compile: StepOptions["compile"] = {}) {
  const network = modelOf(spec)[INTERNALS].architecture.network!;
  const options = checkCompileOptions(
    {
      loss: "sparseCategoricalCrossentropy",
      optimizer: sgd({ learningRate: LEARNING_RATE, momentum: spec.momentum ?? 0 }),
      ...compile,
    },
    network.outputs.map(({ name }) => name),
  );
  const compilation = new Compilation({ ...options, runtime, ownsRuntime: false }, new Map());
  return { network, compiled: await compilation.ready(network), dispose: () => compilation.dispose() };
}

/** The prediction of batch after batch, that can be encoded any number of times. */
export interface Inference {
  readonly plan: Plan;
  /** Makes the next batch the first of the data. */
  rewind(): void;
  encode(pass: GPUComputePassEncoder): void;
  dispose(): void;
}

/** Compiles a prediction of `batch` images at a time, over so many batches of data. */
export async function createInference(
  runtime: Runtime,
  data: BenchData,
  { batch, batches }: { batch: number; batches: number },
): Promise<Inference> {
  const { compiled, network, dispose } = await compiledModel(runtime, data.network);
  const samples = batch * batches;
  const feed: Feed = feedOf(await uploaded(runtime, data, samples), network, compiled.settings.training, {});
  const { columns } = feed;
  const { plan, variables, ports } = predictionProgram({
    network,
    capacity: batch,
    columns,
    adapter: adapterClassOf(runtime),
    choices: {},
    limits: runtime.device.limits,
  });
  const executable = await prepare(runtime, plan);
  const bytes = samples * network.outputs[0]!.shape[0]! * 4;
  const rows = await runtime.buffers.createOne({ label: "predictions", bytes });
  const { store } = compiled.variables;
  const bound = store.bindings(variables, "inference");
  bound.set(ports.get(portKey("input"))!, columns[0]!.buffer).set(ports.get(portKey("prediction"))!, rows.buffer);
  const run = executable.bind(bound);
  const state = sweepState({ step: 0, samples, batch });
  return {
    plan,
    rewind: () => runtime.device.queue.writeBuffer(store.cursor("inference").state, 0, state),
    encode: (pass) => run.encode(pass),
    dispose: () => {
      rows.release();
      executable.dispose();
      feed.dataset.dispose();
      dispose();
    },
  };
}

/** The first samples and their labels. */
export function uploaded(runtime: Runtime, { images, labels, network }: Samples, samples: number): Promise<Dataset> {
  const pixels = network.input.reduce((a, b) => a * b, 1);
  return createDataset(runtime, {
    x: tensor(images.subarray(0, samples * pixels), [samples, ...network.input], { scale: SCALE }),
    y: tensor(Uint32Array.from(labels.subarray(0, samples)), [samples]),
  });
}

type Samples = Pick<BenchData, "images" | "labels" | "network">;

export function sweepSettings(batchSize: number, stepsPerExecution: SweepSettings["stepsPerExecution"]): SweepSettings {
  return { batchSize, stepsPerExecution, submitMs: FRAMES_MS };
}

/** The same device, taken for a GPU: plans are then made as for one. */
export function asGpu({ device, adapter }: Runtime): Runtime {
  return new Runtime(device, { ...adapter, software: false }, false);
}
