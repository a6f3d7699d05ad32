import { assertMadeBy, FeaturemapError, flag, knownKeys, positiveInteger, wholeNumber, wrong } from "../base/errors.ts";
import { seedOf } from "../base/random.ts";
import { type Dataset, isDataset } from "../data/dataset.ts";
import { inErrorScope } from "../gpu/error-scope.ts";
import { type PendingRead, ReadbackRing } from "../gpu/readback.ts";
import { sweepState } from "../graph/step-state.ts";
import { byteLength, type TensorId } from "../graph/tensor.ts";
import { isOfSweep, type Variable } from "../graph/variable.ts";
import { byteScalesOf, checkLabels, feedOf } from "../model/calls.ts";
import type { CompiledModel } from "../model/compiled.ts";
import { INTERNALS, internalsOf, type ModelInternals, type WithInternals } from "../model/internals.ts";
import { beginStep, shuffleLayout } from "../ops/batch/begin-step.ts";
import type { BoundPlan } from "../plan/executable.ts";
import { portColumn, portKey, type Stage } from "../program/builder.ts";
import type { Feed } from "../program/feed.ts";
import type { Figures } from "../program/measures.ts";
import type { PreparedPlan } from "../program/plans.ts";
import { programOf, type TrainingOptions, trainingProgram } from "../program/programs.ts";
import { stateVariable, variablesOf } from "../program/variables.ts";
import { assertTarget, type RecordTarget, recordInto } from "./target.ts";

export interface TrainingRecorderOptions {
  /** Samples a step. Default 32. The last step of an epoch may take fewer. */
  readonly batchSize?: number;
  /** Whether each epoch takes the samples in a new order, which the GPU makes. Default false: in the order in which they lie. */
  readonly shuffle?: boolean;
  /** Seed of the orders, which are not those of `fit`. Default: the seed that `compile` was given. */
  readonly seed?: number;
}

/** Buffers of a recorder: its place in the data, and what its steps add up. */
interface Own {
  /** State of the step and metrics, by path. They stand in for those of the model. */
  readonly variables: ReadonlyMap<string, GPUBuffer>;
  readonly metrics: readonly GPUBuffer[];
  readonly shuffle: GPUBuffer;
  readonly order: GPUBuffer;
  readonly ring: ReadbackRing;
  release(): void;
}

/** Records training steps of a model into an app's own commands. */
export class TrainingRecorder {
  /** Samples a step. */
  readonly batchSize: number;
  readonly #internals: ModelInternals;
  readonly #compiled: CompiledModel;
  readonly #feed: Feed;
  readonly #prepared: readonly PreparedPlan[];
  /** Plans of a step: what begins it, and the step. */
  readonly #plans: readonly BoundPlan[];
  readonly #own: Own;
  readonly #disposal: { cancel(): void };
  #reading: Promise<unknown> = Promise.resolve();
  #disposed = false;

  /** @internal Use `createTrainingRecorder`. */
  constructor(of: {
    readonly internals: ModelInternals;
    readonly compiled: CompiledModel;
    readonly feed: Feed;
    readonly prepared: readonly PreparedPlan[];
    readonly plans: readonly BoundPlan[];
    readonly own: Own;
  }) {
    this.#internals = of.internals;
    this.#compiled = of.compiled;
    this.#feed = of.feed;
    this.#prepared = of.prepared;
    this.#plans = of.plans;
    this.#own = of.own;
    this.batchSize = of.prepared[0]!.program.capacity;
    this.#disposal = of.compiled.lifetime.disposeAtEnd({ dispose: () => this.#free() });
  }

  /** Dispatches of a step. */
  get dispatches(): number {
    return this.#plans.reduce((sum, { plan }) => sum + plan.steps.length, 0);
  }

