import source from "../../../shaders/activation/activation.wgsl";
import gradientSource from "../../../shaders/activation/activation_gradient.wgsl";
import curvesSource from "../../../shaders/activation/lib/curves.wgsl";
import elementarySource from "../../../shaders/activation/lib/elementary.wgsl";
import activationSource from "../../../shaders/activation/lib/functions.wgsl";
import nanSource from "../../../shaders/lib/nan.wgsl";
import { oneOf } from "../../base/errors.ts";
import { ceilDiv, elements } from "../../base/shape.ts";
import { defineOp, type Rewrite, typed } from "../../graph/op.ts";
import type { Kernel } from "../../wgsl/kernel.ts";
import type { Source } from "../../wgsl/specialize.ts";
import { dispatchEach, operand, output } from "../access.ts";

/** Activations in the order of their numbers in `shaders/activation/lib/functions.wgsl`. */
export const ACTIVATIONS = ["linear", "relu", "sigmoid", "tanh", "elu", "leakyRelu", "softplus"] as const;

/** Activations that work on each element alone, so that a kernel can apply them as it stores. */
export type Activation = (typeof ACTIVATIONS)[number];

/** Libraries of a kernel that applies an activation, its derivative, or a pooling after it. */
export const activationSources: readonly Source[] = [activationSource, curvesSource, elementarySource, nanSource];

/** Gives the number of an activation in WGSL. */
export function activationNumber(kind: Activation | undefined): number {
  return ACTIVATIONS.indexOf(oneOf(kind ?? "linear", ACTIVATIONS, "activation"));
}

interface Attributes {
  readonly kind: Activation;
}

const activationKernel: Kernel<{ x: "read"; y: "write" }> = source;

const gradientKernel: Kernel<{ dy: "read"; y: "read"; dx: "write" }> = gradientSource;

/** Fuses an activation into the op before it: y = op(x), z = act(y) becomes z = op{act}(x), if nothing else reads y. */
const fuseActivation: Rewrite = {
  op: "activation",
  apply: (edit, node) => {
    const x = node.inputs.x!;
    const producer = edit.producer(x);
    if (!producer || !edit.opOf(producer).fuses?.includes("activation")) return false;
    const { activation, pool } = producer.attributes;
    if (producer.outputs.y !== x || activation !== undefined || pool !== undefined) return false;
    if (edit.usedElsewhere(x, [node])) return false;
    const attributes = { activation: node.attributes.kind };
    edit.replace(
      [producer, node],
      [edit.changed(producer, { attributes }, { ...producer.outputs, y: node.outputs.y! })],
    );
    return true;
  },
};

/** Fuses the derivative of the activation that made x into the kernel that makes the gradient dx. */
const fuseActivationGradient: Rewrite = {
  op: "activationGradient",
  apply: (edit, node) => {
    const dy = node.inputs.dy!;
    const producer = edit.producer(dy);
    if (!producer || !edit.opOf(producer).fuses?.includes("derivative")) return false;
    if (producer.outputs.dx !== dy || producer.attributes.gradientActivation !== undefined) return false;
    if (edit.usedElsewhere(dy, [node])) return false;
    const change = { inputs: { x: node.inputs.y! }, attributes: { gradientActivation: node.attributes.kind } };
    edit.replace([producer, node], [edit.changed(producer, change, { ...producer.outputs, dx: node.outputs.dx! })]);
    return true;
  },
};

/** dx = dy * act'(x), by the activation's output y. */
export const activationGradient = defineOp({
  name: "activationGradient",
  inputs: ["dy", "y"],
  outputs: ["dx"],
  attributes: typed<Attributes>(),
  infer: ({ dy }) => ({ dx: dy }),
  rewrites: [fuseActivationGradient],
  lower: ({ inputs, outputs, attributes }) => {
    const SIZE = elements(outputs.dx.shape);
    return [
      dispatchEach(gradientKernel, ceilDiv(SIZE, 4), {
        bind: { ...inputs, ...outputs },
        constants: { SIZE, GRADIENT_ACTIVATION: activationNumber(attributes.kind) },
        libraries: [operand("dy", SIZE), operand("y", SIZE), output("dx", SIZE), ...activationSources],
      }),
    ];
  },
});

/** y = act(x), element by element. */
export const activation = defineOp({
  name: "activation",
  inputs: ["x"],
  outputs: ["y"],
  attributes: typed<Attributes>(),
  infer: ({ x }, { kind }, where) => {
    oneOf(kind, ACTIVATIONS, `"${where}": activation`);
    return { y: x };
  },
  gradient: ({ gradients: { y: dy }, outputs: { y }, attributes, add }) => ({
    x: add(activationGradient, { dy: dy!, y }, attributes).dx,
  }),
  rewrites: [fuseActivation],
  lower: ({ inputs, outputs, attributes }) => {
    const SIZE = elements(outputs.y.shape);
    return [
      dispatchEach(activationKernel, ceilDiv(SIZE, 4), {
        bind: { ...inputs, ...outputs },
        constants: { SIZE, ACTIVATION: activationNumber(attributes.kind) },
        libraries: [operand("x", SIZE), output("y", SIZE), ...activationSources],
      }),
    ];
  },
});
