import sgdSource from "../../../shaders/updates/lib/step.wgsl";
import steppedSource from "../../../shaders/updates/lib/stepped.wgsl";
import source from "../../../shaders/updates/sgd.wgsl";
import type { Shape } from "../../base/shape.ts";
import type { Node, Tensor, TensorSpec } from "../../graph/graph.ts";
import { defineOp, type GraphEdit } from "../../graph/op.ts";
import type { Kernel } from "../../wgsl/kernel.ts";
import type { Source } from "../../wgsl/specialize.ts";
import { type Channels, channelsSource, output } from "../access.ts";
import { dispatchUpdate, inferUpdate } from "./update.ts";

const kernel: Kernel<{ rate: "read"; p: "write"; g: "read"; v: "write?" }> = source;

/** Constants of the kernel. */
type Attributes = { readonly MOMENTUM?: number; readonly NESTEROV?: boolean };

/** p := p - rate * g, in place. Inputs: p, g, rate [1] and, with momentum, the velocity v, which changes too. */
const sgd = defineOp<Attributes>({
  name: "sgd",
  infer: inferUpdate,
  updates: () => [0, 3],
  lower: ({ inputs: [p, g, rate, v], attributes }) => {
    return [
      dispatchUpdate(kernel, p!.shape, v ? ["p", "v"] : ["p"], {
        bind: { p: p!, g: g!, rate: rate!, v },
        constants: attributes,
        libraries: [channelsSource(4), sgdSource],
      }),
    ];
  },
});

export const sgdOps = [sgd];

/** What the nodes have in common that make a layer's parameters' gradients: of the kernel, and of the bias if there is one. */
export interface FilterGradient {
  readonly hasBias: boolean;
  /** The parameters are stepped in place of making gradients; they and the rate are the last inputs. */
  readonly update?: "sgd";
}

/** The gradients, whose last axis is the outputs; none where the parameters are stepped. */
export function filterGradients({ hasBias, update }: FilterGradient, kernel: Shape): TensorSpec[] {
  if (update) return [];
  return [kernel, ...(hasBias ? [kernel.slice(-1)] : [])].map((shape) => ({ shape, dtype: "f32" }));
}

/** The inputs that are stepped, if the parameters begin at `first`. */
export function steppedInputs({ hasBias, update }: FilterGradient, first: number): number[] {
  return update ? [first, ...(hasBias ? [first + 1] : [])] : [];
}

/** What a kernel binds for them, given the inputs from the parameters on. */
export function filterGradientBindings(
  { hasBias, update }: FilterGradient,
  parameters: readonly Tensor[],
  outputs: readonly Tensor[],
) {
  const [kernel, bias] = update ? parameters : outputs;
  return { kernel: kernel!, bias: hasBias ? bias : undefined, rate: update && parameters.at(-1) };
}

/** What a kernel calls to store them, `put_kernel` and `put_bias`, beside `channelsSource`; `outputs` is the last axis. */
export function filterGradientSources({ update }: FilterGradient, outputs: number, channels: Channels = 4): Source[] {
  const stepped = (letter: string): Source => ({ ...steppedSource, rename: { output: letter } });
  const parameters = ["kernel", "bias"].flatMap((letter) => [output(letter, outputs, channels), stepped(letter)]);
  return [...parameters, { ...sgdSource, given: { UPDATE: update !== undefined } }];
}

/**
 * Lets a filter gradient step its parameters as it stores them, where every gradient it makes is read by nothing but an
 * `sgd` of one rate, without momentum: a gradient that is clipped, shared or asked for stays as it is. The parameters and the
 * rate become further inputs, in that order.
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