  /**
   * Records training steps. In a compute pass it records dispatches only, and leaves pipeline and bind group 0 changed. In a command
   * encoder it opens a pass of its own. It makes, writes, reads and submits nothing. The GPU keeps the recorder's place in the data.
   * So steps take the batches in the order of the app's submits, and steps that are never submitted train nothing. The next epoch
   * begins behind the last sample.
   *
   * Submit what was recorded before the model's next `fit`, `trainOnBatch`, `setWeights` or `restore`. Otherwise its steps come in
   * between theirs, and such a `fit` cannot be repeated to the bit.
   *
   * @param options `steps`: number of steps. Default 1.
   * @throws FeaturemapError before anything is recorded: `value` for a wrong target or number of steps; `state` if the model is busy, as
   *   with `fit`, if the recorder, the model or the data set was disposed, or the model compiled again; `lost` if the device is lost
   * @example training.record(encoder, { steps: 4 });
   */
  record(target: RecordTarget, options: { readonly steps?: number } = {}): void {
    const where = "training.record";
    this.#assertLive(where);
    this.#feed.dataset.assertLive();
    assertTarget(target, where);
    knownKeys(options, ["steps"], where);
    const steps = positiveInteger(options.steps ?? 1, `${where}: steps`);
    this.#internals.assertIdle(where);
    if (this.#compiled.variables.reading)
      throw new FeaturemapError("state", `${where}: the weights are being read, in several submits. Await that first.`);
    const { training } = this.#internals;
    training.bookmark = undefined;
    training.byteScales = byteScalesOf(this.#feed.dataset, this.#compiled.network);
    recordInto(target, "training", (pass) => {
      for (let i = 0; i < steps; i++) for (const plan of this.#plans) plan.encode(pass);
    });
  }

  /**
   * Reads the figures of the steps that were submitted since the last read, in a submit of its own. `logs` has mean loss and metrics as
   * in `fit`; they are NaN if there were no steps. `samples` counts the samples of these steps. `badStep` is the first of them, counted
   * from 1, whose loss is a NaN or infinite; 0 if there is none.
   *
   * @throws FeaturemapError `state` if the recorder or the model was disposed, or the model compiled again; `lost` if the device is lost
   */
  read(): Promise<Figures> {
    const where = "training.read";
    const read = async () => {
      this.#assertLive(where);
      const { runtime } = this.#compiled.settings;
      const { metrics, ring } = this.#own;
      let pending: PendingRead;
      const submitted = inErrorScope(runtime, where, () => {
        const encoder = runtime.device.createCommandEncoder({ label: where });
        pending = ring.record(encoder, metrics)!;
        for (const metric of metrics) encoder.clearBuffer(metric);
        runtime.device.queue.submit([encoder.finish()]);
      });
      const [bytes] = await Promise.all([pending!.read(), submitted]);
      return this.#compiled.measures!.decode(bytes);
    };
    // One after the other, since there is one staging buffer.
    const mine = this.#reading.then(read);
    this.#reading = mine.catch(() => {});
    return mine;
  }

  /** Frees the recorder's buffers. Submit what was recorded first: the GPU refuses it afterwards. */
  dispose(): void {
    this.#disposed = true;
    this.#disposal.cancel();
    this.#free();
  }

  #free(): void {
    for (const { executable } of this.#prepared) executable.dispose();
    this.#own.release();
  }

  #assertLive(where: string): void {
    if (this.#disposed) throw new FeaturemapError("state", `${where}: the recorder was disposed.`);
    this.#compiled.lifetime.assertLive();
  }
}

/**
 * Makes a recorder, which puts training steps into an app's command encoders and compute passes. Columns of the data set may be
 * buffers that the app writes itself. Steps are those of `fit`, to the bit: they change weights and optimizer state, and count as the
 * model's steps. Hyperparameters are those of the time of a submit. Place, order and figures are the recorder's own. It lasts until
 * the model or the data set is disposed, or the model compiled again.
 *
 * @throws FeaturemapError `value`, `shape` if data, labels or options do not suit the model; `state` if the model is not compiled for
 *   training, or the data set is on another runtime or disposed; `limit` if the adapter cannot run the plan; `device` if the GPU refuses
 *   a buffer of the data set
 * @example
 * const dataset = await createDataset(runtime, { x: { buffer: samples, shape: [64, 8] }, y: { buffer: labels, shape: [64, 4] } });
 * const training = await createTrainingRecorder(model, dataset, { batchSize: 16 });
 * training.record(encoder, { steps: 4 });
 * device.queue.submit([encoder.finish()]);
 * const { logs } = await training.read();
 */
export async function createTrainingRecorder(
  model: WithInternals,
  dataset: Dataset,
  options: TrainingRecorderOptions = {},
): Promise<TrainingRecorder> {
  const where = "createTrainingRecorder";
  knownKeys(options, ["batchSize", "shuffle", "seed"], where);
  assertMadeBy(isDataset(dataset), dataset, `${where}: dataset`, "await createDataset()");
  const { batchSize = 32, shuffle = false, seed } = dataset.sized?.(options, where) ?? options;
  positiveInteger(batchSize, `${where}: batchSize`);
  flag(shuffle, `${where}: shuffle`);
  if (seed !== undefined) wholeNumber(seed, `${where}: seed`);
  const { compiled } = await internalsOf(model, where);
  const internals = model[INTERNALS];
  const { settings, lifetime, plans } = compiled;
  const [training, feed] = checkedFeed(internals, compiled, dataset, where);
  const capacity = Math.min(batchSize, dataset.size);
  const columns = feed.columns.map(portColumn);
  const freed: { dispose(): void }[] = [];
  try {
    const step = await plans.prepare((device) => trainingProgram({ ...device, ...training, capacity, columns }));
    freed.push(step.executable);
    const begin = await plans.prepare((device) =>
      programOf("begin", "begin of a training step", [beginning(shuffle)], { ...device, capacity }),
    );
    freed.push(begin.executable);
    const place = { samples: dataset.size, batch: capacity, seed: seed ?? settings.seed };
    const own = await ownOf(compiled, training, place);
    freed.push({ dispose: own.release });
    lifetime.assertLive();
    let bound: readonly BoundPlan[] = [];
    await inErrorScope(settings.runtime, where, () => {
      bound = [boundBegin(compiled, own, begin), boundStep(compiled, feed, own, step)];
    });
    lifetime.assertLive();
    return new TrainingRecorder({ internals, compiled, feed, prepared: [begin, step], plans: bound, own });
  } catch (error) {
    for (const each of freed) each.dispose();
    throw error;
  }
}

type Training = Pick<TrainingOptions, "measures" | "optimizer" | "augment">;

/** Checks a data set, and gives what a model is trained by and the data set as the model reads it. */
function checkedFeed(
  { architecture }: ModelInternals,
  { settings, measures, network }: CompiledModel,
  dataset: Dataset,
  where: string,
): [Training, Feed] {
  const { training, runtime } = settings;
  if (!training || !measures) {
    const why = "the model was compiled without a loss";
    throw new FeaturemapError("state", `${where}: ${why}. Give compile() one.`);
  }
  dataset.assertLive();
  if (dataset.order)
    throw wrong(`${where}: dataset`, "be a whole data set, not a part with an order of its own", dataset);
  if (dataset.runtime !== runtime) {
    const remedy = "Make both with one createRuntime()";
    throw new FeaturemapError("state", `${where}: the data set is on another runtime than the model. ${remedy}.`);
  }
  architecture.networkFor(dataset, `${where}: x`);
  checkLabels(dataset, network, training, where);
  // Bytes without a scale of their own are numbers from 0 to 255, as in a `fit` on them.
  const feed = feedOf(dataset, network, training, byteScalesOf(dataset, network));
  return [{ ...training, measures }, feed];
}

/** Path of the model's own state, whose number of steps all training shares. */
const MODEL_STATE = "model state";
const SHUFFLE = "shuffle";

/** Stage that begins a step. Its number is the model's, its batch the recorder's next. */
function beginning(shuffled: boolean): Stage {
  return (builder) => {
    const shape = [shuffleLayout().words];
    const modelState = builder.variable({ ...stateVariable(), path: MODEL_STATE });
    const shuffle = builder.variable({ ...stateVariable(), path: SHUFFLE, shape });
    const order = builder.port("order", 0, "order", { shape: [], dtype: "u32" });
    builder.add(beginStep, { state: builder.state, modelState, shuffle, order }, { shuffled });
  };
}

/** Sets the orders' stream of seeds apart from others. */
const ORDERS = 0x0eca;

/** Key that the kernel makes the seed of an epoch's order from: `seedOf(seed, ORDERS, epoch)`, epochs counted from 0. */
function orderKey(seed: number): number {
  return seedOf(seed, ORDERS);
}

async function ownOf(
  { settings, network }: CompiledModel,
  { optimizer, measures }: Training,
  { samples, batch, seed }: { readonly samples: number; readonly batch: number; readonly seed: number },
): Promise<Own> {
  const { runtime } = settings;
  const variables = variablesOf(network, optimizer, measures).filter(isOfSweep);
  const metrics = variables.filter(({ role }) => role === "metric");
  const metricBytes = metrics.reduce((sum, variable) => sum + byteLength(variable), 0);
  const requests = [
    ...variables.map((variable: Variable) => ({ label: `recorded ${variable.path}`, bytes: byteLength(variable) })),
    { label: "recorded shuffle", bytes: shuffleLayout().bytes },
    { label: "recorded order", bytes: samples * 4 },
    ...ReadbackRing.requests(metricBytes, 1),
  ];
  const state = variables.findIndex(({ role }) => role === "state");
  const owned = await runtime.buffers.create(requests, (buffers) => {
    const { queue } = runtime.device;
    queue.writeBuffer(buffers[state]!, 0, sweepState({ step: 0, samples, batch }));
    queue.writeBuffer(buffers[variables.length]!, 0, shuffleLayout().write({ key: orderKey(seed), epoch: 0 }));
  });
  const buffers = owned.map(({ buffer }) => buffer);
  const byPath = new Map(variables.map(({ path }, i) => [path, buffers[i]!]));
  const ring = new ReadbackRing(runtime, metricBytes, owned.slice(-1));
  return {
    variables: byPath,
    metrics: metrics.map(({ path }) => byPath.get(path)!),
    shuffle: buffers[variables.length]!,
    order: buffers[variables.length + 1]!,
    ring,
    release: () => {
      ring.dispose();
      for (const each of owned.slice(0, -1)) each.release();
    },
  };
}

function boundBegin({ variables }: CompiledModel, own: Own, { program, executable }: PreparedPlan): BoundPlan {
  const bound = new Map<TensorId, GPUBuffer>();
  bound.set(program.variables.get("state")!, own.variables.get("state")!);
  bound.set(program.variables.get(MODEL_STATE)!, variables.store.cursor("training").state);
  bound.set(program.variables.get(SHUFFLE)!, own.shuffle);
  bound.set(program.ports.get(portKey("order"))!, own.order);
  return executable.bind(bound);
}

function boundStep(
  { variables }: CompiledModel,
  { columns }: Feed,
  own: Own,
  { program, executable }: PreparedPlan,
): BoundPlan {
  const bound = variables.store.bindings(program.variables, "training");
  for (const [path, buffer] of own.variables) bound.set(program.variables.get(path)!, buffer);
  bound.set(program.ports.get(portKey("order"))!, own.order);
  for (const { role, index, buffer } of columns) bound.set(program.ports.get(portKey(role, index))!, buffer);
  return executable.bind(bound);
}
