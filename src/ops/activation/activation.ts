import source from "../../../shaders/activation/activation.wgsl";
import gradientSource from "../../../shaders/activation/activation_gradient.wgsl";
import elementarySource from "../../../shaders/activation/lib/elementary.wgsl";
import activationSource from "../../../shaders/activation/lib/functions.wgsl";
import nanSource from "../../../shaders/lib/nan.wgsl";
import { oneOf } from "../../base/errors.ts";
import { ceilDiv, elements } from "../../base/shape.ts";
import type { Node } from "../../graph/graph.ts";
import { defineOp, type GraphEdit } from "../../graph/op.ts";
import type { Kernel } from "../../wgsl/kernel.ts";
import type { Source } from "../../wgsl/specialize.ts";
import { dispatchEach, operand, output } from "../access.ts";

/** In the order of their numbers in `shaders/activation/lib/functions.wgsl`. */
export const ACTIVATIONS = ["linear", "relu", "sigmoid", "tanh", "elu", "leakyRelu", "softplus"] as const;

/** Activations that work on each element alone, so that a kernel can apply them as it stores. */
export type Activation = (typeof ACTIVATIONS)[number];

/** The libraries of a kernel that applies an activation, its derivative, or a pooling after it. */
export const activationSources: readonly Source[] = [activationSource, elementarySource, nanSource];

/** The number that stands for an activation in WGSL. */
export function activationNumber(kind: Activation | undefined): number {
  return ACTIVATIONS.indexOf(oneOf(kind ?? "linear", ACTIVATIONS, "activation"));
}

type Attributes = { readonly kind: Activation };

const activationKernel: Kernel<{ x: "read"; y: "write" }> = source;

const gradientKernel: Kernel<{ dy: "read"; y: "read"; dx: "write" }> = gradientSource;

/** y = act(x), element by element. */
const activation = defineOp<Attributes>({
  name: "activation",
  infer: ([x], { kind }, where) => {
    oneOf(kind, ACTIVATIONS, `"${where}": activation`);
    return [x!];
  },
  gradient: ({ gradients: [dY], outputs: [y], attributes, add }) => add("activationGradient", [dY!, y!], attributes),
  lower: ({ inputs: [x], outputs: [y], attributes }) => {
    const size = elements(y!.shape);
    return [
      dispatchEach(activationKernel, ceilDiv(size, 4), {
        bind: { x: x!, y: y! },
        constants: { SIZE: size, ACTIVATION: activationNumber(attributes.kind) },
        libraries: [operand("x", size), output("y", size), ...activationSources],
      }),
    ];
  },
});

/** dX = dY * act'(x), by the output y. Inputs: dY, y. */
const activationGradient = defineOp<Attributes>({
  name: "activationGradient",
  infer: ([dY]) => [dY!],
  lower: ({ inputs: [dY, y], outputs: [dX], attributes }) => {
    const size = elements(dX!.shape);
    return [
      dispatchEach(gradientKernel, ceilDiv(size, 4), {
        bind: { dy: dY!, y: y!, dx: dX! },
        constants: { SIZE: size, GRADIENT_ACTIVATION: activationNumber(attributes.kind) },
        libraries: [operand("dy", size), operand("y", size), output("dx", size), ...activationSources],
      }),
    ];
  },
});

export const activationOps = [activation, activationGradient];

/**
 * Lets a node apply the activation that follows it: y = op(x), z = act(y) becomes z = op{act}(x), where nobody else
 * reads y. For ops whose kernel has a place for it and whose attributes take `activation`.
 */
export function absorbActivation(edit: GraphEdit, node: Node): boolean {
  return absorb(edit, node, "activation", "activation");
}

/**
 * Lets a node that makes a gradient multiply it by the derivative of the activation below: the last input is then the
 * activation's output. For ops whose kernel has a place for it and whose attributes take `gradientActivation`.
 */
export function absorbActivationGradient(edit: GraphEdit, node: Node): boolean {
  return absorb(edit, node, "activationGradient", "gradientActivation");
}

/** Takes in the only reader, if it is `op` and reads the node's output first, with what else it reads. */
function absorb(edit: GraphEdit, node: Node, op: string, attribute: string): boolean {
  const [made] = node.outputs;
  const [reader, another] = edit.readers(made!);
  if (reader?.op !== op || another || reader.inputs[0] !== made || edit.usedBeside(made!, [reader])) return false;
  if (node.attributes[attribute] !== undefined) return false;
  const attributes = { ...node.attributes, [attribute]: reader.attributes.kind };
  const inputs = [...node.inputs, ...reader.inputs.slice(1)];
  edit.replace([node, reader], [edit.node(node.op, node.name, inputs, attributes, reader.outputs)]);
  return true;
}
