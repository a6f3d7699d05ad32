import { FeaturemapError } from "../base/errors.ts";
import { graphEdit } from "./edit.ts";
import { copyOf, type Graph, opOf } from "./graph.ts";
import type { Algorithm, GraphEdit, OpenChoice } from "./op.ts";
import { inputsOf, type Node, outputsOf, type TensorId } from "./tensor.ts";
import { type AdapterClass, type AlgorithmChoice, type Choices, choiceOf, isTile } from "./tile.ts";

export interface RewriteOptions {
  /** Class of adapter that the graph is rewritten for. Default: `software`. */
  readonly adapter?: AdapterClass;
  /** Choices of an earlier run, or of the user, by node. */
  readonly choices?: Choices;
  /** Least saving at which an algorithm takes the place of a node's own kernels. Default: none ever does. */
  readonly minSaving?: number;
  /** Called for every node that has algorithms and for which `choices` names none. */
  readonly onOpenChoice?: ((open: OpenChoice) => void) | undefined;
  /** Most bytes of a buffer. An algorithm that needs a larger one is taken only if `choices` names it. Default: no bound. */
  readonly maxBytes?: number;
}

/**
 * Rewrites a graph: drops nodes that lead to no result, applies every op's rewrites until none applies, chooses an algorithm for each
 * node, and orders the nodes. The given graph stays as it was.
 *
 * @returns the new graph, and the algorithms that took the place of nodes
 * @throws FeaturemapError `value` where `choices` names an algorithm that the node does not have
 */
export function rewrite(
  original: Graph,
  options: RewriteOptions = {},
): { readonly graph: Graph; readonly algorithms: Record<string, AlgorithmChoice> } {
  const { adapter = "software" } = options;
  const graph = copyOf(original);
  graph.nodes = usedNodes(graph);
  // A rewrite may bring ops whose rewrites were not tried yet.
  for (let known = -1; known !== graph.ops.size; ) {
    known = graph.ops.size;
    graph.nodes = rewritten(graph, adapter);
  }
  graph.nodes = usedNodes(graph);
  const chosen = new Map<string, AlgorithmChoice>();
  const { edit, places } = graphEdit(graph, adapter);
  for (const node of graph.nodes) {
    const algorithm = algorithmFor(edit, node, options);
    if (!algorithm) continue;
    algorithm.apply(edit, node);
    chosen.set(node.name, { algorithm: algorithm.name });
  }
  graph.nodes = inOrder(places.flat(), (node) => opOf(graph, node).view === true);
  return { graph, algorithms: Object.fromEntries(chosen) };
}

