// A training step that can be taken apart: the library's own plan, buffers and encoding, on real data.

import { createDataset, type Dataset } from "../../src/data/dataset.ts";
import { tensor } from "../../src/data/tensor.ts";
import { Runtime } from "../../src/gpu/runtime.ts";
import { sweepState } from "../../src/graph/step-state.ts";
import { type CompileOptions, checkCompileOptions } from "../../src/model/compile-options.ts";
import { CompiledModel } from "../../src/model/compiled.ts";
import { Network } from "../../src/network/network.ts";
import { sgd } from "../../src/optimizers/optimizer.ts";
import { prepare } from "../../src/plan/executable.ts";
import type { Plan } from "../../src/plan/plan.ts";
import { adapterClassOf } from "../../src/plan/shipped-tiles.ts";
import { dataKind, predictionProgram } from "../../src/program/programs.ts";
import { FRAMES_MS } from "../../src/training/pace.ts";
import type { SweepSettings } from "../../src/training/sweep.ts";
import type { NetworkSpec } from "../networks.ts";
import { layersOf } from "../systems/featuremap.ts";
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
  const { compiled, network } = await compiledModel(runtime, data.network, compile);
  const samples = batches * batch;
  const dataset = await uploaded(runtime, data, samples);
  const trainer = await compiled.trainer(dataset, sweepSettings(batch, stepsPerExecution));
  const state = sweepState({ step: 0, samples, batch });
  return {
    runtime,
    plan: trainer.run.plan,
    layerNames: network.built.map(({ name }) => name),
    rewind: () => runtime.device.queue.writeBuffer(compiled.state.place("train").state, 0, state),
    encode: (pass) => trainer.run.encode(pass),
    encodeDispatch: (pass, dispatch) => trainer.run.encodeStep(pass, dispatch),
    epoch: () => trainer.epoch(undefined),
    dispose: () => {
      trainer.dispose();
      dataset.dispose();
      compiled.dispose();
    },
  };
}

/** The model as `compile` makes it. */
export async function compiledModel(runtime: Runtime, spec: NetworkSpec, compile: StepOptions["compile"] = {}) {
  const network = new Network();
  for (const layer of layersOf(spec)) network.add(layer);
  const options = checkCompileOptions({
    loss: "sparseCategoricalCrossentropy",
    optimizer: sgd({ learningRate: LEARNING_RATE }),
    ...compile,
  });
  const compiled = new CompiledModel({ ...options, runtime, ownsRuntime: false }, network);
  await compiled.ready();
  return { network, compiled };
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
  const { compiled, network } = await compiledModel(runtime, data.network);
  const samples = batch * batches;
  const dataset = await uploaded(runtime, data, samples);
  const { plan, tensors } = predictionProgram({
    network,
    capacity: batch,
    data: dataKind(dataset, SCALE),
    adapter: adapterClassOf(runtime),
    choices: {},
    limits: runtime.device.limits,
  });
  const executable = await prepare(runtime, plan);
  const rows = await runtime.buffers.createOne({ label: "predictions", bytes: samples * network.outputShape![0]! * 4 });
  const bound = compiled.state.bindings(tensors, "look");
  const run = executable.bind(bound.set(tensors.samples, dataset.x.buffer).set(tensors.predictions!, rows.buffer));
  const state = sweepState({ step: 0, samples, batch });
  return {
    plan,
    rewind: () => runtime.device.queue.writeBuffer(compiled.state.place("look").state, 0, state),
    encode: (pass) => run.encode(pass),
    dispose: () => {
      rows.release();
      for (const owner of [executable, dataset, compiled]) owner.dispose();
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
  return { batchSize, scale: SCALE, stepsPerExecution, submitMs: FRAMES_MS };
}

/** The same device, taken for a GPU: plans are then made as for one. */
export function asGpu({ device, adapter }: Runtime): Runtime {
  return new Runtime(device, { ...adapter, software: false }, false);
}
