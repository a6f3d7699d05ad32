import { FeaturemapError } from "../errors.ts";
import { type Graph, type Node, producerOf, readersOf, type TensorId, tensorOf } from "./graph.ts";
import { type Algorithm, type Asked, type GraphEdit, makeNode, type OpTable, opNamed } from "./op.ts";
import { type AdapterClass, type AlgorithmChoice, type Choices, choiceOf, isTile } from "./tile.ts";

export interface RewriteOptions {
  /** What the graph is rewritten for. Default: `software`. */
  readonly adapter?: AdapterClass;
  /** Choices of an earlier run, or of the user, by node. */
  readonly choices?: Choices;
  /** The saving from which an algorithm takes the place of a node's own kernels. Default: none ever does. */
  readonly leastSaving?: number;
  /** Hears of every node that has algorithms and for which `choices` names none. */
  readonly asked?: ((asked: Asked) => void) | undefined;
  /** Bytes that a buffer may have; an algorithm that needs a larger one is not taken unless it is asked for. Default: any. */
  readonly mostBytes?: number;
}

/**
 * Drops what leads to no result, runs every op's rewrites until none applies, chooses each node's algorithm, and puts the
 * nodes in order.
 *
 * @returns the algorithms that took the place of nodes
 * @throws FeaturemapError `value` where `choices` names an algorithm that the node does not have
 */
export function rewrite(ops: OpTable, graph: Graph, options: RewriteOptions = {}): Record<string, AlgorithmChoice> {
  const edit = graphEdit(ops, graph, options.adapter ?? "software");
  dropUnused(graph);
  const rewrites = [...ops.values()].flatMap((op) => op.rewrites ?? []);
  for (let changed = true; changed; ) {
    changed = rewrites.some((rule) => graph.nodes.some((node) => rule(edit, node)));
  }
  dropUnused(graph);
  const chosen = new Map<string, AlgorithmChoice>();
  for (const node of graph.nodes) {
    const algorithm = algorithmFor(edit, node, opNamed(ops, node.op).algorithms ?? [], options);
    if (!algorithm) continue;
    algorithm.apply(edit, node);
    chosen.set(node.name, { algorithm: algorithm.name });
  }
  graph.nodes = inOrder(graph.nodes, (node) => opNamed(ops, node.op).view === true);
  return Object.fromEntries(chosen);
}

/** The algorithm that was asked for, else the one that saves most, if it saves enough and its buffers can be made. */
function algorithmFor(
  edit: GraphEdit,
  node: Node,
  algorithms: readonly Algorithm[],
  { choices = {}, leastSaving = Infinity, mostBytes = Infinity, asked }: RewriteOptions,
): Algorithm | undefined {
  const choice = choiceOf(choices, node.name);
  if (choice && (isTile(choice) || choice.algorithm === "direct")) return undefined;
  const savings = algorithms.map((algorithm) => ({ algorithm, saving: algorithm.saving(edit, node) }));
  const able = savings.filter(({ saving }) => saving > 0).sort((a, b) => b.saving - a.saving);
  if (!choice) {
    const fitting = able.filter(({ algorithm }) => (algorithm.largestTensor?.(edit, node) ?? 0) <= mostBytes);
    const shipped = fitting.find(({ saving }) => saving >= leastSaving)?.algorithm;
    const names = fitting.map(({ algorithm }) => algorithm.name);
    const inputs = node.inputs.map(edit.tensor);
    if (names.length > 0) asked?.({ node, inputs, algorithms: names, chosen: shipped?.name ?? "direct" });
    return shipped;
  }
  const wanted = able.find(({ algorithm }) => algorithm.name === choice.algorithm)?.algorithm;
  if (!wanted) {
    const known = ["direct", ...able.map(({ algorithm }) => algorithm.name)].join(", ");
    throw new FeaturemapError(
      "value",
      `choices: "${node.name}" cannot be computed by "${choice.algorithm}". It can by: ${known}.`,
    );
  }
  return wanted;
}

function graphEdit(ops: OpTable, graph: Graph, adapter: AdapterClass): GraphEdit {
  return {
    graph,
    adapter,
    tensor: (id) => tensorOf(graph, id),
    producer: (id) => producerOf(graph, id),
    readers: (id) => readersOf(graph, id),
    usedBeside: (id, nodes) => graph.results.includes(id) || readersOf(graph, id).some((node) => !nodes.includes(node)),
    replace: (nodes, by) => {
      const at = Math.min(...nodes.map((node) => graph.nodes.indexOf(node)));
      graph.nodes = graph.nodes.flatMap((node, i) => {
        if (i === at) return by;
        return nodes.includes(node) ? [] : node;
      });
    },
    node: (op, name, inputs, attributes, outputs) => makeNode(ops, graph, { op, name, inputs, attributes, outputs }),
  };
}

/** Removes nodes that update nothing and whose outputs nobody reads or asked for. */
export function dropUnused(graph: Graph): void {
  const wanted = new Set(graph.results);
  const kept = new Set<Node>();
  for (let before = -1; before !== kept.size; ) {
    before = kept.size;
    for (const node of graph.nodes) {
      if (node.updates.length === 0 && !node.outputs.some((id) => wanted.has(id))) continue;
      kept.add(node);
      for (const id of node.inputs) wanted.add(id);
    }
  }
  graph.nodes = graph.nodes.filter((node) => kept.has(node));
}

/**
 * An order in which the nodes can run: after what they read, and, for those that update a tensor in place, after
 * everything else that reads it. Among the nodes that are ready, the one that stood first comes first.
 */
export function inOrder(nodes: readonly Node[], isView: (node: Node) => boolean = () => false): Node[] {
  const waiting = [...nodes];
  const seen = seenThrough(nodes.filter(isView));
  const ordered: Node[] = [];
  while (waiting.length > 0) {
    const at = waiting.findIndex((node) => isReady(node, waiting, seen));
    if (at < 0) throw new Error(`The graph has a cycle among: ${waiting.map(({ name }) => name).join(", ")}.`);
    ordered.push(...waiting.splice(at, 1));
  }
  return ordered;
}

/** The tensor whose buffer a tensor is seen through. */
export function seenThrough(views: readonly Node[]): (id: TensorId) => TensorId {
  const under = new Map(views.map((view) => [view.outputs[0]!, view.inputs[0]!]));
  const storage = (id: TensorId): TensorId => (under.has(id) ? storage(under.get(id)!) : id);
  return storage;
}

function isReady(node: Node, waiting: readonly Node[], storage: (id: TensorId) => TensorId): boolean {
  const place = waiting.indexOf(node);
  return waiting.every((other, at) => {
    if (other === node) return true;
    if (other.outputs.some((id) => node.inputs.includes(id))) return false;
    return node.updates.every((id) => {
      const reads = other.inputs.some((input) => storage(input) === storage(id));
      // Two that update one tensor keep the order in which they stood.
      return !reads || (other.updates.some((updated) => storage(updated) === storage(id)) && at > place);
    });
  });
}
