import { FeaturemapError, knownKeys, listOf, positiveInteger, show } from "../base/errors.ts";
import { batchShape, elements, type Shape, sameShape } from "../base/shape.ts";
import { type ColumnInputs, columnsFor, type HostData, hostData } from "../data/columns.ts";
import type { OwnedBuffer } from "../gpu/buffers.ts";
import { inErrorScope } from "../gpu/error-scope.ts";
import { readBuffers } from "../gpu/readback.ts";
import { stepState, sweepState } from "../graph/step-state.ts";
import { assertFromHost, scalesOf } from "../model/calls.ts";
import type { CompiledModel } from "../model/compiled.ts";
import { INTERNALS, internalsOf, type ModelInternals, type WithInternals } from "../model/internals.ts";
import type { Network } from "../network/network.ts";
import { type BoundPlan, type Executable, prepare } from "../plan/executable.ts";
import { adapterClassOf } from "../plan/shipped-tiles.ts";
import { copyOf } from "../program/batch-slot.ts";
import { portKey } from "../program/builder.ts";
import { outputsProgram, type Program } from "../program/programs.ts";

export interface ProbeOptions {
  /**
   * Names of layers, as in `model.layers`; later uses of a shared layer are `name/use_2` and so on, later outputs of a layer `name:1` and
   * so on. Default: all.
   */
  readonly outputs?: readonly string[];
  /** Most samples in a run. Default 1. */
  readonly batchSize?: number;
}

/** Output of a layer on the GPU: 32-bit floats, row-major. */
export interface ProbeBuffer {
  /**
   * Buffer to bind as `read-only-storage` or to copy from, never to write. It may be larger than `byteLength`. While a run is
   * under way it holds something else.
   */
  readonly buffer: GPUBuffer;
  /** Shape: [batchSize, ...output]. */
  readonly shape: Shape;
  readonly byteLength: number;
}

/** Output of a layer, row-major. */
export interface LayerOutput {
  readonly data: Float32Array;
  /** Shape: [samples, ...output]. */
  readonly shape: number[];
}

/** Probe: computes outputs of layers for given samples, by the model's current weights. */
export class Probe {
  /** Buffers by layer, in the model's order. They are the same for every run. */
  readonly buffers: ReadonlyMap<string, ProbeBuffer>;
  readonly #internals: ModelInternals;
  readonly #compiled: CompiledModel;
  readonly #executable: Executable;
  readonly #plan: BoundPlan;
  readonly #owned: readonly OwnedBuffer[];
  readonly #state: GPUBuffer;
  readonly #samples: readonly GPUBuffer[];
  readonly #batchSize: number;
  readonly #disposal: { cancel(): void };
  /** Outcome of the last run. */
  #ran: Promise<void> = Promise.resolve();
  /** Samples of the last run. */
  #rows = 0;
  #disposed = false;

  /** @internal Use `createProbe`. */
  constructor(
    internals: ModelInternals,
    compiled: CompiledModel,
    program: Program,
    executable: Executable,
    layers: readonly string[],
    owned: readonly OwnedBuffer[],
  ) {
    const { variables, ports, capacity } = program;
    const [state, ...samples] = owned.map(({ buffer }) => buffer);
    this.#internals = internals;
    this.#compiled = compiled;
    this.#executable = executable;
    this.#owned = owned;
    this.#batchSize = capacity;
    this.#state = state!;
    this.#samples = samples;
    const bound = compiled.variables.store.bindings(variables, "inference");
    bound.set(variables.get("state")!, state!);
    samples.forEach((buffer, i) => {
      bound.set(ports.get(portKey("input", i))!, buffer);
    });
    let plan: BoundPlan;
    inErrorScope(compiled.settings.runtime, "probe", () => {
      plan = executable.bind(bound);
    });
    this.#plan = plan!;
    this.#disposal = compiled.lifetime.disposeAtEnd({ dispose: () => this.#free() });
    const outputs = compiled.network.uses.flatMap((use) => use.outputs);
    this.buffers = new Map(
      layers.map((name) => {
        const shape = [capacity, ...outputs.find((output) => output.name === name)!.shape];
        const buffer = this.#plan.bufferOf(program.layerOutputs.get(name)!);
        return [name, { buffer, shape, byteLength: elements(shape) * 4 }];
      }),
    );
  }

