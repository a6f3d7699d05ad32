import updateCode from "../../shaders/lib/sgd.wgsl?raw";
import code from "../../shaders/sgd.wgsl?raw";
import { defineKernel, dispatch } from "../gpu/kernel.ts";
import type { Source } from "../gpu/specialize.ts";
import type { Node } from "../graph/graph.ts";
import { defineOp, type GraphEdit } from "../graph/op.ts";
import { inferUpdate, perUpdate } from "./update.ts";

const kernel = defineKernel<{ rate: "read"; p: "write"; g: "read"; v: "write?" }>(code);

/** Defines `update(p, g)` in WGSL, and binds `rate`. */
export const sgdSource: Source = { code: updateCode };

/** Constants of the kernel. */
type Attributes = { readonly MOMENTUM?: number; readonly NESTEROV?: boolean };

/** p := p - rate * g, in place. Inputs: p, g, rate [1] and, with momentum, the velocity v, which changes too. */
const sgd = defineOp<Attributes>({
  name: "sgd",
  infer: inferUpdate,
  updates: () => [0, 3],
  lower: ({ inputs: [p, g, rate, v], attributes }) => {
    const { workgroups, constants, libraries } = perUpdate(p!.shape, v ? ["p", "v"] : ["p"]);
    return [
      dispatch(kernel, {
        bind: { p: p!.id, g: g!.id, rate: rate!.id, v: v?.id },
        constants: { ...constants, ...attributes },
        libraries: [...libraries, sgdSource],
        workgroups,
      }),
    ];
  },
});

export const sgdOps = [sgd];

/**
 * Lets a filter gradient step its parameters as it stores them, where every gradient it makes is read by nothing but an
 * `sgd` of one rate, without momentum: a gradient that is clipped, shared or asked for stays as it is. The parameters and the rate become
 * further inputs, in that order.
 */
export function absorbSgd(edit: GraphEdit, node: Node): boolean {
  const readers = node.outputs.map((gradient) => edit.readers(gradient));
  const updates = readers.flatMap((nodes) => nodes.slice(0, 1));
  const alone = node.outputs.every((gradient, i) => {
    const update = updates[i];
    return (
      update?.op === "sgd" && !update.inputs[3] && update.inputs[1] === gradient && !edit.usedBeside(gradient, [update])
    );
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
