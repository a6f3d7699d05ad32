import { FeaturemapError } from "../../base/errors.ts";
import { elements, type Shape, showShape } from "../../base/shape.ts";
import { defineOp, type Op, type Rewrite, typed } from "../../graph/op.ts";
import { type Activation, activationGradient } from "../activation/activation.ts";

interface Attributes {
  readonly shape: Shape;
}

/**
 * Moves a derivative before a reshape: activationGradient(reshape(g), y) becomes reshape(activationGradient(g, reshape(y))). There it
 * can be fused into the kernel that makes g.
 */
const sinkActivationGradient: Rewrite = {
  op: "activationGradient",
  apply: (edit, node) => {
    const view = edit.producer(node.inputs.dy!);
    if (view?.op !== reshape.name || edit.usedElsewhere(view.outputs.y!, [node])) return false;
    const g = view.inputs.x!;
    const y = edit.node(reshape, `${node.name}/y`, { x: node.inputs.y! }, { shape: edit.tensor(g).shape });
    const kind = node.attributes.kind as Activation;
    const product = edit.node(activationGradient, node.name, { dy: g, y: y.outputs.y }, { kind });
    const { shape } = edit.tensor(view.outputs.y!);
    const back = edit.node(reshape, `${node.name}/back`, { x: product.outputs.dx }, { shape }, { y: node.outputs.dx! });
    edit.replace([view, node], [y, product, back]);
    return true;
  },
};

/** View of the same elements under another shape, without kernel and copy. */
export const reshape: Op<"x", "y", Attributes> = defineOp({
  name: "reshape",
  inputs: ["x"],
  outputs: ["y"],
  attributes: typed<Attributes>(),
  view: true,
  infer: ({ x }, { shape }, where) => {
    if (elements(x.shape) !== elements(shape)) {
      const got = `${showShape(x.shape)} to ${showShape(shape)}`;
      throw new FeaturemapError("shape", `"${where}" cannot reshape ${got}: the numbers of elements differ.`);
    }
    return { y: { shape, dtype: x.dtype } };
  },
  gradient: ({ gradients: { y: dy }, inputs: { x }, tensor, add }) => ({
    x: add(reshape, { x: dy! }, { shape: tensor(x).shape }).y,
  }),
  rewrites: [sinkActivationGradient],
});
