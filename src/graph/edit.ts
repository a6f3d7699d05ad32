import { type Graph, type Node, type TensorId, tensorOf } from "./graph.ts";
import { type GraphEdit, makeNode, type OpTable } from "./op.ts";
import type { AdapterClass } from "./tile.ts";

/** Stands for the whole graph where `watch` hears of tensors. */
const WHOLE = -1;

/** Hears what a rewrite looks at, and what changes. */
export interface Watch {
  /** A tensor whose neighbours were asked for. */
  asked(id: TensorId): void;
  /** The place that got new nodes, and tensors whose neighbours are others now. */
  changed(place: number, ids: Iterable<TensorId>): void;
}

/**
 * A graph to be changed. Every node has a place, and those that replace it take it over, so a change costs what it changes
 * and not what the graph has. `places` in a row are the graph's nodes.
 */
export function graphEdit(ops: OpTable, graph: Graph, adapter: AdapterClass, watch?: Watch) {
  const places: (readonly Node[])[] = [];
  const placeOf = new Map<Node, number>();
  const makers = new Map<TensorId, Set<Node>>();
  const readers = new Map<TensorId, Set<Node>>();
  const results = new Set(graph.results);
  const put = (nodes: readonly Node[], place: number) => {
    places[place] = nodes;
    for (const node of nodes) {
      placeOf.set(node, place);
      for (const id of node.outputs) listed(makers, id).add(node);
      for (const id of node.inputs) listed(readers, id).add(node);
    }
  };
  graph.nodes.forEach((node, place) => {
    put([node], place);
  });
  const inPlace = (nodes: Iterable<Node> = []) =>
    [...nodes].sort((a, b) => {
      const place = placeOf.get(a)!;
      return place - placeOf.get(b)! || places[place]!.indexOf(a) - places[place]!.indexOf(b);
    });
  const neighbours = (of: typeof makers, id: TensorId) => {
    watch?.asked(id);
    return inPlace(of.get(id));
  };
  const edit: GraphEdit = {
    get graph() {
      watch?.asked(WHOLE);
      graph.nodes = places.flat();
      return graph;
    },
    adapter,
    tensor: (id) => tensorOf(graph, id),
    producer: (id) => neighbours(makers, id)[0],
    readers: (id) => neighbours(readers, id),
    usedBeside: (id, nodes) => results.has(id) || neighbours(readers, id).some((node) => !nodes.includes(node)),
    replace: (nodes, by) => {
      const gone = new Set(inPlace(nodes.filter((node) => placeOf.has(node))));
      const [first] = gone;
      if (!first) return;
      const at = placeOf.get(first)!;
      for (const node of gone) {
        for (const id of node.outputs) makers.get(id)!.delete(node);
        for (const id of node.inputs) readers.get(id)!.delete(node);
      }
      for (const place of new Set([...gone].map((node) => placeOf.get(node)!))) {
        put(
          places[place]!.flatMap((node) => (node === first ? by : gone.has(node) ? [] : node)),
          place,
        );
      }
      for (const node of gone) if (!by.includes(node)) placeOf.delete(node);
      watch?.changed(
        at,
        new Set([WHOLE, ...[...gone, ...by].flatMap(({ inputs, outputs }) => [...inputs, ...outputs])]),
      );
    },
    node: (op, name, inputs, attributes, outputs) => makeNode(ops, graph, { op, name, inputs, attributes, outputs }),
  };
  return { edit, places };
}

function listed(lists: Map<TensorId, Set<Node>>, id: TensorId): Set<Node> {
  const list = lists.get(id) ?? new Set();
  lists.set(id, list);
  return list;
}
