import { anObject, FeaturemapError, finiteNumber, knownKeys, oneOf, positiveInteger } from "../base/errors.ts";
import type { Shape } from "../base/shape.ts";
import type { OwnedBuffer } from "../gpu/buffers.ts";
import { inErrorScope } from "../gpu/error-scope.ts";
import { limitRemedy } from "../gpu/limit.ts";
import { stepState, sweepState } from "../graph/step-state.ts";
import type { TensorId } from "../graph/tensor.ts";
import type { CompiledModel } from "../model/compiled.ts";
import { internalsOf, type WithInternals } from "../model/internals.ts";
import type { Network } from "../network/network.ts";
import type { BoundPlan } from "../plan/executable.ts";
import { type PortColumn, portKey } from "../program/builder.ts";
import type { PreparedPlan } from "../program/plans.ts";
import { programOf } from "../program/programs.ts";
import { forward, gather, predictions } from "../program/stages.ts";
import { type AppBuffers, type AppPort, assertApart, type Bound, ByBuffers, boundFor, bytesOf } from "./app-buffers.ts";
import { assertTarget, type RecordTarget, recordInto } from "./target.ts";

/** Kind of the numbers in an input's buffer. */
export interface RecordedInput {
  /** Type: `f32` (default), or `u8`, bytes, four to a word. */
  readonly dtype?: "f32" | "u8";
  /** Factor of every number, applied on the GPU. Default: 1, or that of the last `fit` for bytes. */
  readonly scale?: number;
}

export interface InferenceRecorderOptions {
  /** Most samples of a record. Default 1. */
  readonly batchSize?: number;
  /** Kind of the input's numbers, or of each of several inputs by name. Default: 32-bit floats. */
  readonly input?: RecordedInput | Readonly<Record<string, RecordedInput>>;
}

/** Buffers of one record. */
export interface InferenceBuffers {
  /** Samples: [samples, ...input], row-major. */
  readonly input: AppBuffers;
  /** Outputs: [samples, ...output], 32-bit floats, row-major. */
  readonly output: AppBuffers;
  /** Number of samples, at most and by default the recorder's `batchSize`. Rows of the output behind them are left alone. */
  readonly samples?: number;
}

/** State of a step of so many samples, which no kernel changes, and the plans that were bound to it. */
interface Slot {
  readonly state: GPUBuffer;
  readonly plans: ByBuffers<BoundPlan>;
}

/** Records a model's inference into an app's own commands, from buffers of the app's to buffers of the app's. */
export class InferenceRecorder {
  /** Most samples of a record. */
  readonly batchSize: number;
  readonly #compiled: CompiledModel;
  readonly #prepared: PreparedPlan;
  readonly #inputs: readonly AppPort[];
  readonly #outputs: readonly AppPort[];
  readonly #slots = new Map<number, Slot>();
  readonly #owned: OwnedBuffer[] = [];
  readonly #disposal: { cancel(): void };
  /** Error of an earlier record, for the next call. */
  #refused: unknown;
  #disposed = false;
  /** Whether the recorder or its model was disposed. */
  #freed = false;

  /** @internal Use `createInferenceRecorder`. */
  constructor(
    compiled: CompiledModel,
    prepared: PreparedPlan,
    inputs: readonly AppPort[],
    outputs: readonly AppPort[],
  ) {
    this.#compiled = compiled;
    this.#prepared = prepared;
    this.#inputs = inputs;
    this.#outputs = outputs;
    this.batchSize = prepared.program.capacity;
    this.#disposal = compiled.lifetime.disposeAtEnd({ dispose: () => this.#free() });
    this.#slotOf(this.batchSize);
  }

  /** Dispatches of a record. */
  get dispatches(): number {
    return this.#prepared.program.plan.steps.length;
  }

