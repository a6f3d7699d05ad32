import source from "../../../shaders/conv2d/conv2d_filter_gradient_sum.wgsl";
import { ceilDiv } from "../../base/shape.ts";
import type { Tensor, TensorId } from "../../graph/tensor.ts";
import type { AdapterClass } from "../../graph/tile.ts";
import type { Dispatch, Kernel } from "../../wgsl/kernel.ts";
import { channelsSource, dispatchEach, operand } from "../access.ts";
import { type ParametersContext, storedParameters } from "../product/epilogue.ts";

const kernel: Kernel<{ partial: "read"; kernel: "write"; bias: "write?"; rate: "read?" }> = source;

interface Slices {
  /** Slices: [first + count, rows, columns] or more. */
  readonly partial: Tensor | TensorId;
  readonly first?: number;
  readonly count: number;
  readonly rows: number;
  readonly columns: number;
  /** Whether the last row is the bias's. */
  readonly hasBias: boolean;
}

/** Adds up slices of a parameter's gradient in a fixed order, for each row and column. */
export function dispatchSliceSum(
  { partial, first = 0, count, rows, columns, hasBias }: Slices,
  bind: { kernel: Tensor; bias?: Tensor | undefined; rate?: Tensor | undefined },
  context: ParametersContext & { readonly adapter: AdapterClass },
): Dispatch<TensorId> {
  // Several invocations share a sum by barriers, which are cheap on GPUs only.
  const parts = context.adapter === "gpu" ? partsOf(count) : 1;
  const store = storedParameters(context, columns);
  const constants = { SLICES: count, PARTS: parts, ROWS: rows, OUT_C: columns, HAS_BIAS: hasBias, ...store.constants };
  return dispatchEach(kernel, rows * ceilDiv(columns, 4) * parts, {
    bind: { partial, ...bind },
    constants: first > 0 ? { ...constants, FIRST: first } : constants,
    libraries: [channelsSource(4), operand("partial", columns), ...store.libraries],
  });
}

/** Chooses how many invocations share a sum of so many slices: a power of two up to 64, with 4 slices or more each. */
function partsOf(slices: number): number {
  return 2 ** Math.min(6, Math.floor(Math.log2(Math.max(1, slices / 4))));
}
