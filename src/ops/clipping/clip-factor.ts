import source from "../../../shaders/clipping/clip_factor.wgsl";
import nanSource from "../../../shaders/lib/nan.wgsl";
import { defineOp, typed } from "../../graph/op.ts";
import { dispatch, type Kernel } from "../../wgsl/kernel.ts";

const kernel: Kernel<{
  sums_0: "read";
  sums_1: "read?";
  sums_2: "read?";
  sums_3: "read?";
  before: "read?";
  y: "write";
}> = source;

/** The most `sums` that one node adds up. */
export const MOST_SUMS = 4;

interface Attributes {
  /** The largest norm; none where the sum goes on in another node. */
  readonly clip?: number | undefined;
  /** Whether an infinite norm makes NaN, and not 0. Default false. */
  readonly strict?: boolean;
}

/** y [1]: the sum of up to four `sums` of `squareSum` and of `before` [1] or, with `clip`, what clips a gradient of such a sum. */
export const clipFactor = defineOp({
  name: "clipFactor",
  inputs: ["sums_0", "sums_1?", "sums_2?", "sums_3?", "before?"],
  outputs: ["y"],
  attributes: typed<Attributes>(),
  infer: () => ({ y: { shape: [1], dtype: "f32" } }),
  lower: ({ inputs, outputs, attributes: { clip, strict = false } }) => {
    const { sums_0, sums_1, sums_2, sums_3, before } = inputs;
    const [COUNT_0, COUNT_1, COUNT_2, COUNT_3] = [sums_0, sums_1, sums_2, sums_3].map((sums) => sums?.shape[0] ?? 0);
    const options = { HAS_BEFORE: before !== undefined, LAST: clip !== undefined, STRICT: strict, CLIP: clip ?? 1 };
    return [
      dispatch(kernel, {
        bind: { ...inputs, ...outputs },
        constants: { COUNT_0: COUNT_0!, COUNT_1: COUNT_1!, COUNT_2: COUNT_2!, COUNT_3: COUNT_3!, ...options },
        libraries: [nanSource],
        workgroups: [1, 1, 1],
      }),
    ];
  },
});
