import { FeaturemapError } from "../base/errors.ts";
import { graphEdit } from "./edit.ts";
import type { Graph, Node, TensorId } from "./graph.ts";
import { type Algorithm, type Asked, type GraphEdit, type OpTable, opNamed, type Rewrite } from "./op.ts";
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
  const { adapter = "software" } = options;
  dropUnused(graph);
  const rules = [...ops.values()].flatMap((op) => op.rewrites ?? []);
  graph.nodes = rewritten(ops, graph, adapter, rules);
  dropUnused(graph);
  const chosen = new Map<string, AlgorithmChoice>();
  const { edit, places } = graphEdit(ops, graph, adapter);
  for (const node of graph.nodes) {
    const algorithm = algorithmFor(edit, node, opNamed(ops, node.op).algorithms ?? [], options);
    if (!algorithm) continue;
    algorithm.apply(edit, node);
    chosen.set(node.name, { algorithm: algorithm.name });
  }
  graph.nodes = inOrder(places.flat(), (node) => opNamed(ops, node.op).view === true);
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

/**
 * The nodes when no rule applies any more. The first rule that applies is next, at the first node that it applies to. A rule
 * that did not apply to a node is asked again when what it looked at has changed.
 */
function rewritten(ops: OpTable, graph: Graph, adapter: AdapterClass, rules: readonly Rewrite[]): Node[] {
  const { length } = graph.nodes;
  const askers = new Map<TensorId, Set<number>>();
  let now = 0;
  let again: number[] = [];
  const { edit, places } = graphEdit(ops, graph, adapter, {
    asked: (id) => {
      askers.set(id, (askers.get(id) ?? new Set()).add(now));
    },
    changed: (place, ids) => {
      rules.forEach((_, rule) => {
        again.push(rule * length + place);
      });
      for (const id of ids) {
        for (const asker of askers.get(id) ?? []) again.push(asker);
        askers.delete(id);
      }
    },
  });
  inTurn(rules.length * length, (turn) => {
    now = turn;
    again = [];
    const rule = rules[Math.floor(turn / length)]!;
    if (places[turn % length]!.some((node) => rule(edit, node))) again.push(turn);
    return again;
  });
  return places.flat();
}

/** Visits the numbers from 0 to below `count`. A visit returns what is to be visited after it: a smaller number than the next goes first. */
function inTurn(count: number, visit: (turn: number) => readonly number[]): void {
  let earlier: number[] = [];
  for (let next = 0; earlier.length > 0 || next < count; ) {
    const again = visit(earlier.pop() ?? next++).filter((turn) => turn < next);
    if (again.length > 0) earlier = [...new Set([...earlier, ...again])].sort((a, b) => b - a);
  }
}

/** Removes nodes that update nothing and whose outputs nobody reads or asked for. */
export function dropUnused(graph: Graph): void {
  const wanted = new Set(graph.results);
  const kept = new Set<Node>();
  const keep = (node: Node) => {
    kept.add(node);
    for (const id of node.inputs) wanted.add(id);
  };
  const makers = new Map<TensorId, Node[]>();
  for (const node of graph.nodes) {
    if (node.updates.length > 0) keep(node);
    for (const id of node.outputs) push(makers, id, node);
  }
  // The set grows while it is walked.
  for (const id of wanted) makers.get(id)?.forEach(keep);
  graph.nodes = graph.nodes.filter((node) => kept.has(node));
}

function push<Item>(lists: Map<TensorId, Item[]>, id: TensorId, item: Item): void {
  const list = lists.get(id);
  if (list) list.push(item);
  else lists.set(id, [item]);
}

/**
 * An order in which the nodes can run: after what they read, and, for those that update a tensor in place, after
 * everything else that reads it. Among the nodes that are ready, the one that stood first comes first.
 */
export function inOrder(nodes: readonly Node[], isView: (node: Node) => boolean = () => false): Node[] {
  const storage = seenThrough(nodes.filter(isView));
  const makers = new Map<TensorId, number[]>();
  const readers = new Map<TensorId, number[]>();
  nodes.forEach(({ inputs, outputs }, at) => {
    for (const id of outputs) push(makers, id, at);
    for (const id of new Set(inputs.map(storage))) push(readers, id, at);
  });
  const waitsFor = nodes.map(() => 0);
  const followers = nodes.map((): number[] => []);
  nodes.forEach(({ inputs, updates }, at) => {
    const made = inputs.flatMap((id) => makers.get(id) ?? []);
    const read = updates.map(storage).flatMap((id) =>
      // Two that update one tensor keep the order in which they stood.
      (readers.get(id) ?? []).filter(
        (other) => other < at || !nodes[other]!.updates.some((own) => storage(own) === id),
      ),
    );
    for (const other of [...made, ...read]) {
      if (other === at) continue;
      waitsFor[at]!++;
      followers[other]!.push(at);
    }
  });
  const ordered = new Set<Node>();
  inTurn(nodes.length, (at) => {
    if (waitsFor[at]! > 0) return [];
    ordered.add(nodes[at]!);
    return followers[at]!.filter((follower) => --waitsFor[follower]! === 0);
  });
  const waiting = nodes.filter((node) => !ordered.has(node));
  if (waiting.length > 0)
    throw new Error(`The graph has a cycle among: ${waiting.map(({ name }) => name).join(", ")}.`);
  return [...ordered];
}

/** The tensor whose buffer a tensor is seen through. */
export function seenThrough(views: readonly Node[]): (id: TensorId) => TensorId {
  const under = new Map(views.map((view) => [view.outputs[0]!, view.inputs[0]!]));
  const storage = (id: TensorId): TensorId => {
    const next = under.get(id);
    if (next === undefined) return id;
    // Remembered, so that a chain of views is walked once; out of the way meanwhile, so that a cycle of them ends.
    under.delete(id);
    const found = storage(next);
    under.set(id, found);
    return found;
  };
  return storage;
}
