import { elements } from "../../base/shape.ts";
import type { GraphEdit, Rewrite } from "../../graph/op.ts";
import { inputsOf, type Node, type TensorId } from "../../graph/tensor.ts";
import type { Activation } from "../activation/activation.ts";
import { callsIn, inputsRead, LETTERS, substituted } from "./expression.ts";
import type { Expression } from "./functions.ts";
import { type PointwiseAttributes, wholeShape } from "./whole.ts";

/** Most calls in an expression that takes others in. */
const MAX_CALLS = 64;

/**
 * Takes the node before into an expression: z = f(y), y = g(x) becomes z = f(g(x)), if nothing else reads y, and f reads each element of
 * it once.
 */
export const fuseIntoPointwise: Rewrite = {
  op: "pointwise",
  apply: (edit, node) => inputsOf(node).some((id) => fuse(edit, node, id)),
};

function fuse(edit: GraphEdit, node: Node, id: TensorId): boolean {
  const before = edit.producer(id);
  const inner = before && expressionOf(before);
  if (!before || !inner || edit.usedElsewhere(id, [node])) return false;
  const attributes = node.attributes as unknown as PointwiseAttributes;
  const shapes = inputsOf(node).map((input) => edit.tensor(input).shape);
  const whole = wholeShape(shapes, attributes.shape, node.name);
  if (elements(edit.tensor(id).shape) !== elements(whole)) return false;
  const outer = byTensor(attributes.expression, node.inputs);
  const all = substituted(outer, { [nameOf(id)]: inner });
  const read = inputsRead(all);
  if (read.length > LETTERS.length || callsIn(all) > MAX_CALLS) return false;
  const letters = Object.fromEntries(read.map((name, i) => [name, LETTERS[i]!]));
  const tensors = new Map([...inputsOf(before), ...inputsOf(node)].map((input) => [nameOf(input), input]));
  const inputs = Object.fromEntries(LETTERS.map((letter, i) => [letter, tensors.get(read[i] ?? "")]));
  const change = { inputs, attributes: { expression: substituted(all, letters), shape: whole } };
  edit.replace([before, node], [edit.changed(node, change as Parameters<GraphEdit["changed"]>[1], node.outputs)]);
  return true;
}

/** Gives a node as an expression over tensors, if it is one. */
function expressionOf(node: Node): Expression | undefined {
  const { op, attributes, inputs } = node;
  switch (op) {
    case "pointwise": {
      const { expression, activation, reduction } = attributes as unknown as PointwiseAttributes;
      return reduction ? undefined : activated(byTensor(expression, inputs), activation);
    }
    case "add":
    case "multiply":
      return byTensor([op, "a", "b"], inputs);
    case "activation":
      return byTensor(activated("x", attributes.kind as Activation), inputs);
    default:
      return undefined;
  }
}

function activated(x: Expression, kind: Activation = "linear"): Expression {
  return kind === "linear" ? x : [kind, x];
}

function byTensor(expression: Expression, inputs: Readonly<Record<string, TensorId>>): Expression {
  return substituted(expression, Object.fromEntries(Object.entries(inputs).map(([name, id]) => [name, nameOf(id)])));
}

function nameOf(id: TensorId): string {
  return `t${id}`;
}
