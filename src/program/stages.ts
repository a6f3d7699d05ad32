import { anObject, cut, FeaturemapError, listOf, oneOf, show } from "../base/errors.ts";
import { type Shape, sameShape, showShape } from "../base/shape.ts";
import { type ColumnRole, ROLE_WORDS } from "../data/columns.ts";
import { gradients as addGradients } from "../graph/gradients.ts";
import { addTensor, nodeName } from "../graph/graph.ts";
import type { TensorId } from "../graph/tensor.ts";
import type { Variable } from "../graph/variable.ts";
import { checkedNodes } from "../layers/call-layer.ts";
import { subject } from "../layers/layer.ts";
import { labelsOf } from "../losses/loss.ts";
import type { BuiltLayer } from "../network/network.ts";
import { batchGather } from "../ops/batch/batch-gather.ts";
import { batchMean } from "../ops/batch/batch-mean.ts";
import { batchRepeat } from "../ops/batch/batch-repeat.ts";
import { batchScatter } from "../ops/batch/batch-scatter.ts";
import { accumulateMeans, advance as advanceOp, MAX_MEANS } from "../ops/batch/means.ts";
import { add as sumOp } from "../ops/elementwise/add.ts";
import { fill } from "../ops/elementwise/fill.ts";
import { multiply } from "../ops/elementwise/multiply.ts";
import type { Optimizer, OptimizerBegin, OptimizerStep } from "../optimizers/optimizer.ts";
import { type PortColumn, type ProgramBuilder, type ProgramSettings, portKey, type Stage } from "./builder.ts";
import type { Measures, OutputSettings } from "./measures.ts";
import { OWN, ownVariablesOf, ratesOf, slotsOf } from "./variables.ts";

/** Gathers the batch's rows of each input and, with `measures`, of the labels and weights of each output: a node a port. */
export function gather({
  shuffled,
  measures,
}: {
  readonly shuffled: boolean;
  readonly measures?: Measures | undefined;
}): Stage {
  return (builder) => {
    const { graph, settings, state } = builder;
    const { network, capacity: batch } = settings;
    const columns = columnsRead(settings, measures);
    const names = { input: network.inputs, label: network.outputs, weight: network.outputs };
    const sources = columns.map(({ role, index, shape, dtype }) => {
      const word = ROLE_WORDS[role];
      const name = names[role].length === 1 ? word : `${word} ${names[role][index]!.name}`;
      return builder.port(role, index, name, { shape, dtype });
    });
    const order = shuffled ? addTensor(graph, "order", "data", { shape: [1], dtype: "u32" }) : undefined;
    if (order !== undefined) builder.ports.set(portKey("order"), order);
    columns.forEach(({ role, index, shape: sampleShape, rows: dtype, scale }, i) => {
      const inputs = { state, source: sources[i]!, order };
      const { rows } = builder.add(batchGather, inputs, { batch, sampleShape, dtype, scale });
      builder.rows.set(portKey(role, index), rows);
    });
  };
}

/** Lists the columns that a program reads, with the type of their rows: those of the settings, others as they are by default. */
function columnsRead(
  { network, columns = [] }: ProgramSettings,
  measures: Measures | undefined,
): (PortColumn & { readonly rows: "f32" | "u32" })[] {
  const given = (role: ColumnRole, index: number) => columns.find((each) => each.role === role && each.index === index);
  const inputs = network.inputs.map(({ shape }, index) => {
    const column = given("input", index) ?? { role: "input", index, shape, dtype: "f32", scale: 1 };
    return { ...column, rows: "f32" } as const;
  });
  const outputs = measures?.outputs ?? [];
  const labels = outputs.map(({ loss, index }) => {
    const kind = labelsOf(loss, network.outputs[index]!.shape);
    const { dtype } = given("label", index) ?? kind;
    return { role: "label", index, shape: kind.shape, dtype, scale: 1, rows: kind.dtype } as const;
  });
  const weights = outputs.flatMap(({ index }) => {
    const column = given("weight", index);
    return column ? [{ ...column, rows: "f32" } as const] : [];
  });
  return [...inputs, ...labels, ...weights];
}

