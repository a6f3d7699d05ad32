import { FeaturemapError } from "../base/errors.ts";
import type { Shape } from "../base/shape.ts";
import type { Dataset } from "../data/dataset.ts";
import { gradients } from "../graph/gradients.ts";
import type { DType } from "../graph/graph.ts";
import { addTensor, emptyGraph, type Graph, type TensorId } from "../graph/graph.ts";
import { type Asked, addNode, type OpTable, opTable } from "../graph/op.ts";
import { rewrite } from "../graph/rewrite.ts";
import type { AdapterClass, Choices, MemoryMode } from "../graph/tile.ts";
import type { Loss } from "../losses/losses.ts";
import type { Network } from "../network/network.ts";
import { type Optimizer, slotsOf } from "../optimizers/optimizer.ts";
import { mostBufferBytes, type PlanLimits } from "../plan/limits.ts";
import { lower } from "../plan/lower.ts";
import type { MergeLimits } from "../plan/merge-dispatches.ts";
import type { Plan } from "../plan/plan.ts";
import { leastSaving } from "../plan/shipped-tiles.ts";
import { metricsLayout } from "../training/metrics-layout.ts";

/** What a plan depends on beside the model: one plan serves all data of one kind. */
export interface DataKind {
  readonly sampleShape: Shape;
  readonly sampleDtype: DType;
  readonly scale: number;
}

export function dataKind({ x }: Dataset, scale: number): DataKind {
  return { sampleShape: x.shape, sampleDtype: x.dtype, scale };
}

/** Tensors that the caller binds buffers to; a program has those that it needs. */
export interface ProgramTensors {
  readonly state: TensorId;
  readonly samples: TensorId;
  readonly parameters: readonly TensorId[];
  readonly labels?: TensorId;
  readonly order?: TensorId;
  readonly metrics?: TensorId | undefined;
  /** In the order of `slotsOf`. */
  readonly slots?: readonly TensorId[];
  /** In the optimizer's order. */
  readonly hyperparameters?: readonly TensorId[];
  /** One a parameter, where gradients were asked for. */
  readonly gradients?: readonly TensorId[];
  /** Where predictions go, all samples'. */
  readonly predictions?: TensorId;
  /** By layer, where they were asked for. */
  readonly outputs?: ReadonlyMap<string, TensorId>;
}

export interface Program {
  readonly plan: Plan;
  readonly tensors: ProgramTensors;
  /** Rows of the largest batch that it takes. */
  readonly capacity: number;
}

export interface ProgramOptions {
  readonly network: Network;
  readonly capacity: number;
  readonly data: DataKind;
  readonly adapter: AdapterClass;
  readonly choices: Choices;
  /** The device's. Default: those that every device has for merged dispatches, and buffers of any size. */
  readonly limits?: MergeLimits & Partial<PlanLimits>;
  /** Default `fast`. */
  readonly memory?: MemoryMode;
  /** Whether convolutions may be Winograd's. Default true. */
  readonly winograd?: boolean;
  /** Keeps every node's dispatches apart. Default false. */
  readonly apart?: boolean | undefined;
  /** Hears of every choice that `choices` leaves open. */
  readonly asked?: ((asked: Asked) => void) | undefined;
}

/** One training step: gather, forward, loss, backward, update, advance. */
export function trainingProgram(
  options: ProgramOptions & { loss: Loss; optimizer: Optimizer; keepGradients?: boolean },
): Program {
  const { network, loss, optimizer, keepGradients } = options;
  const build = start(options, "train", { loss, optimizer, shuffled: true });
  const { graph, ops, parameters, x } = build;
  const rows = lossOf(build, loss, network.call(graph, x, parameters, { trains: true }));
  const made = gradients(ops, graph, rows.loss, parameters);

  const kept = (name: string, shape: Shape) => addTensor(graph, name, "state", { shape, dtype: "f32" });
  const hyperparameters = new Map(Object.keys(optimizer.hyperparameters).map((name) => [name, kept(name, [1])]));
  const slots = network.parameters.flatMap((spec, i) => {
    const own = slotsOf(optimizer, [spec]).map(({ name, shape }) => kept(name, shape));
    optimizer.step({
      parameter: parameters[i]!,
      gradient: made[i]!,
      slots: own,
      state: graph.state,
      hyperparameter: (name) => hyperparameters.get(name) ?? unknownHyperparameter(optimizer, name),
      add: (op, inputs, attributes) =>
        addNode(ops, graph, { op, name: `${spec.path}/${op}`, inputs, attributes: attributes ?? {} }),
    });
    return own;
  });

  const metrics = advance(build, rows);
  if (keepGradients) graph.results.push(...made);
  const own = { slots, hyperparameters: [...hyperparameters.values()], gradients: made, metrics };
  return finish(build, "training step", own);
}

/** Builds a step for one sample, without a GPU: what cannot be trained is found before there is anything to train with. */
export function assertTrainable(
  options: Required<Pick<ProgramOptions, "choices" | "memory">> & { loss: Loss; optimizer: Optimizer },
  network: Network,
): void {
  const data: DataKind = { sampleShape: network.inputShape!, sampleDtype: "f32", scale: 1 };
  const { choices, memory, loss, optimizer } = options;
  trainingProgram({ network, capacity: 1, data, adapter: "software", choices, memory, loss, optimizer });
}