  /**
   * Records the network for samples in a buffer. In a compute pass it records dispatches only, and leaves pipeline and bind group 0
   * changed. In a command encoder it opens a pass of its own. It writes, reads and submits nothing. The GPU reads samples and weights
   * when it runs the record, so each record sees its own buffers. Bind groups are made when buffers come for the first time, and
   * kept as long as those live.
   *
   * @throws FeaturemapError before anything is recorded: `value` for a wrong target, buffer or option; `shape` if a buffer is too small,
   *   or there are too many samples; `state` if the recorder or the model was disposed, or the model compiled again; `lost` if the
   *   device is lost; `device` if the GPU refused the buffers of an earlier record
   * @example
   * const pass = encoder.beginComputePass();
   * inference.record(pass, { input: left, output: scores });
   * inference.record(pass, { input: right, output: { buffer: scores, offset: 256 } });
   * pass.end();
   */
  record(target: RecordTarget, buffers: InferenceBuffers): void {
    const where = "inference.record";
    this.#assertLive(where);
    assertTarget(target, where);
    knownKeys(buffers, ["input", "output", "samples"], where);
    const samples = positiveInteger(buffers.samples ?? this.batchSize, `${where}: samples`);
    if (samples > this.batchSize) {
      const most = `at most ${this.batchSize} samples, got ${samples}`;
      throw new FeaturemapError("shape", `${where}: the recorder takes ${most}. Make it with a larger batchSize.`);
    }
    const { minStorageBufferOffsetAlignment: alignment } = this.#compiled.settings.runtime.device.limits;
    const inputs = boundFor(buffers.input, this.#inputs, samples, alignment, `${where}: input`);
    const outputs = boundFor(buffers.output, this.#outputs, samples, alignment, `${where}: output`);
    assertApart(inputs, outputs, where);
    const run = this.#bound(this.#slotOf(samples), inputs, outputs);
    recordInto(target, "inference", (pass) => run.encode(pass));
  }

  /** Frees the recorder's buffers. Submit what was recorded first: the GPU refuses it afterwards. */
  dispose(): void {
    this.#disposed = true;
    this.#disposal.cancel();
    this.#free();
  }

  #free(): void {
    this.#freed = true;
    this.#prepared.executable.dispose();
    for (const owned of this.#owned) owned.release();
  }

  #assertLive(where: string): void {
    if (this.#disposed) throw new FeaturemapError("state", `${where}: the recorder was disposed.`);
    this.#compiled.lifetime.assertLive();
    const refused = this.#refused;
    this.#refused = undefined;
    if (refused) throw refused;
  }

  /** Finds or makes the slot for so many samples. Its state is written once, so that no later write comes before an app's submit. */
  #slotOf(samples: number): Slot {
    const known = this.#slots.get(samples);
    if (known) return known;
    const { runtime } = this.#compiled.settings;
    let state: GPUBuffer | undefined;
    const made = runtime.buffers.create([{ label: "recorded state", bytes: stepState().bytes }], ([buffer]) => {
      state = buffer;
      runtime.device.queue.writeBuffer(buffer!, 0, sweepState({ step: 0, samples, batch: samples }));
    });
    const kept = made.then(([owned]) => {
      this.#owned.push(owned!);
      if (this.#freed) owned!.release();
    });
    this.#watch(kept, () => this.#slots.delete(samples));
    const slot = { state: state!, plans: new ByBuffers<BoundPlan>() };
    this.#slots.set(samples, slot);
    return slot;
  }

  #bound({ state, plans }: Slot, inputs: readonly Bound[], outputs: readonly Bound[]): BoundPlan {
    const place = plans.at([...inputs, ...outputs]);
    if (place.value) return place.value;
    const { program, executable } = this.#prepared;
    const { store } = this.#compiled.variables;
    const bound = new Map<TensorId, GPUBuffer | GPUBufferBinding>(store.bindings(program.variables, "inference"));
    bound.set(program.variables.get("state")!, state);
    inputs.forEach((part, i) => {
      bound.set(program.ports.get(portKey("input", i))!, part);
    });
    outputs.forEach((part, i) => {
      bound.set(program.ports.get(portKey("prediction", i))!, part);
    });
    let run: BoundPlan;
    const taken = inErrorScope(this.#compiled.settings.runtime, "inference.record", () => {
      run = executable.bind(bound);
    });
    this.#watch(taken, () => {
      place.value = undefined;
    });
    place.value = run!;
    return run!;
  }

  /** Keeps an error for the next call, and undoes what it spoils. */
  #watch(done: Promise<void>, undo: () => void): void {
    done.catch((error: unknown) => {
      this.#refused ??= error;
      undo();
    });
  }
}