/** Adds the layers. `training` tells whether they are those of a training step. */
export function forward({ training }: { readonly training: boolean }): Stage {
  return (builder) => {
    const { graph, settings } = builder;
    const { network } = settings;
    const inputs = network.inputs.map((_, i) => builder.rows.get(portKey("input", i))!);
    const variables = new Map(network.variables.map((variable) => [variable.path, builder.variable(variable)]));
    const values = network.call(graph, { inputs, variables, training });
    for (const { outputs } of network.uses)
      for (const { name, value } of outputs) builder.layerOutputs.set(name, values[value]!);
    builder.values = values;
    builder.outputs = network.outputs.map(({ value }) => values[value]!);
  };
}

/** Adds each sample's loss, for each output, times the sample's weight or the loss's own factor; then the layers' own terms. */
export function losses(measures: Measures): Stage {
  return (builder) => {
    builder.losses = measures.outputs.map((output) => {
      const { loss } = output;
      const call = callOf(builder, output);
      const a = assertPerSample(builder, loss.call(call), `Loss "${cut(loss.name)}"`);
      const b = loss.factors ? loss.factors(call) : call.weights;
      return b === undefined ? a : builder.add(multiply, { a, b }).c;
    });
    const terms = builder.settings.network.layers.flatMap((layer) => layerLosses(builder, layer));
    if (terms.length > 0) builder.terms = terms.reduce((a, b) => builder.add(sumOp, { a, b }).c);
  };
}

/** Adds a layer's own terms of the loss. */
function layerLosses(builder: ProgramBuilder, built: BuiltLayer): readonly TensorId[] {
  const { layer, name, variables } = built;
  if (!layer.losses) return [];
  const { values, state, settings, graph } = builder;
  const where = `${subject(layer.type, name)}: losses()`;
  const uses = settings.network.uses.filter((use) => use.built === built);
  const { add, shapeOf } = checkedNodes(graph, where, (op) => nodeName(name, op));
  const terms = layer.losses({
    uses: uses.map((use) => {
      const outputs = use.outputs.map(({ value }) => values[value]!);
      return { inputs: use.inputs.map((value) => values[value]!), output: outputs[0]!, outputs };
    }),
    variables: byName(builder, variables, `${name}/`),
    trainable: settings.network.isTrainable(built),
    state,
    add,
    shapeOf,
  });
  return Array.from(listOf(terms, where), (term) =>
    assertTensor(builder, term, [1], `${where} must return a list of tensors`),
  );
}

/** Checks what a loss or metric returned. @throws FeaturemapError unless it is a tensor of a number for each sample */
function assertPerSample(builder: ProgramBuilder, made: TensorId | undefined, what: string): TensorId {
  const must = `${what}: call() must return a tensor of a number for each sample`;
  return assertTensor(builder, made, [builder.settings.capacity], must);
}

/** Checks what was returned. @throws FeaturemapError unless it is a tensor; with a shape, one of that shape and of floats */
function assertTensor(
  { graph }: ProgramBuilder,
  made: TensorId | undefined,
  shape: Shape | undefined,
  must: string,
): TensorId {
  const tensor = Number.isInteger(made) ? graph.tensors[made!] : undefined;
  if (shape && tensor?.dtype === "u32")
    throw new FeaturemapError("value", `${must} of 32-bit floats, got whole numbers.`);
  if (tensor && (!shape || sameShape(tensor.shape, shape))) return made!;
  const got = tensor ? `one of shape ${showShape(tensor.shape)}` : show(made);
  const wanted = shape ? `, ${showShape(shape)}` : "";
  const message = `${must}${wanted} (add() gives outputs by name), got ${got}.`;
  throw new FeaturemapError(tensor ? "shape" : "value", message);
}