function unknownHyperparameter({ name: optimizer, hyperparameters }: Optimizer, name: string): never {
  const known = Object.keys(hyperparameters).join(", ") || "none";
  throw new FeaturemapError("value", `Optimizer "${optimizer}" has no hyperparameter "${name}". It has: ${known}.`);
}

/** Forward and loss, metrics added up. */
export function evaluationProgram(options: ProgramOptions & { loss: Loss }): Program {
  const { network, loss } = options;
  const build = start(options, "evaluate", { loss });
  const rows = lossOf(build, loss, network.call(build.graph, build.x, build.parameters));
  return finish(build, "evaluation step", { metrics: advance(build, rows) });
}

/** Forward, each batch's output written to its place among all samples'. */
export function predictionProgram(options: ProgramOptions): Program {
  const { network } = options;
  const build = start(options, "predict");
  const { graph, add, parameters, x } = build;
  const output = network.call(graph, x, parameters);
  const predictions = addTensor(graph, "predictions", "data", { shape: [1, ...network.outputShape!], dtype: "f32" });
  add("batchScatter", [graph.state, output, predictions]);
  advance(build);
  return finish(build, "prediction step", { predictions });
}

/** Forward for the rows that the state says are in use; the outputs of the named layers are there when the step is over. */
export function outputsProgram(options: ProgramOptions, layers: readonly string[]): Program {
  const build = start(options, "probe");
  const { graph, parameters, x } = build;
  const outputs = new Map<string, TensorId>();
  options.network.call(graph, x, parameters, {
    each: (name, output) => {
      if (layers.includes(name)) outputs.set(name, output);
    },
  });
  graph.results.push(...outputs.values());
  return finish(build, "probe step", { outputs });
}

/** A graph that begins with the batch. */
interface Build {
  readonly options: ProgramOptions;
  readonly ops: OpTable;
  readonly graph: Graph;
  readonly add: (op: string, inputs: readonly TensorId[], attributes?: Record<string, unknown>) => readonly TensorId[];
  readonly parameters: readonly TensorId[];
  /** The batch's samples, and its labels where there is a loss. */
  readonly x: TensorId;
  readonly y: TensorId | undefined;
  readonly tensors: ProgramTensors;
}

function start(
  options: ProgramOptions,
  name: string,
  { loss, optimizer, shuffled = false }: { loss?: Loss; optimizer?: Optimizer; shuffled?: boolean } = {},
): Build {
  const { network, capacity, data } = options;
  const { sampleShape, scale } = data;
  const ops = opTable([...network.ops.values()], loss?.ops ?? [], optimizer?.ops ?? []);
  const graph = emptyGraph();
  const { state } = graph;
  const add: Build["add"] = (op, inputs, attributes = {}) =>
    addNode(ops, graph, { op, name: `${name}/${op}`, inputs, attributes });
  // The number of samples is the data set's, not the plan's.
  const samples = addTensor(graph, "samples", "data", { shape: [1, ...sampleShape], dtype: data.sampleDtype });
  const parameters = network.parameters.map(({ path, shape }) =>
    addTensor(graph, path, "state", { shape, dtype: "f32" }),
  );
  const kind = loss?.labels(network.outputShape!);
  const labels = kind && addTensor(graph, "labels", "data", { shape: [1, ...kind.shape], dtype: kind.dtype });
  const order = shuffled ? addTensor(graph, "order", "data", { shape: [1], dtype: "u32" }) : undefined;
  const inputs = [state, samples, labels, order].filter((id) => id !== undefined);
  const labelled = kind && { labelShape: kind.shape, labelDtype: kind.dtype };
  const [x, y] = add("batchGather", inputs, { batch: capacity, sampleShape, scale, shuffled, ...labelled });
  const tensors = {
    ...{ state, samples, parameters },
    ...(labels !== undefined && { labels }),
    ...(order !== undefined && { order }),
  };
  return { options, ops, graph, add, parameters, x: x!, y, tensors };
}

type LossRows = ReturnType<Loss["build"]>;

function lossOf({ graph, y, add }: Build, loss: Loss, output: TensorId): LossRows {
  return loss.build(graph, { output, labels: y!, add });
}

/** Ends the step: adds up what was measured, if anything, and moves the state to the next batch. Returns the metrics. */
function advance({ ops, graph, options }: Build, rows?: LossRows): TensorId | undefined {
  const metrics = rows && addTensor(graph, "metrics", "state", { shape: [metricsLayout().words], dtype: "u32" });
  const inputs = [graph.state, rows?.loss, rows?.correct, metrics].filter((id) => id !== undefined);
  addNode(ops, graph, { op: "advance", name: "advance", inputs, attributes: { batch: options.capacity } });
  return metrics;
}

function finish({ options, ops, graph, tensors }: Build, name: string, own: Partial<ProgramTensors>): Program {
  const { capacity, adapter, choices, limits, memory = "fast", winograd = true, apart, asked } = options;
  const algorithms = rewrite(ops, graph, {
    adapter,
    choices,
    leastSaving: winograd ? leastSaving(memory) : Number.POSITIVE_INFINITY,
    mostBytes: mostBufferBytes(limits),
    // Where memory is short, or windows are to be exact, no algorithm is an alternative.
    asked: winograd && memory === "fast" ? asked : undefined,
  });
  return {
    plan: lower(ops, graph, { name, adapter, choices, algorithms, limits, memory, apart, asked }),
    tensors: { ...tensors, ...own },
    capacity,
  };
}
