import source from "../../../shaders/conv2d/conv2d_filter_gradient_sum.wgsl";
import { ceilDiv } from "../../base/shape.ts";
import type { Tensor, TensorId } from "../../graph/graph.ts";
import type { AdapterClass } from "../../graph/tile.ts";
import type { Dispatch, Kernel } from "../../wgsl/kernel.ts";
import { channelsSource, dispatchEach, operand } from "../access.ts";
import { type FilterGradient, filterGradientSources } from "../updates/sgd.ts";

const kernel: Kernel<{ partial: "read"; kernel: "write"; bias: "write?"; rate: "read?" }> = source;

interface Slices {
  /** [first + count, rows, columns] or more. */
  readonly partial: Tensor | TensorId;
  readonly first?: number;
  readonly count: number;
  readonly rows: number;
  readonly columns: number;
  /** The last row goes to the bias. */
  readonly hasBias: boolean;
}

/** Adds up slices of a parameter's gradient, in a fixed order: for each of rows x columns one sum. */
export function dispatchSliceSum(
  { partial, first = 0, count, rows, columns, hasBias }: Slices,
  bind: { kernel: Tensor; bias?: Tensor | undefined; rate?: Tensor | undefined },
  attributes: FilterGradient,
  adapter: AdapterClass,
): Dispatch<TensorId> {
  // Barriers, by which several invocations share a sum, are cheap on a GPU only.
  const parts = adapter === "gpu" ? partsOf(count) : 1;
  return dispatchEach(kernel, rows * ceilDiv(columns, 4) * parts, {
    bind: { partial, ...bind },
    constants: {
      SLICES: count,
      PARTS: parts,
      ROWS: rows,
      OUT_C: columns,
      HAS_BIAS: hasBias,
      ...(first > 0 ? { FIRST: first } : {}),
    },
    libraries: [channelsSource(4), operand("partial", columns), ...filterGradientSources(attributes, columns)],
  });
}

/** Invocations that share a sum of so many slices: a power of two up to 64, each with 4 slices or more. */
function partsOf(slices: number): number {
  return 2 ** Math.min(6, Math.floor(Math.log2(Math.max(1, slices / 4))));
}