/** Gives the call of a loss or metric of an output. */
function callOf(builder: ProgramBuilder, { name: outputName, index }: OutputSettings) {
  const { state, add } = builder;
  return {
    output: builder.outputs[index]!,
    labels: builder.rows.get(portKey("label", index))!,
    weights: builder.rows.get(portKey("weight", index)),
    state,
    add,
    shapeOf: builder.shapeOf,
    producerOf: builder.producerOf,
    outputName,
  };
}

/** Adds the gradient of the loss for each trainable parameter: of the weighted sum of the outputs' means, and of the layers' terms. */
export function gradients(measures: Measures): Stage {
  return (builder) => {
    const { graph, settings, state, add } = builder;
    const trainable = settings.network.parameters.filter((parameter) => parameter.trainable);
    if (trainable.length === 0)
      throw new FeaturemapError("state", "The model has no trainable parameters: there is nothing to train.");
    const means = builder.losses.map((x, i) => add(batchMean, { state, x }, { weight: measures.outputs[i]!.weight }).y);
    const parts = builder.terms === undefined ? means : [...means, builder.terms];
    const total = parts.reduce((a, b) => add(sumOp, { a, b }).c);
    const seed = add(fill, {}, { shape: [1], value: 1 }).y;
    const made = addGradients(graph, { of: total, seed }, trainable.map(builder.variable, builder), sumOp);
    const all = trainable.map(({ path }, i) => [path, made[i]] as const);
    const without = all.find(([, gradient]) => gradient === undefined);
    // What only an output without a loss needs is not trained.
    if (without && measures.outputs.length === settings.network.outputs.length)
      throw new FeaturemapError("value", `The loss does not depend on "${without[0]}", so it has no gradient.`);
    builder.gradients = new Map(all.flatMap(([path, gradient]) => (gradient === undefined ? [] : [[path, gradient]])));
    if (builder.gradients.size === 0)
      throw new FeaturemapError("value", "The loss depends on no trainable parameter: there is nothing to train.");
  };
}

/** Adds the optimizer's transforms of the gradients, such as clipping, one after the other. */
export function gradientTransforms(optimizer: Optimizer): Stage {
  return (builder) => {
    const { state, add, shapeOf } = builder;
    builder.gradients = optimizer.accumulate?.(builder) ?? builder.gradients;
    for (const transform of optimizer.transforms ?? []) {
      const { gradients } = builder;
      const changed = transform.transform({ gradients, state, add, shapeOf });
      const must = `Gradient transform "${cut(transform.name)}" must return a Map with a tensor for`;
      for (const [path, gradient] of gradients)
        assertTensor(builder, changed?.get?.(path), builder.shapeOf(gradient), `${must} "${path}"`);
      builder.gradients = changed;
    }
  };
}

/** Adds the optimizer's nodes of the whole step, then its step of each trainable parameter. */
export function updates(optimizer: Optimizer): Stage {
  return (builder) => {
    const rates = new Map(ratesOf(optimizer).map((rate) => [rate.path, builder.variable(rate)]));
    const call = {
      state: builder.state,
      hyperparameter: (name: string) =>
        rates.get(oneOf(name, [...rates.keys()], `Optimizer "${optimizer.name}": hyperparameter`))!,
      shapeOf: builder.shapeOf,
    };
    const shared = begun(optimizer, builder, call);
    for (const parameter of builder.settings.network.parameters) {
      const { path } = parameter;
      const gradient = builder.gradients.get(path);
      const step = {
        ...call,
        path,
        parameter: builder.variable(parameter),
        gradient,
        slots: byName(builder, slotsOf(optimizer, parameter), `${path}/`),
        shared,
        add: builder.addOf(path),
      };
      if (gradient !== undefined) optimizer.step(step as OptimizerStep);
      optimizer.stepped?.(step);
      if (gradient !== undefined) parameter.constrain?.(step);
    }
  };
}

