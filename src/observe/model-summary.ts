import { aFunction, anObject, cut, knownKeys, positiveInteger, wrong } from "../base/errors.ts";
import { elements, type Shape } from "../base/shape.ts";
import { addTensor, emptyGraph } from "../graph/graph.ts";
import { inputsOf, type Node, outputsOf } from "../graph/tensor.ts";
import type { Variable } from "../graph/variable.ts";
import type { CompiledModel } from "../model/compiled.ts";
import type { AnyModel } from "../model/get-layer.ts";
import { assertModel, INTERNALS } from "../model/internals.ts";
import type { BuiltLayer, Network } from "../network/network.ts";
import { outputText, table, totals } from "../network/summary.ts";
import { adapterClassOf } from "../plan/shipped-tiles.ts";
import { type ProgramOptions, predictionProgram, trainingProgram } from "../program/programs.ts";
import { countOf, variablesOf } from "../program/variables.ts";
import { type FlopsRule, flopsRules } from "./flops.ts";

export interface ModelSummaryOptions {
  /** Samples of the batch that memory is planned for. Default 32, as of `fit`. */
  readonly batchSize?: number;
  /** Rules that count the operations of an app's own ops, by the ops' names. They win over the library's. */
  readonly flops?: Readonly<Record<string, FlopsRule>>;
}

/** Row of a model's summary: a layer, or an input of a model of `model()`. */
export interface SummaryLayer {
  readonly name: string;
  /** Keras's class name. */
  readonly type: string;
  /** Shapes of one sample of each output; `undefined` while they are not known. */
  readonly outputShapes: readonly Shape[] | undefined;
  /** Number of parameters and statistics. */
  readonly parameters: number;
  /** Number of those that are learned. */
  readonly trainable: number;
  /** Sources of all its uses, as Keras has them: layer, number of its use, number of the output. `["conv2d[0][0]"]` */
  readonly connectedTo: readonly string[];
  /** Operations of all its uses for one sample, forward; `undefined` while they are not known, or for an op without a rule. */
  readonly flops: number | undefined;
}

/** Bytes of the GPU's memory that a kind of work takes beside the data. */
export interface PlannedBytes {
  /** Parameters and statistics. */
  readonly weights: number;
  /** What the optimizer keeps, and its rates. Inference has none. */
  readonly optimizer: number;
  /** State of the step, counters, and what metrics add up. */
  readonly state: number;
  /** Buffers of the plan: a batch's rows, activations and gradients. Those never live at once share memory. */
  readonly activations: number;
  readonly total: number;
}

/** Summary of a model as data. `String(summary)` prints it. */
export interface ModelSummary {
  readonly name: string;
  readonly layers: readonly SummaryLayer[];
  /** Numbers of parameters and statistics, a shared layer's once. */
  readonly parameters: { readonly total: number; readonly trainable: number; readonly nonTrainable: number };
  /** Operations of the forward pass for one sample, without those of `uncounted` ops; `undefined` while shapes are not known. */
  readonly flops: number | undefined;
  /** Names of the ops that no rule counts. */
  readonly uncounted: readonly string[];
  /** Samples of the batch that memory is planned for. */
  readonly batchSize: number;
  /** Planned memory of prediction; `undefined` while shapes are not known. */
  readonly inference: PlannedBytes | undefined;
  /** Planned memory of training; `undefined` before `compile` with a loss. */
  readonly training: PlannedBytes | undefined;
  toString(): string;
}

/**
 * Gives Keras's summary and more: what each layer is connected to, operations of a forward pass, and the GPU's memory. `docs/guide/layers.md`
 * has the formulas. Before `compile` memory is that of inference, for a GPU with WebGPU's default limits. After it, the plans are those of
 * the model's own device, as shipped: a tuner may choose others. Columns of data, and what the driver keeps, are not counted.
 *
 * @throws FeaturemapError `value` for something that is no model, for wrong options, and for a rule that gives no number; `limit` where the
 *   device cannot hold the plan; `state` where the model is disposed meanwhile
 * @example
 * console.log(String(await modelSummary(model, { batchSize: 128 })));
 * const { flops, training } = await modelSummary(model); // 9,612,844 operations a sample, of the README's network
 */
