import { holdsBytes } from "../base/arrays.ts";
import { FeaturemapError, knownKeys, listOf, positiveInteger, show } from "../base/errors.ts";
import { batchShape, elements, type Shape, sameShape } from "../base/shape.ts";
import { type DataInput, type TensorData, toTensor } from "../data/tensor.ts";
import type { OwnedBuffer } from "../gpu/buffers.ts";
import { checked } from "../gpu/checked.ts";
import { readBuffers } from "../gpu/readback.ts";
import { stepState, sweepState } from "../graph/step-state.ts";
import type { CompiledModel } from "../model/compiled.ts";
import { insideOf } from "../model/inside.ts";
import type { Sequential } from "../model/sequential.ts";
import { type BoundPlan, type Executable, prepare } from "../plan/executable.ts";
import { adapterClassOf } from "../plan/shipped-tiles.ts";
import { outputsProgram, type Program } from "../program/programs.ts";

export interface ProbeOptions {
  /** Names of layers, as `model.layers` has them. Default: all. */
  readonly outputs?: readonly string[];
  /** The most samples of a run. Default 1. */
  readonly batchSize?: number;
}

/** A layer's output on the GPU: 32-bit floats, row-major. */
export interface ProbeBuffer {
  /**
   * To be bound as `read-only-storage`, or copied from, not written. It may be larger than `byteLength`, and holds something
   * else while a run is under way.
   */
  readonly buffer: GPUBuffer;
  /** [batchSize, ...output] */
  readonly shape: Shape;
  readonly byteLength: number;
}

/** A layer's output, row-major. */
export interface LayerOutput {
  readonly data: Float32Array;
  /** [samples, ...output] */
  readonly shape: number[];
}

/** What layers put out for given samples, on the model's weights as they are at the time. */
export class Probe {
  /** By layer, in the model's order. The same buffers for every run. */
  readonly buffers: ReadonlyMap<string, ProbeBuffer>;
  readonly #model: Sequential;
  readonly #compiled: CompiledModel;
  readonly #executable: Executable;
  readonly #plan: BoundPlan;
  readonly #owned: readonly OwnedBuffer[];
  readonly #host: Float32Array<ArrayBuffer>;
  readonly #batchSize: number;
  readonly #visit: { leave(): void };
  /** What became of the last run. */
  #ran: Promise<void> = Promise.resolve();
  /** Of the last run. */
  #rows = 0;
  #disposed = false;

