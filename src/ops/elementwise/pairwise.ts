import { FeaturemapError } from "../../base/errors.ts";
import { ceilDiv, elements, sameShape, showShape } from "../../base/shape.ts";
import type { Tensor, TensorSpec } from "../../graph/tensor.ts";
import type { Dispatch, Kernel } from "../../wgsl/kernel.ts";
import { dispatchEach, operand, output } from "../access.ts";

type PairwiseKernel = Kernel<{ a: "read"; b: "read"; c: "write" }>;

/** Gives c of an op on each pair of elements. @throws FeaturemapError `shape` unless a and b are of one shape */
export function pairwiseOutput({ a, b }: Record<"a" | "b", TensorSpec>, does: string, where: string) {
  if (sameShape(a.shape, b.shape)) return { c: a };
  const got = `${showShape(a.shape)} and ${showShape(b.shape)}`;
  throw new FeaturemapError("shape", `"${where}" ${does} tensors of one shape, got ${got}.`);
}

/** Calls a kernel that makes c of a and b, with one invocation four elements. */
export function dispatchPairwise(
  kernel: PairwiseKernel,
  inputs: Record<"a" | "b", Tensor>,
  outputs: Record<"c", Tensor>,
): Dispatch<number>[] {
  const SIZE = elements(outputs.c.shape);
  return [
    dispatchEach(kernel, ceilDiv(SIZE, 4), {
      bind: { ...inputs, ...outputs },
      constants: { SIZE },
      libraries: [operand("a", SIZE), operand("b", SIZE), output("c", SIZE)],
    }),
  ];
}
