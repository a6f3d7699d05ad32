import source from "../../../shaders/activation/activation_sum_gradient.wgsl";
import { ceilDiv, elements } from "../../base/shape.ts";
import { defineOp, type Rewrite, typed } from "../../graph/op.ts";
import type { Kernel } from "../../wgsl/kernel.ts";
import { dispatchEach, operand, output } from "../access.ts";
import { type Activation, activationNumber, activationSources } from "./activation.ts";

const kernel: Kernel<{ a: "read"; b: "read"; y: "read"; dx: "write" }> = source;

/** dx = (a + b) * act'(x), by the activation's output y, which is read twice. It stands in the place of two nodes. */
export const activationSumGradient = defineOp({
  name: "activationSumGradient",
  inputs: ["a", "b", "y"],
  outputs: ["dx"],
  attributes: typed<{ readonly kind: Activation }>(),
  infer: ({ a }) => ({ dx: a }),
  lower: ({ inputs, outputs, attributes }) => {
    const SIZE = elements(outputs.dx.shape);
    return [
      dispatchEach(kernel, ceilDiv(SIZE, 4), {
        bind: { ...inputs, ...outputs },
        constants: { SIZE, GRADIENT_ACTIVATION: activationNumber(attributes.kind) },
        libraries: [
          ...["a", "b", "y"].map((letter) => operand(letter, SIZE)),
          output("dx", SIZE),
          ...activationSources,
        ],
      }),
    ];
  },
});

/** Adds the gradients of an activation that is read twice in the kernel that takes them through it. */
export const fuseGradientSum: Rewrite = {
  op: "activationGradient",
  apply: (edit, node) => {
    const { dy, y } = node.inputs;
    const sum = edit.producer(dy!);
    if (sum?.op !== "add" || edit.usedElsewhere(dy!, [node])) return false;
    const [inputs, attributes] = [
      { a: sum.inputs.a!, b: sum.inputs.b!, y: y! },
      node.attributes as { kind: Activation },
    ];
    edit.replace(
      [sum, node],
      [edit.node(activationSumGradient, node.name, inputs, attributes, { dx: node.outputs.dx! })],
    );
    return true;
  },
};
