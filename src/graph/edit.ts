import { type Graph, makeNode, opOf, tensorOf } from "./graph.ts";
import type { GraphEdit, Named, Op } from "./op.ts";
import { type Attributes, inputsOf, type Node, outputsOf, type TensorId } from "./tensor.ts";
import type { AdapterClass } from "./tile.ts";

/** Stands for the whole graph among the tensors that `watch` is told of. */
const WHOLE = -1;

/** Listener that is told what a rewrite reads, and what it changes. */
export interface Watch {
  /** Called for a tensor whose neighbours were read. */
  neighboursRead(id: TensorId): void;
  /** Called with the place that got new nodes, and with the tensors whose neighbours are others now. */
  changed(place: number, ids: Iterable<TensorId>): void;
}

/**
 * Changes a graph's nodes. Every node has a place, which the nodes that replace it take over. So a change takes time in proportion
 * to what it changes, not to the size of the graph. `places`, joined, are the nodes as changed; `graph.nodes` stays. Tensors and ops
 * of new nodes are added to the graph.
 */
export function graphEdit(graph: Graph, adapter: AdapterClass, watch?: Watch) {
  const places: (readonly Node[])[] = [];
  const placeOf = new Map<Node, number>();
  const producers = new Map<TensorId, Set<Node>>();
  const readers = new Map<TensorId, Set<Node>>();
  const results = new Set(graph.results);
  const put = (nodes: readonly Node[], place: number) => {
    places[place] = nodes;
    for (const node of nodes) {
      placeOf.set(node, place);
      for (const id of outputsOf(node)) listed(producers, id).add(node);
      for (const id of inputsOf(node)) listed(readers, id).add(node);
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
  const neighbours = (of: typeof producers, id: TensorId) => {
    watch?.neighboursRead(id);
    return inPlace(of.get(id));
  };
  const edit: GraphEdit = {
    get nodes() {
      watch?.neighboursRead(WHOLE);
      return places.flat();
    },
    state: graph.state,
    adapter,
    opOf: (node) => opOf(graph, node),
    tensor: (id) => tensorOf(graph, id),
    producer: (id) => neighbours(producers, id)[0],
    readers: (id) => neighbours(readers, id),
    usedElsewhere: (id, nodes) => results.has(id) || neighbours(readers, id).some((node) => !nodes.includes(node)),
    replace: (nodes, by) => {
      const gone = new Set(inPlace(nodes.filter((node) => placeOf.has(node))));
      const [first] = gone;
      if (!first) return;
      const at = placeOf.get(first)!;
      for (const node of gone) {
        for (const id of outputsOf(node)) producers.get(id)!.delete(node);
        for (const id of inputsOf(node)) readers.get(id)!.delete(node);
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
        new Set([WHOLE, ...[...gone, ...by].flatMap((node) => [...inputsOf(node), ...outputsOf(node)])]),
      );
    },
    node: <I extends string, O extends string, A extends object>(
      op: Op<I, O, A>,
      name: string,
      inputs: Named<I, TensorId>,
      attributes: A,
      outputs?: Named<O, TensorId>,
    ) => {
      const node = makeNode(graph, op, { name, inputs, attributes: attributes as Attributes, outputs });
      return node as Node & { readonly outputs: Named<O, TensorId> };
    },
    changed: (node, { inputs, attributes }, outputs) =>
      makeNode(graph, opOf(graph, node), {
        name: node.name,
        inputs: { ...node.inputs, ...inputs },
        attributes: { ...node.attributes, ...attributes },
        outputs,
      }),
  };
  return { edit, places };
}

function listed(lists: Map<TensorId, Set<Node>>, id: TensorId): Set<Node> {
  const list = lists.get(id) ?? new Set();
  lists.set(id, list);
  return list;
}