export async function modelSummary(model: AnyModel, options: ModelSummaryOptions = {}): Promise<ModelSummary> {
  const where = "modelSummary";
  assertModel(model, where);
  knownKeys(options, ["batchSize", "flops"], where);
  const batchSize = positiveInteger(options.batchSize ?? 32, `${where}: batchSize`, 31);
  const rules = new Map(Object.entries({ ...flopsRules(), ...anObject(options.flops ?? {}, `${where}: flops`) }));
  for (const [op, rule] of Object.entries(options.flops ?? {})) aFunction(rule, `${where}: flops.${cut(op)}`);
  const { architecture, ready } = model[INTERNALS];
  const { network } = architecture;
  const compiled = model.runtime !== undefined && network ? await ready(where) : undefined;
  const uncounted = new Set<string>();
  const flops = network && flopsOf(network, rules, uncounted);
  const current = compiled?.network ?? network;
  const trained = compiled?.plans.existing("train") ? compiled.settings.training?.optimizer : undefined;
  const kept = compiled && trained ? variablesOf(compiled.network, trained, undefined) : [];
  const layers = [
    ...(architecture.className === "Functional" ? inputRows(network!) : []),
    ...architecture.layers.map(({ layer, name }, i): SummaryLayer => {
      const built = network?.layers[i];
      const mine = built ? weightsOf(built, current!) : [];
      return {
        name,
        type: layer.type,
        outputShapes: built?.outputShapes,
        parameters: numbersIn(mine),
        trainable: numbersIn(mine.filter(({ trainable }) => trainable)),
        connectedTo: built ? connectionsOf(built, network!) : [],
        flops: flops?.get(built!),
      };
    }),
  ];
  const all = current?.weights ?? [];
  const total = numbersIn(all);
  const trainable = numbersIn(all.filter((variable) => variable.trainable));
  const summary = {
    name: model.name,
    layers,
    parameters: { total, trainable, nonTrainable: total - trainable },
    flops: flops && [...flops.values()].reduce((sum: number, counted) => sum + (counted ?? 0), 0),
    uncounted: [...uncounted],
    batchSize,
    ...plannedBytes(network, compiled, batchSize),
  };
  const lines = totals(current, trained ? countOf(kept, "slot", "rate") + 1 : 0);
  return Object.defineProperty(summary, "toString", { value: () => printed(summary, lines) });
}

/** Variables of a layer, as trainable as they are in the network. Counters are not weights. */
function weightsOf({ variables }: BuiltLayer, { weights }: Network): readonly Variable[] {
  const paths = new Set(variables.map(({ path }) => path));
  return weights.filter(({ path }) => paths.has(path));
}

function numbersIn(variables: readonly Variable[]): number {
  return variables.reduce((sum, { shape }) => sum + elements(shape), 0);
}

function inputRows({ inputs }: Network): SummaryLayer[] {
  return inputs.map(({ name, shape }) => ({
    name,
    type: "InputLayer",
    outputShapes: [shape],
    parameters: 0,
    trainable: 0,
    connectedTo: [],
    flops: 0,
  }));
}

/** Lists the sources of all uses of a layer. */
function connectionsOf(built: BuiltLayer, { inputs, uses }: Network): string[] {
  const sources = inputs.map(({ name }) => `${name}[0][0]`);
  const counted = new Map<BuiltLayer, number>();
  for (const use of uses) {
    const number = counted.get(use.built) ?? 0;
    counted.set(use.built, number + 1);
    use.outputs.forEach(({ value }, i) => {
      sources[value] = `${use.built.name}[${number}][${i}]`;
    });
  }
  return uses.filter((use) => use.built === built).flatMap((use) => use.inputs.map((value) => sources[value]!));
}

