import { cut, FeaturemapError, tagOf, wrong } from "../base/errors.ts";
import { isColumnName } from "../data/columns.ts";
import { freeName } from "../graph/graph.ts";
import { type AnyLayer, callOutputs, isSymbolic, type SymbolicTensor } from "../layers/layer.ts";
import { LayerNames } from "./layer-names.ts";
import { assertSameOutputs, type LayerUse, Network, type ValueId } from "./network.ts";

/** Symbolic tensors: one, several, or several by name. */
export type Symbolics = SymbolicTensor | readonly SymbolicTensor[] | Readonly<Record<string, SymbolicTensor>>;

/**
 * Builds the network that leads from some symbolic tensors to others. A layer that was called several times is shared: it has one name and
 * one set of variables.
 *
 * @throws FeaturemapError `value` for something that is no symbolic tensor, an output that depends on another input, an input that leads
 *   nowhere, outputs that no layer makes, or two equal names of inputs or layers; `shape` if layers do not fit
 */
export function networkOf(inputs: Symbolics, outputs: Symbolics): Network {
  const network = new Network();
  const values = new Map<SymbolicTensor, ValueId>();
  const names = new Set<string>();
  for (const [name, tensor] of entriesOf(inputs, "model: inputs")) {
    const { layer, shape } = tensor;
    if (layer) throw wrong("model: inputs", "come from input({ shape })", `what ${layer.type} makes`);
    const free = columnName(name ?? tensor.name ?? freeName(names, "input").name, "input");
    values.set(tensor, network.addInput(free, shape));
    names.add(free);
  }
  const wanted = entriesOf(outputs, "model: outputs");
  const layers = new Map<AnyLayer, string>();
  const layerNames = new LayerNames();
  for (const tensor of inOrder(wanted.map(([, tensor]) => tensor))) {
    if (values.has(tensor)) continue;
    const { layer } = tensor;
    if (!layer) {
      const name = tensor.name === undefined ? "An input" : `Input "${cut(tensor.name)}"`;
      throw new FeaturemapError("value", `${name} leads to the outputs, but is not among model({ inputs }). Add it.`);
    }
    const from = tensor.inputs.map((each) => values.get(each)!);
    const made = use(network, layer, from, layers, layerNames);
    const outputs = callOutputs(tensor);
    assertSameOutputs(
      made.built,
      outputs.map(({ shape }) => shape),
      made.outputs.map(({ shape }) => shape),
    );
    outputs.forEach((each, i) => {
      values.set(each, made.outputs[i]!.value);
    });
  }
  network.setOutputs(outputsOf(network, wanted, values));
  if (network.uses.length === 0)
    throw new FeaturemapError("value", "model: outputs are inputs only. Let a layer make one of them.");
  const read = new Set(network.uses.flatMap(({ inputs }) => inputs));
  for (const { value } of network.outputs) read.add(value);
  const unread = network.inputs.find((_, value) => !read.has(value));
  if (unread)
    throw new FeaturemapError("value", `model: input "${cut(unread.name)}" leads to no output. Leave it out.`);
  return network;
}

function use(
  network: Network,
  layer: AnyLayer,
  inputs: readonly ValueId[],
  layers: Map<AnyLayer, string>,
  names: LayerNames,
): LayerUse {
  const known = layers.get(layer);
  if (known !== undefined) return network.addUse(layer, known, inputs);
  const { name, take } = names.nameFor(layer);
  const made = network.addUse(layer, name, inputs);
  take();
  layers.set(layer, name);
  return made;
}

/**
 * Names the outputs by their keys, or else by what makes them: a layer, or an input. In a list a name that comes again is numbered, as in
 * Keras: `dense`, `dense_1`.
 */
function outputsOf(
  network: Network,
  wanted: readonly (readonly [string | undefined, SymbolicTensor])[],
  values: ReadonlyMap<SymbolicTensor, ValueId>,
) {
  const outputs = wanted.map(([key, tensor]) => {
    const value = values.get(tensor)!;
    return { value, name: columnName(key ?? network.sourceOf(value), "output") };
  });
  const taken = new Set(outputs.map(({ name }) => name));
  const named = new Set<string>();
  return outputs.map(({ value, name: own }) => {
    const { name } = named.has(own) ? freeName(taken, own) : { name: own };
    named.add(own);
    taken.add(name);
    return { name, value };
  });
}

/** @throws FeaturemapError `value` for a name by which data cannot be told from a tensor */
function columnName(name: string, what: string): string {
  if (isColumnName(name)) return name;
  throw new FeaturemapError(
    "value",
    `model: an ${what} cannot be named "${name}", as parts of data are. Name it otherwise.`,
  );
}

function entriesOf(given: Symbolics, where: string): (readonly [string | undefined, SymbolicTensor])[] {
  const entries: (readonly [string | undefined, SymbolicTensor])[] = isSymbolic(given)
    ? [[undefined, given]]
    : Array.isArray(given)
      ? Array.from(given, (tensor: SymbolicTensor) => [undefined, tensor] as const)
      : tagOf(given) === "Object"
        ? Object.entries(given)
        : [];
  const bad = entries.find(([, tensor]) => !isSymbolic(tensor));
  if (entries.length === 0 || bad)
    throw wrong(where, "be a symbolic tensor, a list of them, or several by name", bad ? bad[1] : given);
  return entries;
}

/** Lists the tensors and all that they are made of, each after its inputs. */
function inOrder(tensors: readonly SymbolicTensor[]): SymbolicTensor[] {
  const done = new Set<SymbolicTensor>();
  // A loop, since recursion would overflow the stack for deep networks.
  const open = [...tensors].reverse();
  while (open.length > 0) {
    const tensor = open.at(-1)!;
    const before = tensor.inputs.filter((each) => !done.has(each));
    if (before.length === 0) done.add(open.pop()!);
    else open.push(...before.reverse());
  }
  return [...done];
}
