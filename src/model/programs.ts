import type { Dataset } from "../data/dataset.ts";
import { FeaturemapError } from "../errors.ts";
import { gradients } from "../graph/gradients.ts";
import type { DType } from "../graph/graph.ts";
import { addTensor, emptyGraph, type Graph, type TensorId } from "../graph/graph.ts";
import { type Asked, addNode, type OpTable, opTable } from "../graph/op.ts";
import { rewrite } from "../graph/rewrite.ts";
import type { AdapterClass, Choices, MemoryMode, ProductFamily } from "../graph/tile.ts";
import { mostBufferBytes, type PlanLimits } from "../plan/limits.ts";
import { lower } from "../plan/lower.ts";
import type { MergeLimits } from "../plan/merge.ts";
import type { Plan } from "../plan/plan.ts";
import { leastSaving } from "../plan/tiles.ts";
import type { Shape } from "../shape.ts";
import type { Loss } from "./losses.ts";
import type { Network } from "./network.ts";
import type { Optimizer } from "./optimizers.ts";

/** Loss sum as f32 bits, hits, samples, steps: see `shaders/advance.wgsl`. */
export const METRIC_WORDS = 4;

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
  readonly metrics?: TensorId;
  /** By hyperparameter. */
  readonly hyperparameters?: ReadonlyMap<string, TensorId>;
  /** One list a parameter. */
  readonly slots?: readonly (readonly TensorId[])[];
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
  /** What multiplies by tiles that the library's own products cannot. Default none. */
  readonly products?: readonly ProductFamily[];
  /** The device's. Default: those that every device has for merged dispatches, and buffers of any size. */
  readonly limits?: MergeLimits & Partial<PlanLimits>;
  /** Default `fast`. */
  readonly memory?: MemoryMode;
  /** Keeps every node's dispatches apart. Default false. */
  readonly apart?: boolean | undefined;
  /** Hears of every choice that `choices` leaves open. */
  readonly asked?: ((asked: Asked) => void) | undefined;
}

/** One training step: gather, forward, loss, backward, update, advance. */
export function trainingProgram(
  options: ProgramOptions & { loss: Loss; optimizer: Optimizer; keepGradients?: boolean },
): Program {
  const { network, loss, optimizer, capacity } = options;
  const ops = opTable([...network.ops.values()], loss.ops ?? [], optimizer.ops ?? []);
  const build = start(options, ops, "train");
  const { graph, add, parameters } = build;
  const { x, labels, y, order } = gather(build, options, loss);
  const output = network.call(graph, x, parameters, { trains: true });
  const { loss: rows, correct } = loss.build(graph, { output, labels: y!, add });
  const made = gradients(ops, graph, rows, parameters);

  const hyperparameters = new Map(
    Object.keys(optimizer.hyperparameters).map((name) => [
      name,
      addTensor(graph, name, "state", { shape: [1], dtype: "f32" }),
    ]),
  );
  const slots = parameters.map((parameter, i) => {
    const { path, shape } = network.parameters[i]!;
    const own = (optimizer.slots?.(shape) ?? []).map((slot) =>
      addTensor(graph, `${path}/${slot.name}`, "state", { ...slot, dtype: "f32" }),
    );
    optimizer.step({
      parameter,
      gradient: made[i]!,
      slots: own,
      state: graph.state,
      hyperparameter: (name) => hyperparameters.get(name) ?? unknownHyperparameter(optimizer, name),
      add: (op, inputs, attributes) =>
        addNode(ops, graph, { op, name: `${path}/${op}`, inputs, attributes: attributes ?? {} }),
    });
    return own;
  });

  const metrics = addTensor(graph, "metrics", "state", { shape: [METRIC_WORDS], dtype: "u32" });
  addNode(ops, graph, {
    op: "advance",
    name: "advance",
    inputs: [graph.state, rows, correct, metrics],
    attributes: { batch: capacity },
  });
  if (options.keepGradients) graph.results.push(...made);
  const tensors = {
    ...build.tensors,
    labels: labels!,
    order: order!,
    metrics,
    hyperparameters,
    slots,
    gradients: made,
  };
  return finish(options, ops, "training step", graph, tensors);
}

/** Builds a step for one sample, without a GPU: what cannot be trained is found before there is anything to train with. */
export function assertTrainable(
  options: Required<Pick<ProgramOptions, "choices" | "products" | "memory">> & { loss: Loss; optimizer: Optimizer },
  network: Network,
): void {
  const data: DataKind = { sampleShape: network.inputShape!, sampleDtype: "f32", scale: 1 };
  const { choices, products, memory, loss, optimizer } = options;
  trainingProgram({ network, capacity: 1, data, adapter: "software", choices, products, memory, loss, optimizer });
}

function unknownHyperparameter({ name: optimizer, hyperparameters }: Optimizer, name: string): never {
  const known = Object.keys(hyperparameters).join(", ") || "none";
  throw new FeaturemapError("value", `Optimizer "${optimizer}" has no hyperparameter "${name}". It has: ${known}.`);
}

