import { FeaturemapError } from "../base/errors.ts";
import { type Graph, type Node, type TensorId, tensorOf } from "./graph.ts";
import { addNode, type OpTable, opNamed } from "./op.ts";

/**
 * Adds the gradients of a loss with respect to some tensors, by one rule an op, in reverse order of the forward nodes.
 * Where a tensor is read more than once its gradients are added in the fixed order in which they were made.
 *
 * @param loss a tensor whose producer needs no gradient from outside (a loss op, whose rule starts the chain)
 * @returns the gradient of each tensor of `of`
 * @throws FeaturemapError `value` where an op on the way has no gradient rule or the loss does not depend on a tensor
 */
export function gradients(ops: OpTable, graph: Graph, loss: TensorId, of: readonly TensorId[]): TensorId[] {
  const forward = [...graph.nodes];
  const needed = dependents(forward, of);
  const parts = new Map<TensorId, TensorId[]>();

  for (const node of forward.reverse()) {
    const isLoss = node.outputs.includes(loss);
    const wanted = node.inputs.map((id) => needed.has(id));
    const incoming = node.outputs.map((id) => total(id));
    if (!wanted.includes(true) || !(isLoss || incoming.some((id) => id !== undefined))) continue;
    const rule = opNamed(ops, node.op).gradient;
    if (!rule) {
      throw new FeaturemapError(
        "value",
        `"${node.name}" cannot be trained through: its op "${node.op}" has no gradient rule.`,
      );
    }
    const made = rule({
      ...node,
      graph,
      node,
      gradients: incoming,
      wanted,
      tensor: (id) => tensorOf(graph, id),
      add: (op, inputs, attributes = {}) => addNode(ops, graph, { op, name: `${node.name}/${op}`, inputs, attributes }),
    });
    node.inputs.forEach((id, i) => {
      const gradient = made[i];
      if (wanted[i] && gradient !== undefined) {
        const known = parts.get(id);
        if (known) known.push(gradient);
        else parts.set(id, [gradient]);
      }
    });
  }

  return of.map((id) => {
    const gradient = total(id);
    if (gradient === undefined) {
      throw new FeaturemapError(
        "value",
        `The loss does not depend on "${tensorOf(graph, id).name}", so it has no gradient.`,
      );
    }
    return gradient;
  });

  /** The sum of a tensor's gradients; made once, since all readers come before the producer in reverse order. */
  function total(id: TensorId): TensorId | undefined {
    const [first, ...rest] = parts.get(id) ?? [];
    if (first === undefined) return undefined;
    const name = `${tensorOf(graph, id).name}/sum`;
    const sum = rest.reduce((sum, part) => addNode(ops, graph, { op: "add", name, inputs: [sum, part] })[0]!, first);
    parts.set(id, [sum]);
    return sum;
  }
}

/** All tensors that depend on one of `of`, those included. */
function dependents(nodes: readonly Node[], of: readonly TensorId[]): Set<TensorId> {
  const found = new Set(of);
  for (const node of nodes) {
    if (node.inputs.some((id) => found.has(id))) for (const id of node.outputs) found.add(id);
  }
  return found;
}
