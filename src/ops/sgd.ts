import updateCode from "../../shaders/lib/sgd.wgsl?raw";
import code from "../../shaders/sgd.wgsl?raw";
import { FeaturemapError } from "../errors.ts";
import { defineKernel, dispatch } from "../gpu/kernel.ts";
import type { Source } from "../gpu/specialize.ts";
import type { Node } from "../graph/graph.ts";
import { defineOp, type GraphEdit } from "../graph/op.ts";
import { ceilDiv, elements, sameShape, showShape } from "../shape.ts";
import { operand, output, perElement } from "./access.ts";

const kernel = defineKernel<{ rate: "read"; p: "write"; g: "read" }>(code);

/** Defines `update(p, g)` in WGSL, and binds `rate`. */
export const sgdSource: Source = { code: updateCode };

/** p := p - rate * g, in place. Inputs: p, g, rate [1]. */
const sgd = defineOp({
  name: "sgd",
  infer: ([p, g], _, where) => {
    if (!sameShape(p!.shape, g!.shape)) {
      throw new FeaturemapError(
        "shape",
        `"${where}" steps ${showShape(p!.shape)} by a gradient of ${showShape(g!.shape)}.`,
      );
    }
    return [];
  },
  updates: () => [0],
  lower: ({ inputs: [p, g, rate] }) => {
    const size = elements(p!.shape);
    const { workgroups, constants, library } = perElement(ceilDiv(size, 4));
    return [
      dispatch(kernel, {
        bind: { p: p!.id, g: g!.id, rate: rate!.id },
        constants: { ...constants, SIZE: size },
        libraries: [library, output("p", size), operand("g", size), sgdSource],
        workgroups,
      }),
    ];
  },
});

export const sgdOps = [sgd];

/**
 * Lets a filter gradient step its parameters as it stores them, where every gradient it makes is read by nothing but an
 * `sgd` of one rate: a gradient that is clipped, shared or asked for stays as it is. The parameters and the rate become
 * further inputs, in that order.
 */
export function absorbSgd(edit: GraphEdit, node: Node): boolean {
  const readers = node.outputs.map((gradient) => edit.readers(gradient));
  const updates = readers.flatMap((nodes) => nodes.slice(0, 1));
  const alone = node.outputs.every((gradient, i) => {
    const update = updates[i];
    return update?.op === "sgd" && update.inputs[1] === gradient && !edit.usedBeside(gradient, [update]);
  });
  const rates = new Set(updates.map((update) => update.inputs[2]));
  if (!alone || rates.size !== 1 || node.outputs.length === 0) return false;
  const parameters = updates.map((update) => update.inputs[0]!);
  const attributes = { ...node.attributes, update: "sgd" };
  const inputs = [...node.inputs, ...parameters, ...(rates as Set<number>)];
  // `inOrder` then puts it after everything that reads the parameters' old values.
  edit.replace([node, ...updates], [edit.node(node.op, node.name, inputs, attributes)]);
  return true;
}