  /**
   * Writes samples, computes the layers' outputs for them and submits, without waiting. Later submits, an app's drawing too, find
   * the outputs in `buffers`. Nothing is made. Bytes without a scale are scaled as in `fit`. If the GPU refuses something, the next
   * `read` throws it.
   *
   * @param x [samples, ...input], at most `batchSize` samples. If there are fewer, the later rows of `buffers` mean nothing.
   * @throws FeaturemapError `shape` where x does not suit the model or has too many samples; `state` where the probe or the
   *   model was disposed, or the model compiled again; `lost` where the device is lost
   */
  run(x: ColumnInputs): void {
    this.#assertLive("probe.run");
    const data = hostData({ x });
    this.#check(data);
    const { network, settings } = this.#compiled;
    const { device } = settings.runtime;
    const numbers = floatsOf(data, network, this.#internals.training.byteScales);
    this.#ran = inErrorScope(settings.runtime, "probe.run", () => {
      numbers.forEach((values, i) => {
        device.queue.writeBuffer(this.#samples[i]!, 0, values);
      });
      if (data.size !== this.#rows) {
        const state = sweepState({ step: 0, samples: data.size, batch: data.size });
        device.queue.writeBuffer(this.#state, 0, state);
        this.#rows = data.size;
      }
      const encoder = device.createCommandEncoder({ label: "probe" });
      const pass = encoder.beginComputePass({ label: "probe" });
      this.#plan.encode(pass);
      pass.end();
      device.queue.submit([encoder.finish()]);
    });
  }

  /**
   * Reads back the outputs of the last run, which may be one that began after this call.
   *
   * @param names Default: all of the probe's layers.
   * @throws FeaturemapError `value` for a layer that is not the probe's; `state` before the first run; otherwise as `run` does
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
    const [read] = await Promise.all([
      readBuffers(this.#compiled.settings.runtime, sources, { assertLive }),
      this.#ran,
    ]);
    return new Map(names.map((name, i) => [name, { data: new Float32Array(read[i]!), shape: shapes[i]! }]));
  }

  /** Frees the probe's buffers. */
  dispose(): void {
    this.#disposed = true;
    this.#disposal.cancel();
    this.#free();
  }

  #free(): void {
    this.#executable.dispose();
    for (const owned of this.#owned) owned.release();
  }

  #assertLive(where: string): void {
    if (this.#disposed) throw new FeaturemapError("state", `${where}: the probe was disposed.`);
    this.#compiled.lifetime.assertLive();
  }

  #check(data: HostData): void {
    const { network } = this.#compiled;
    columnsFor(network.inputs, data.columns, "probe.run: x").forEach(({ shape }, i) => {
      const { name, shape: wanted } = network.inputs[i]!;
      if (sameShape(shape, wanted)) return;
      const what = network.inputs.length === 1 ? "the model" : `the model's input "${name}"`;
      const got = `${batchShape(wanted)}, got ${batchShape(shape)}`;
      throw new FeaturemapError("shape", `probe.run: ${what} takes ${got}.`);
    });
    assertFromHost(data, "probe.run");
    if (data.size > this.#batchSize) {
      const most = `at most ${this.#batchSize} samples, got ${data.size}`;
      throw new FeaturemapError("shape", `probe.run: the probe takes ${most}. Make it with a larger batchSize.`);
    }
  }
}

/** Converts samples to floats as the GPU's gather would, input by input. */
function floatsOf(
  data: HostData,
  network: Network,
  byteScales: Readonly<Record<string, number>>,
): Float32Array<ArrayBuffer>[] {
  const scales = scalesOf(data, network, byteScales);
  return columnsFor(network.inputs, data.columns, "x").map(({ words, dtype, shape }, i) => {
    const count = data.size * elements(shape);
    const { buffer, byteOffset } = words!;
    const numbers =
      dtype === "u8" ? new Uint8Array(buffer, byteOffset, count) : new Float32Array(buffer, byteOffset, count);
    const scale = Math.fround(scales[i]!);
    return Float32Array.from(numbers, (value) => scale * value);
  });
}

