import { FeaturemapError } from "../../base/errors.ts";
import { ceilDiv, elements, type Shape, sameShape, showShape } from "../../base/shape.ts";
import type { Rewrite } from "../../graph/op.ts";
import type { TensorId, TensorSpec } from "../../graph/tensor.ts";
import type { Bindings, Dispatch, Kernel, KernelCall } from "../../wgsl/kernel.ts";
import { dispatchEach, operand, output } from "../access.ts";

/** Shape rule of an op that steps a parameter p by its gradient g. It has no outputs. */
export function inferUpdate(
  { p, g }: { readonly p: TensorSpec; readonly g: TensorSpec },
  where: string,
): Record<never, never> {
  if (!sameShape(p.shape, g.shape)) {
    throw new FeaturemapError(
      "shape",
      `"${where}" steps ${showShape(p.shape)} by a gradient of ${showShape(g.shape)}.`,
    );
  }
  return {};
}

/** Calls a kernel that changes tensors of one shape by a gradient `g`. `changed` has their letters. */
export function dispatchUpdate<B extends Bindings>(
  kernel: Kernel<B>,
  shape: Shape,
  changed: readonly string[],
  { bind, constants, libraries = [] }: Omit<KernelCall<B, TensorId>, "workgroups">,
): Dispatch<TensorId> {
  const SIZE = elements(shape);
  return dispatchEach(kernel, ceilDiv(SIZE, 4), {
    bind,
    constants: { ...constants, SIZE },
    libraries: [operand("g", SIZE), ...changed.map((letter) => output(letter, SIZE)), ...libraries],
  });
}

/**
 * Fuses updates into the op that makes the gradients, if its kernel can step parameters as it stores. Every gradient that it makes must be
 * read by one update of this op only, all with one rate. A gradient that is clipped, shared or a result stays as it is.
 *
 * @param op Name of an op with inputs `p`, `g` and `rate`.
 */
/* @__NO_SIDE_EFFECTS__ */
export function fuseUpdate(op: string): Rewrite {
  return {
    op,
    apply: (edit, node) => {
      const { inPlace } = edit.opOf(node);
      const { g, rate } = node.inputs;
      const producer = edit.producer(g!);
      if (!producer || !inPlace || !edit.opOf(producer).fuses?.includes("update")) return false;
      const gradients = Object.entries(producer.outputs);
      const steps = gradients.map(([, gradient]) => edit.readers(gradient)[0]!);
      const alone = gradients.every(([, gradient], i) => {
        const step = steps[i];
        if (step?.op !== op || step.inputs.g !== gradient || step.inputs.rate !== rate) return false;
        return inPlace.fits(step) && !edit.usedElsewhere(gradient, [step]);
      });
      if (!alone) return false;
      const inputs: Record<string, TensorId> = { rate: rate! };
      // The gradient of `kernel` is the output `dkernel`.
      gradients.forEach(([name], i) => {
        inputs[name.slice(1)] = steps[i]!.inputs.p!;
      });
      // `inOrder` then puts it after all that reads the parameters' old values.
      edit.replace([producer, ...steps], [edit.changed(producer, { inputs, attributes: { update: op } })]);
      return true;
    },
  };
}

/** Gives the logarithm of a share, such as a beta. That of 0 is finite, too, and its powers are as good as 0. */
export function logarithm(share: number): number {
  return Math.max(Math.log(share), -100);
}