/** Finds the algorithm that `choices` names, else the one that saves most, if it saves enough and its buffers can be made. */
function algorithmFor(
  edit: GraphEdit,
  node: Node,
  { choices = {}, minSaving = Infinity, maxBytes = Infinity, onOpenChoice }: RewriteOptions,
): Algorithm | undefined {
  const choice = choiceOf(choices, node.name);
  if (choice && (isTile(choice) || choice.algorithm === "direct")) return undefined;
  const savings = (edit.opOf(node).algorithms ?? []).map((algorithm) => ({
    algorithm,
    saving: algorithm.saving(edit, node),
  }));
  const able = savings.filter(({ saving }) => saving > 0).sort((a, b) => b.saving - a.saving);
  if (!choice) {
    const fitting = able.filter(({ algorithm }) => (algorithm.largestTensor?.(edit, node) ?? 0) <= maxBytes);
    const shipped = fitting.find(({ saving }) => saving >= minSaving)?.algorithm;
    const names = fitting.map(({ algorithm }) => algorithm.name);
    const inputs = inputsOf(node).map(edit.tensor);
    if (names.length > 0) onOpenChoice?.({ node, inputs, algorithms: names, chosen: shipped?.name ?? "direct" });
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
 * Applies rules until none applies, and gives the nodes. The next is always the first rule that applies, at the first node that it
 * applies to. Rules are in the order of the graph's ops, late ones last. A rule that did not apply to a node is tried again when
 * something has changed that it read.
 */
function rewritten(graph: Graph, adapter: AdapterClass): Node[] {
  const { length } = graph.nodes;
  const all = [...graph.ops.values()].flatMap((op) => op.rewrites ?? []);
  const rules = [...all.filter(({ late }) => !late), ...all.filter(({ late }) => late)];
  const rulesOf = new Map<string, number[]>();
  rules.forEach(({ op }, rule) => {
    push(rulesOf, op, rule);
  });
  const askers = new Map<TensorId, Set<number>>();
  let now = 0;
  let again: number[] = [];
  const { edit, places } = graphEdit(graph, adapter, {
    neighboursRead: (id) => {
      askers.set(id, (askers.get(id) ?? new Set()).add(now));
    },
    changed: (place, ids) => {
      for (const { op } of places[place]!) for (const rule of rulesOf.get(op) ?? []) again.push(rule * length + place);
      for (const id of ids) {
        for (const asker of askers.get(id) ?? []) again.push(asker);
        askers.delete(id);
      }
    },
  });
  inTurn(rules.length * length, (turn) => {
    now = turn;
    again = [];
    const { op, apply } = rules[Math.floor(turn / length)]!;
    if (places[turn % length]!.some((node) => node.op === op && apply(edit, node))) again.push(turn);
    return again;
  });
  return places.flat();
}

/** Visits the numbers from 0 to below `count`. A visit returns numbers to visit again; those below the next one come before it. */
function inTurn(count: number, visit: (turn: number) => readonly number[]): void {
  let earlier: number[] = [];
  for (let next = 0; earlier.length > 0 || next < count; ) {
    const again = visit(earlier.pop() ?? next++).filter((turn) => turn < next);
    if (again.length > 0) earlier = [...new Set([...earlier, ...again])].sort((a, b) => b - a);
  }
}

/** Drops the nodes that update nothing, and whose outputs are neither read nor results. */
export function usedNodes({ nodes, results }: Pick<Graph, "nodes" | "results">): Node[] {
  const wanted = new Set(results);
  const kept = new Set<Node>();
  const keep = (node: Node) => {
    kept.add(node);
    for (const id of inputsOf(node)) wanted.add(id);
  };
  const producers = new Map<TensorId, Node[]>();
  for (const node of nodes) {
    if (node.updates.length > 0) keep(node);
    for (const id of outputsOf(node)) push(producers, id, node);
  }
  // The set grows while it is walked.
  for (const id of wanted) producers.get(id)?.forEach(keep);
  return nodes.filter((node) => kept.has(node));
}

function push<Key, Item>(lists: Map<Key, Item[]>, key: Key, item: Item): void {
  const list = lists.get(key);
  if (list) list.push(item);
  else lists.set(key, [item]);
}

/**
 * Orders nodes so that they can run. Each comes after the nodes whose outputs it reads. A node that updates a tensor in place comes
 * after all others that read it. Among the nodes that are ready, the one that stood first comes first.
 */
export function inOrder(nodes: readonly Node[], isView: (node: Node) => boolean = () => false): Node[] {
  const storage = storageOf(nodes.filter(isView));
  const producers = new Map<TensorId, number[]>();
  const readers = new Map<TensorId, number[]>();
  nodes.forEach((node, at) => {
    for (const id of outputsOf(node)) push(producers, id, at);
    for (const id of new Set(inputsOf(node).map(storage))) push(readers, id, at);
  });
  const waitsFor = nodes.map(() => 0);
  const followers = nodes.map((): number[] => []);
  nodes.forEach((node, at) => {
    const made = inputsOf(node).flatMap((id) => producers.get(id) ?? []);
    const read = node.updates.map(storage).flatMap((id) =>
      // Two nodes that update one tensor keep their order.
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

/** Gives the function that finds the tensor in whose buffer a tensor lies: its own, or the one that a view looks at. */
export function storageOf(views: readonly Node[]): (id: TensorId) => TensorId {
  const under = new Map(views.map((view) => [outputsOf(view)[0]!, inputsOf(view)[0]!]));
  const storage = (id: TensorId): TensorId => {
    const next = under.get(id);
    if (next === undefined) return id;
    // It is remembered, so that a chain of views is walked once, and removed meanwhile, so that a cycle of them ends.
    under.delete(id);
    const found = storage(next);
    under.set(id, found);
    return found;
  };
  return storage;
}