  /** @internal Use `createProbe`. */
  constructor(
    model: Sequential,
    compiled: CompiledModel,
    program: Program,
    executable: Executable,
    [samples, state]: readonly OwnedBuffer[],
  ) {
    const { tensors, capacity } = program;
    this.#model = model;
    this.#compiled = compiled;
    this.#executable = executable;
    this.#owned = [samples!, state!];
    this.#batchSize = capacity;
    this.#host = new Float32Array(samples!.bytes / 4);
    const bound = compiled.state.bindings(tensors, "look");
    bound.set(tensors.state, state!.buffer).set(tensors.samples, samples!.buffer);
    let plan: BoundPlan;
    checked(compiled.runtime, "probe", () => {
      plan = executable.bind(bound);
    });
    this.#plan = plan!;
    this.#visit = compiled.host({ dispose: () => this.#free() });
    this.buffers = new Map(
      [...tensors.outputs!].map(([name, tensor]) => {
        const shape = [capacity, ...shapeOf(model, name)];
        return [name, { buffer: this.#plan.bufferOf(tensor), shape, byteLength: elements(shape) * 4 }];
      }),
    );
  }

  /**
   * Writes samples, computes the layers' outputs for them and submits, without waiting: what is submitted later, an app's
   * drawing too, finds them in `buffers`. Nothing is made. Bytes without a scale are scaled as in `fit`. What the GPU refuses, the
   * next `read` throws.
   *
   * @param x [samples, ...input], at most `batchSize` samples; where there are fewer, the later rows of `buffers` mean nothing
   * @throws FeaturemapError `shape` where x does not suit the model or has too many samples; `state` where the probe or the
   *   model was disposed, or the model compiled again; `lost` where the device is lost
   */
  run(x: DataInput): void {
    this.#assertLive("probe.run");
    const samples = toTensor(x, "probe.run: x");
    const rows = this.#checkedRows(samples);
    const [input, state] = this.#owned;
    const { runtime } = this.#compiled;
    const { device } = runtime;
    const numbers = this.#fill(samples);
    this.#ran = checked(runtime, "probe.run", () => {
      device.queue.writeBuffer(input!.buffer, 0, this.#host, 0, numbers);
      if (rows !== this.#rows) {
        device.queue.writeBuffer(state!.buffer, 0, sweepState({ step: 0, samples: rows, batch: rows }));
        this.#rows = rows;
      }
      const encoder = device.createCommandEncoder({ label: "probe" });
      const pass = encoder.beginComputePass({ label: "probe" });
      this.#plan.encode(pass);
      pass.end();
      device.queue.submit([encoder.finish()]);
    });
  }

  /**
   * Reads outputs back: those of the last run, which may be one that began after this call.
   *
   * @param names Default: all of the probe's layers.
   * @throws FeaturemapError `value` for a layer that is not the probe's; `state` before the first run; and as `run` does
   */
  async read(names: readonly string[] = [...this.buffers.keys()]): Promise<Map<string, LayerOutput>> {
    this.#assertLive("probe.read");
    const known = [...this.buffers.keys()];
    for (const name of listOf(names, "probe.read: names")) assertKnown(name, known, "probe.read: the probe");
    const rows = this.#rows;
    if (rows === 0)
      throw new FeaturemapError("state", "probe.read: nothing was computed yet. Call probe.run(x) first.");
    const shapes = names.map((name) => [rows, ...this.buffers.get(name)!.shape.slice(1)]);
    const sources = names.map((name, i) => ({
      buffer: this.buffers.get(name)!.buffer,
      bytes: elements(shapes[i]!) * 4,
    }));
    const assertLive = () => this.#assertLive("probe.read");
    const [read] = await Promise.all([readBuffers(this.#compiled.runtime, sources, { assertLive }), this.#ran]);
    return new Map(names.map((name, i) => [name, { data: new Float32Array(read[i]!), shape: shapes[i]! }]));
  }

  /** Frees the probe's buffers. */
  dispose(): void {
    this.#disposed = true;
    this.#visit.leave();
    this.#free();
  }

  #free(): void {
    this.#executable.dispose();
    for (const owned of this.#owned) owned.release();
  }

  #assertLive(where: string): void {
    if (this.#disposed) throw new FeaturemapError("state", `${where}: the probe was disposed.`);
    this.#compiled.assertLive();
  }

  #checkedRows({ shape: [rows, ...sample] }: TensorData): number {
    const wanted = this.#model.inside.network.inputShape!;
    if (!sameShape(sample, wanted)) {
      const got = `${batchShape(wanted)}, got ${batchShape(sample)}`;
      throw new FeaturemapError("shape", `probe.run: the model takes ${got}.`);
    }
    if (rows! > this.#batchSize) {
      const most = `at most ${this.#batchSize} samples, got ${rows}`;
      throw new FeaturemapError("shape", `probe.run: the probe takes ${most}. Make it with a larger batchSize.`);
    }
    return rows!;
  }

  /** Puts samples in `#host` as the GPU's gather would read them; returns how many numbers they are. */
  #fill({ data, scale }: TensorData): number {
    const factor = Math.fround(scale ?? (holdsBytes(data) ? this.#model.inside.training.byteScale : undefined) ?? 1);
    for (let i = 0; i < data.length; i++) this.#host[i] = factor * data[i]!;
    return data.length;
  }
}

/**
 * Readies the computing of layers' outputs, each as the layer gives it, after its activation, for `probe.run` to repeat on the
 * model's weights as they are by then: also while `fit` runs, from its callbacks or beside it. The probe has its own buffers,
 * and lasts until the model is disposed or compiled again.
 *
 * @throws FeaturemapError `value` for a layer that the model does not have; `state` where the model is not compiled; `limit`
 *   where the adapter cannot run the plan
 */
export function createProbe(model: Sequential, options: ProbeOptions = {}): Promise<Probe> {
  return probeOf(model, options, "createProbe");
}

/**
 * What layers put out for samples: [samples, ...output] by layer. To do so again and again, use `createProbe`.
 *
 * @param names Default: all layers.
 * @throws FeaturemapError `shape` where x does not suit the model; and as `createProbe` does
 */
export async function outputsOf(
  model: Sequential,
  x: DataInput,
  names?: readonly string[],
): Promise<Map<string, LayerOutput>> {
  const where = "outputsOf";
  const { data: given, shape, ...scale } = toTensor(x, `${where}: x`);
  // The caller may go on to change them.
  const data = given.slice();
  const [samples, ...sample] = shape as [number, ...number[]];
  const size = elements(sample);
  const batchSize = Math.min(samples, MOST_ROWS);
  const probe = await probeOf(model, { batchSize, ...(names && { outputs: names }) }, where);
  try {
    const whole = new Map<string, LayerOutput>();
    for (let from = 0; from < samples; from += batchSize) {
      const rows = Math.min(batchSize, samples - from);
      probe.run({ ...scale, data: data.subarray(from * size, (from + rows) * size), shape: [rows, ...sample] });
      for (const [name, part] of await probe.read()) {
        const rest = part.shape.slice(1);
        if (from === 0)
          whole.set(name, { data: new Float32Array(samples * elements(rest)), shape: [samples, ...rest] });
        whole.get(name)!.data.set(part.data, from * elements(rest));
      }
    }
    return whole;
  } finally {
    probe.dispose();
  }
}

/** Samples at a time of `outputsOf`. */
const MOST_ROWS = 32;

async function probeOf(model: Sequential, options: ProbeOptions, where: string): Promise<Probe> {
  knownKeys(options, ["outputs", "batchSize"], where);
  const capacity = positiveInteger(options.batchSize ?? 1, `${where}: batchSize`);
  const { network, compiled } = await insideOf(model, where);
  const known = network.layers.map(({ name }) => name);
  const names = listOf(options.outputs ?? known, `${where}: outputs`);
  for (const name of names) assertKnown(name, known, `${where}: the model`);
  const { runtime, settings } = compiled;
  const { choices, memory, winograd } = settings;
  const { limits } = runtime.device;
  const data = { sampleShape: network.inputShape!, sampleDtype: "f32", scale: 1 } as const;
  const adapter = adapterClassOf(runtime);
  const program = outputsProgram({ network, capacity, data, adapter, limits, choices, memory, winograd }, names);
  const executable = await prepare(runtime, program.plan, { onProgress: compiled.plans.onProgress() });
  const requests = [
    { label: "probe samples", bytes: capacity * elements(network.inputShape!) * 4 },
    { label: "probe state", bytes: stepState().bytes },
  ];
  try {
    const owned = await runtime.buffers.create(requests);
    try {
      compiled.assertLive();
      return new Probe(model, compiled, program, executable, owned);
    } catch (error) {
      for (const { release } of owned) release();
      throw error;
    }
  } catch (error) {
    executable.dispose();
    throw error;
  }
}

function assertKnown(name: unknown, known: readonly string[], owner: string): void {
  if (known.includes(name as string)) return;
  throw new FeaturemapError("value", `${owner} has no layer ${show(name)}. It has: ${known.join(", ")}.`);
}

function shapeOf({ inside }: Sequential, layer: string): Shape {
  return inside.network.built.find(({ name }) => name === layer)!.outputShape;
}
