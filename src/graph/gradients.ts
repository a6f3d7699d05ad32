import { FeaturemapError } from "../base/errors.ts";
import { addNode, type Graph, nodeName, opOf, tensorOf } from "./graph.ts";
import type { Op } from "./op.ts";
import { inputsOf, type Node, outputsOf, type TensorId } from "./tensor.ts";

/**
 * Adds the gradients of a value with respect to some tensors to its graph. Each op has a rule; nodes are visited in reverse order. If
 * a tensor is read more than once, its gradients are added in the order in which they were made, which is fixed.
 *
 * @param value the tensor that is differentiated, and the gradient that it starts with: 1 for a loss
 * @param sum the op c = a + b
 * @returns the gradient of each tensor of `of`; `undefined` where the value does not depend on it
 * @throws FeaturemapError `value` where an op on the way has no gradient rule
 */
export function gradients(
  graph: Graph,
  value: { readonly of: TensorId; readonly seed: TensorId },
  of: readonly TensorId[],
  sum: Op<"a" | "b", "c", object>,
): (TensorId | undefined)[] {
  const forward = [...graph.nodes];
  const needed = dependents(forward, of);
  const parts = new Map<TensorId, TensorId[]>([[value.of, [value.seed]]]);

  for (const node of forward.reverse()) {
    const { attributes, inputs, outputs } = node;
    const wanted = byName(inputs, (id) => needed.has(id));
    const incoming = byName(outputs, total);
    const isUsed = Object.values(incoming).some((id) => id !== undefined);
    if (!isUsed || !Object.values(wanted).includes(true)) continue;
    const { gradient } = opOf(graph, node);
    if (!gradient) {
      throw new FeaturemapError(
        "value",
        `"${node.name}" cannot be trained through: its op "${node.op}" has no gradient rule.`,
      );
    }
    const made = gradient({
      node,
      attributes,
      inputs,
      outputs,
      wanted,
      gradients: incoming,
      state: graph.state,
      tensor: (id) => tensorOf(graph, id),
      add: (op, inputs, ...attributes) => addNode(graph, nodeName(node.name, op), op, inputs, ...attributes),
    });
    for (const [name, id] of Object.entries(inputs)) {
      const part = made[name];
      if (!wanted[name] || part === undefined) continue;
      const known = parts.get(id);
      if (known) known.push(part);
      else parts.set(id, [part]);
    }
  }

  return of.map(total);

  /** Gives the sum of a tensor's gradients. It is made once, since in reverse order all readers come before the producer. */
  function total(id: TensorId): TensorId | undefined {
    const [first, ...rest] = parts.get(id) ?? [];
    if (first === undefined) return undefined;
    const name = `${tensorOf(graph, id).name}/sum`;
    const made = rest.reduce((a, b) => addNode(graph, name, sum, { a, b }).c, first);
    parts.set(id, [made]);
    return made;
  }
}

function byName<Value>(ids: Readonly<Record<string, TensorId>>, value: (id: TensorId) => Value): Record<string, Value> {
  return Object.fromEntries(Object.entries(ids).map(([name, id]) => [name, value(id)]));
}

/** Finds all tensors that depend on one of `of`, and those themselves. */
function dependents(nodes: readonly Node[], of: readonly TensorId[]): Set<TensorId> {
  const found = new Set(of);
  for (const node of nodes) {
    if (inputsOf(node).some((id) => found.has(id))) for (const id of outputsOf(node)) found.add(id);
  }
  return found;
}