/** Forward and loss, metrics added up. */
export function evaluationProgram(options: ProgramOptions & { loss: Loss }): Program {
  const { network, loss, capacity } = options;
  const ops = opTable([...network.ops.values()], loss.ops ?? []);
  const build = start(options, ops, "evaluate");
  const { graph, add, parameters } = build;
  const { x, labels, y } = gather(build, { ...options, shuffled: false }, loss);
  const { loss: rows, correct } = loss.build(graph, { output: network.call(graph, x, parameters), labels: y!, add });
  const metrics = addTensor(graph, "metrics", "state", { shape: [METRIC_WORDS], dtype: "u32" });
  addNode(ops, graph, {
    op: "advance",
    name: "advance",
    inputs: [graph.state, rows, correct, metrics],
    attributes: { batch: capacity },
  });
  return finish(options, ops, "evaluation step", graph, { ...build.tensors, labels: labels!, metrics });
}

/** Forward, each batch's output written to its place among all samples'. */
export function predictionProgram(options: ProgramOptions): Program {
  const { network, capacity } = options;
  const build = start(options, network.ops, "predict");
  const { graph, add, parameters } = build;
  const { x } = gather(build, { ...options, shuffled: false });
  const output = network.call(graph, x, parameters);
  const predictions = addTensor(graph, "predictions", "data", { shape: [1, ...network.outputShape!], dtype: "f32" });
  add("batchScatter", [graph.state, output, predictions]);
  addNode(network.ops, graph, {
    op: "advance",
    name: "advance",
    inputs: [graph.state],
    attributes: { batch: capacity },
  });
  return finish(options, network.ops, "prediction step", graph, { ...build.tensors, predictions });
}

/** Forward for the rows that the state says are in use; the outputs of the named layers are there when the step is over. */
export function outputsProgram(options: ProgramOptions, layers: readonly string[]): Program {
  const { network } = options;
  const build = start(options, network.ops, "probe");
  const { graph, parameters } = build;
  const { x } = gather(build, { ...options, shuffled: false });
  const outputs = new Map<string, TensorId>();
  network.call(graph, x, parameters, {
    each: (name, output) => {
      if (layers.includes(name)) outputs.set(name, output);
    },
  });
  graph.results.push(...outputs.values());
  return finish(options, network.ops, "probe step", graph, { ...build.tensors, outputs });
}

interface Build {
  readonly graph: Graph;
  readonly add: (op: string, inputs: readonly TensorId[], attributes?: Record<string, unknown>) => readonly TensorId[];
  readonly parameters: readonly TensorId[];
  readonly tensors: ProgramTensors;
}

function start({ network, data }: ProgramOptions, ops: OpTable, name: string): Build {
  const graph = emptyGraph();
  // The number of samples is the data set's, not the plan's.
  const samples = addTensor(graph, "samples", "data", { shape: [1, ...data.sampleShape], dtype: data.sampleDtype });
  const parameters = network.parameters.map(({ path, shape }) =>
    addTensor(graph, path, "state", { shape, dtype: "f32" }),
  );
  return {
    graph,
    add: (op, inputs, attributes = {}) => addNode(ops, graph, { op, name: `${name}/${op}`, inputs, attributes }),
    parameters,
    tensors: { state: graph.state, samples, parameters },
  };
}

function gather(build: Build, options: ProgramOptions & { shuffled?: boolean }, loss?: Loss) {
  const { graph, add, tensors } = build;
  const { network, capacity, data, shuffled = true } = options;
  const kind = loss?.labels(network.outputShape!);
  const labels = kind && addTensor(graph, "labels", "data", { shape: [1, ...kind.shape], dtype: kind.dtype });
  const order = shuffled ? addTensor(graph, "order", "data", { shape: [1], dtype: "u32" }) : undefined;
  const inputs = [graph.state, tensors.samples, labels, order].filter((id) => id !== undefined);
  const attributes = {
    batch: capacity,
    sampleShape: data.sampleShape,
    scale: data.scale,
    shuffled,
    ...(kind ? { labelShape: kind.shape, labelDtype: kind.dtype } : {}),
  };
  const [x, y] = add("batchGather", inputs, attributes);
  return { x: x!, y, labels, order };
}

function finish(options: ProgramOptions, ops: OpTable, name: string, graph: Graph, tensors: ProgramTensors): Program {
  const { capacity, adapter, choices, products, limits, memory = "fast", apart, asked } = options;
  const algorithms = rewrite(ops, graph, {
    adapter,
    choices,
    leastSaving: leastSaving(adapter, memory),
    mostBytes: mostBufferBytes(limits),
    // Where memory is short, no algorithm is an alternative.
    asked: memory === "fast" ? asked : undefined,
  });
  return {
    plan: lower(ops, graph, { name, adapter, choices, products, algorithms, limits, memory, apart, asked }),
    tensors,
    capacity,
  };
}
