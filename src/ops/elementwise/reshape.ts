import { FeaturemapError } from "../../base/errors.ts";
import { elements, type Shape, showShape } from "../../base/shape.ts";
import { defineOp, type Rewrite } from "../../graph/op.ts";

type Attributes = { readonly shape: Shape };

/**
 * activationGradient(reshape(g), y) becomes reshape(activationGradient(g, reshape(y))): the product moves to where g is
 * made, and can ride in the kernel that makes it.
 */
const sinkActivationGradient: Rewrite = (edit, node) => {
  if (node.op !== "activationGradient") return false;
  const view = edit.producer(node.inputs[0]!);
  if (view?.op !== "reshape" || edit.usedBeside(view.outputs[0]!, [node])) return false;
  const gradient = view.inputs[0]!;
  const y = edit.node("reshape", `${node.name}/y`, [node.inputs[1]!], { shape: edit.tensor(gradient).shape });
  const product = edit.node("activationGradient", node.name, [gradient, y.outputs[0]!], node.attributes);
  const back = edit.node("reshape", `${node.name}/back`, product.outputs, view.attributes, node.outputs);
  edit.replace([view, node], [y, product, back]);
  return true;
};

/** The same elements under another shape: no kernel, no copy. */
const reshape = defineOp<Attributes>({
  name: "reshape",
  view: true,
  infer: ([x], { shape }, where) => {
    if (elements(x!.shape) !== elements(shape)) {
      const got = `${showShape(x!.shape)} to ${showShape(shape)}`;
      throw new FeaturemapError("shape", `"${where}" cannot reshape ${got}: the numbers of elements differ.`);
    }
    return [{ shape, dtype: x!.dtype }];
  },
  gradient: ({ gradients: [dY], inputs: [x], tensor, add }) => add("reshape", [dY!], { shape: tensor(x!).shape }),
  rewrites: [sinkActivationGradient],
});

export const reshapeOps = [reshape];