/**
 * Makes a recorder, which puts a model's inference into an app's command encoders and compute passes, from a `GPUBuffer` to a
 * `GPUBuffer`. The library submits, writes and reads back nothing. Kernels and bits are those of `predict` with the same batch size.
 * The recorder lasts until the model is disposed or compiled again.
 *
 * @throws FeaturemapError `value` for a wrong option; `state` if the model is not compiled; `limit` if the adapter cannot run the plan
 *   or bind as much
 * @example
 * const inference = await createInferenceRecorder(model, { batchSize: 2, input: { dtype: "u8", scale: 1 / 255 } });
 * inference.record(encoder, { input: pixels, output: scores });
 * device.queue.submit([encoder.finish()]);
 */
export async function createInferenceRecorder(
  model: WithInternals,
  options: InferenceRecorderOptions = {},
): Promise<InferenceRecorder> {
  const where = "createInferenceRecorder";
  knownKeys(options, ["batchSize", "input"], where);
  const { batchSize = 1, input } = options;
  positiveInteger(batchSize, `${where}: batchSize`, 31);
  const { network, compiled, training } = await internalsOf(model, where);
  const columns = columnsOf(network, input, training.byteScales, `${where}: input`);
  const inputs = columns.map(({ dtype }, i): AppPort => ({ ...network.inputs[i]!, dtype }));
  const outputs = network.outputs.map(({ name, shape }): AppPort => ({ name, shape, dtype: "f32" }));
  for (const port of [...inputs, ...outputs]) assertBindable(compiled, port, batchSize, where);
  const stages = [gather({ shuffled: false }), forward({ training: false }), predictions];
  const prepared = await compiled.plans.prepare((device) =>
    programOf("predict", "prediction step", stages, { ...device, capacity: batchSize, columns }),
  );
  return new InferenceRecorder(compiled, prepared, inputs, outputs);
}

type RecordedColumn = PortColumn & { readonly dtype: "f32" | "u8"; readonly shape: Shape };

function columnsOf(
  { inputs }: Network,
  given: InferenceRecorderOptions["input"] = {},
  byteScales: Readonly<Record<string, number>>,
  where: string,
): RecordedColumn[] {
  anObject(given, where);
  const one = inputs.length === 1;
  if (!one)
    knownKeys(
      given as Readonly<Record<string, RecordedInput>>,
      inputs.map(({ name }) => name),
      where,
    );
  return inputs.map(({ name, shape }, index) => {
    const at = one ? where : `${where}.${name}`;
    const kind: RecordedInput = (one ? given : (given as Readonly<Record<string, RecordedInput>>)[name]) ?? {};
    knownKeys(kind, ["dtype", "scale"], at);
    const dtype = oneOf(kind.dtype ?? "f32", ["f32", "u8"], `${at}: dtype`);
    const scale = kind.scale ?? (dtype === "u8" ? byteScales[name] : undefined) ?? 1;
    return { role: "input", index, shape, dtype, scale: finiteNumber(scale, `${at}: scale`) };
  });
}

function assertBindable({ settings }: CompiledModel, port: AppPort, samples: number, where: string): void {
  const { device, ownsDevice } = settings.runtime;
  const bytes = bytesOf(port, samples);
  const most = device.limits.maxStorageBufferBindingSize;
  if (bytes <= most) return;
  const what = `"${port.name}" of ${samples} samples is ${bytes} bytes`;
  const limit = `this device's maxStorageBufferBindingSize is ${most}`;
  const remedy = limitRemedy(["maxStorageBufferBindingSize"], bytes, ownsDevice);
  throw new FeaturemapError("limit", `${where}: ${what}, but ${limit}. ${remedy}`);
}