/** Adds the optimizer's nodes of the whole step. @throws FeaturemapError unless it returns tensors by name */
function begun(
  optimizer: Optimizer,
  builder: ProgramBuilder,
  call: Omit<OptimizerBegin, "gradients" | "variables" | "add">,
): OptimizerStep["shared"] {
  if (!optimizer.begin) return {};
  const { gradients, add } = builder;
  const variables = byName(builder, ownVariablesOf(optimizer), OWN);
  const made = optimizer.begin({ ...call, gradients, variables, add });
  const where = `Optimizer "${cut(optimizer.name)}": begin()`;
  const shared = anObject(made, where);
  for (const [name, tensor] of Object.entries(shared))
    assertTensor(builder, tensor, undefined, `${where} must return a tensor for "${cut(name)}"`);
  return shared;
}

/** Gives the tensors of variables by their paths without `prefix`. */
function byName(builder: ProgramBuilder, variables: readonly Variable[], prefix: string): Record<string, TensorId> {
  return Object.fromEntries(
    variables.map((variable) => [variable.path.slice(prefix.length), builder.variable(variable)]),
  );
}

/** Adds the metrics. The last means are left to `advance`, which adds them up as it ends the step. */
export function metrics(measures: Measures): Stage {
  return (builder) => {
    const { add, state } = builder;
    const variables = new Map(measures.variables.map((variable) => [variable.path, builder.variable(variable)]));
    const settingsOf = (name: string) => measures.outputs.find((output) => output.name === name)!;
    for (const { output, metric, variables: own } of measures.accumulated) {
      const accumulators = own.map(({ name, variable }) => [name, variables.get(variable.path)!] as const);
      const call = callOf(builder, settingsOf(output));
      const weights = metric.weighted ? call.weights : undefined;
      metric.call({ ...call, weights, accumulators: Object.fromEntries(accumulators) });
    }
    const batch = builder.settings.capacity;
    const values = measures.means.map(({ output, metric }) => {
      if (output === undefined) return add(batchRepeat, { x: builder.terms ?? zero(builder) }, { batch }).y;
      const settings = settingsOf(output);
      if (!metric) return builder.losses[measures.outputs.indexOf(settings)]!;
      const rows = metric.call({ ...callOf(builder, settings), accumulators: {} });
      return assertPerSample(builder, rows, `Metric "${cut(metric.name)}", which has no accumulators`);
    });
    let first = 0;
    for (; values.length - first > MAX_MEANS; first += MAX_MEANS) {
      const { batch, ...inputs } = meansOf(builder, values.slice(first, first + MAX_MEANS));
      add(accumulateMeans, { state, ...inputs }, { batch, first });
    }
    builder.means = { values: values.slice(first), first };
  };
}

/** Loss of layers whose `losses` returned no term. */
function zero({ add }: ProgramBuilder): TensorId {
  return add(fill, {}, { shape: [1], value: 0 }).y;
}

function meansOf(builder: ProgramBuilder, values: readonly TensorId[]) {
  const [values_0, values_1, values_2, values_3] = values;
  const means = builder.variables.get("means")!;
  return { batch: builder.settings.capacity, values_0: values_0!, values_1, values_2, values_3, means };
}

/** Ends the step: adds up the last means, and moves the state on to the next batch. */
export const advance: Stage = (builder) => {
  const { state, add } = builder;
  const { values, first } = builder.means;
  const { batch, ...inputs } = meansOf(builder, values);
  if (values.length > 0) add(advanceOp, { state, ...inputs }, { batch, first });
  else add(advanceOp, { state }, { batch, first: 0 });
};

/** Writes each output's rows to their places among all samples. */
export const predictions: Stage = (builder) => {
  const { state, add, settings, outputs } = builder;
  settings.network.outputs.forEach(({ shape }, i) => {
    const rows = builder.port("prediction", i, "predictions", { shape, dtype: "f32" });
    add(batchScatter, { state, y: outputs[i]!, rows });
  });
};

/** Keeps the outputs of the named layers until the step is over. */
export function layerOutputs(names: readonly string[]): Stage {
  return (builder) => {
    builder.graph.results.push(...names.map((name) => builder.layerOutputs.get(name)!));
  };
}