/** Counts the operations of each layer's nodes, for one sample. Of a layer with an op that has no rule it is not known. */
function flopsOf(network: Network, rules: ReadonlyMap<string, FlopsRule>, uncounted: Set<string>) {
  const graph = emptyGraph();
  const inputs = network.inputs.map(({ name, shape }) =>
    addTensor(graph, name, "data", { shape: [1, ...shape], dtype: "f32" }),
  );
  const variables = new Map(network.variables.map((each) => [each.path, addTensor(graph, each.path, "state", each)]));
  const values = network.call(graph, { inputs, variables });
  const wanted = new Set(network.outputs.map(({ value }) => values[value]!));
  const leading = graph.nodes.toReversed().filter((node) => {
    const leads = outputsOf(node).some((id) => wanted.has(id));
    if (leads) for (const id of inputsOf(node)) wanted.add(id);
    return leads;
  });
  const counts = new Map<BuiltLayer, number | undefined>(network.layers.map((built) => [built, 0]));
  const count = (node: Node): number | undefined => {
    const rule = rules.get(node.op);
    if (!rule) return void uncounted.add(node.op);
    const tensors = (of: Node["inputs"]) =>
      Object.fromEntries(
        Object.entries(of).map(([name, id]) => [name, id === undefined ? undefined : graph.tensors[id]!]),
      );
    const { name, attributes } = node;
    const counted = rule({
      name,
      attributes,
      inputs: tensors(node.inputs) as never,
      outputs: tensors(node.outputs) as never,
    });
    if (Number.isFinite(counted) && counted >= 0) return counted;
    throw wrong(`modelSummary: flops.${cut(node.op)}()`, "return a number of at least 0", counted);
  };
  // Nodes are in the order of the uses that added them: a use's end with the last that makes an output of it.
  const order = new Map(graph.nodes.map((node, i) => [node, i]));
  const made = new Map(graph.nodes.flatMap((node, i) => outputsOf(node).map((id) => [id, i] as const)));
  let end = -1;
  const ends = network.uses.map(({ outputs }) => {
    end = Math.max(end, ...outputs.map(({ value }) => made.get(values[value]!) ?? -1));
    return end;
  });
  for (const node of leading.reverse()) {
    const { built } = network.uses[ends.findIndex((last) => last >= order.get(node)!)]!;
    const [before, more] = [counts.get(built), count(node)];
    counts.set(built, before === undefined || more === undefined ? undefined : before + more);
  }
  return counts;
}

/** Plans the memory of prediction and, of a model that is compiled with a loss, of training. */
function plannedBytes(network: Network | undefined, compiled: CompiledModel | undefined, capacity: number) {
  if (!network) return { inference: undefined, training: undefined };
  const { settings, measures } = compiled ?? {};
  const device = settings && { adapter: adapterClassOf(settings.runtime), limits: settings.runtime.device.limits };
  const options: ProgramOptions = {
    network: compiled?.network ?? network,
    capacity,
    choices: settings?.choices ?? {},
    adapter: "gpu",
    ...device,
    ...(settings && { memory: settings.memory, winograd: settings.winograd }),
  };
  const { optimizer, augment } = settings?.training ?? {};
  const inference = bytesOf(
    variablesOf(options.network, undefined, undefined),
    predictionProgram(options).plan.scratchBytes,
  );
  if (!measures || !optimizer) return { inference, training: undefined };
  const training = trainingProgram({ ...options, measures, optimizer, augment });
  return {
    inference,
    training: bytesOf(variablesOf(options.network, optimizer, measures), training.plan.scratchBytes),
  };
}

function bytesOf(variables: readonly Variable[], activations: number): PlannedBytes {
  const weights = 4 * countOf(variables, "parameter", "statistic");
  const optimizer = 4 * countOf(variables, "slot", "rate");
  const state = 4 * countOf(variables, "counter", "metric", "state");
  return { weights, optimizer, state, activations, total: weights + optimizer + state + activations };
}

function printed(summary: Omit<ModelSummary, "toString">, totals: readonly string[]): string {
  const { name, layers, flops, uncounted, batchSize, inference, training } = summary;
  const rows = layers.map(({ name, type, outputShapes, parameters, connectedTo, flops }) => [
    `${name} (${type})`,
    outputText(outputShapes),
    outputShapes ? counted(parameters) : "0 (unbuilt)",
    connectedTo.join(", ") || "-",
    flops === undefined ? "?" : counted(flops),
  ]);
  const header = ["Layer (type)", "Output Shape", "Param #", "Connected to", "FLOPs"];
  const without = uncounted.length > 0 ? `, without those of: ${uncounted.map(cut).join(", ")}` : "";
  return [
    ...table(name, header, rows),
    ...totals,
    ...(flops === undefined ? [] : [` FLOPs per sample, forward: ${counted(flops)}${without}`]),
    ...bytesLine("prediction", batchSize, inference),
    ...bytesLine("training", batchSize, training),
  ].join("\n");
}

function bytesLine(work: string, batchSize: number, bytes: PlannedBytes | undefined): string[] {
  if (!bytes) return [];
  const { total, weights, optimizer, state, activations } = bytes;
  const parts = `weights ${counted(weights)}, optimizer ${counted(optimizer)}, state ${counted(state)}, activations ${counted(activations)}`;
  return [` GPU bytes of ${work}, batch ${batchSize}: ${counted(total)} (${parts})`];
}

function counted(number: number): string {
  return number.toLocaleString("en-US");
}