/**
 * Makes a probe, which computes layers' outputs, each after its activation. `probe.run` uses the model's current weights, also while
 * `fit` runs, from its callbacks or beside it. The probe has its own buffers. It lasts until the model is disposed or
 * compiled again.
 *
 * @throws FeaturemapError `value` for a layer that the model does not have; `state` where the model is not compiled; `limit`
 *   where the adapter cannot run the plan
 */
export function createProbe(model: WithInternals, options: ProbeOptions = {}): Promise<Probe> {
  return probeOf(model, options, "createProbe");
}

/**
 * Computes layers' outputs for samples: [samples, ...output] by layer. To do so again and again, use `createProbe`.
 *
 * @param names Default: all layers.
 * @throws FeaturemapError `shape` where x does not suit the model; and as `createProbe` does
 */
export async function outputsOf(
  model: WithInternals,
  x: ColumnInputs,
  names?: readonly string[],
): Promise<Map<string, LayerOutput>> {
  const where = "outputsOf";
  const given = hostData({ x });
  assertFromHost(given, where);
  // A copy, since the caller may go on to change the samples.
  const data = copyOf(given);
  const samples = data.size;
  const batchSize = Math.min(samples, MAX_ROWS);
  const probe = await probeOf(model, { batchSize, ...(names && { outputs: names }) }, where);
  try {
    const whole = new Map<string, LayerOutput>();
    for (let from = 0; from < samples; from += batchSize) {
      const rows = Math.min(batchSize, samples - from);
      probe.run(rowsOf(data, from, rows));
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

/** Takes a range of samples. */
function rowsOf({ columns }: HostData, from: number, rows: number): ColumnInputs {
  const parts = columns.map(({ name, words, dtype, shape, scale }) => {
    const size = elements(shape);
    const { buffer, byteOffset } = words!;
    const data =
      dtype === "u8"
        ? new Uint8Array(buffer, byteOffset + from * size, rows * size)
        : new Float32Array(buffer, byteOffset + from * size * 4, rows * size);
    return [name, { data, shape: [rows, ...shape], ...(scale !== undefined && { scale }) }] as const;
  });
  const [first] = parts;
  return first![0] === undefined ? first![1] : Object.fromEntries(parts);
}

/** Most samples that `outputsOf` computes at a time. */
const MAX_ROWS = 32;

async function probeOf(model: WithInternals, options: ProbeOptions, where: string): Promise<Probe> {
  knownKeys(options, ["outputs", "batchSize"], where);
  const capacity = positiveInteger(options.batchSize ?? 1, `${where}: batchSize`);
  const { network, compiled } = await internalsOf(model, where);
  const known = network.uses.flatMap(({ outputs }) => outputs.map(({ name }) => name));
  const wanted = listOf(options.outputs ?? known, `${where}: outputs`);
  for (const name of wanted) assertKnown(name, known, `${where}: the model`);
  const names = known.filter((name) => wanted.includes(name));
  const { runtime, choices, memory, winograd } = compiled.settings;
  const { limits } = runtime.device;
  const adapter = adapterClassOf(runtime);
  const program = outputsProgram({ network, capacity, adapter, limits, choices, memory, winograd }, names);
  const executable = await prepare(runtime, program.plan, { onProgress: compiled.plans.onProgress() });
  const requests = [
    { label: "probe state", bytes: stepState().bytes },
    ...network.inputs.map(({ shape }) => ({ label: "probe samples", bytes: capacity * elements(shape) * 4 })),
  ];
  try {
    const owned = await runtime.buffers.create(requests);
    try {
      compiled.lifetime.assertLive();
      return new Probe(model[INTERNALS], compiled, program, executable, names, owned);
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
