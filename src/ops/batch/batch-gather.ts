import gatherSource from "../../../shaders/batch/batch_gather.wgsl";
import stateSource from "../../../shaders/lib/state.wgsl";
import { ceilDiv, elements, type Shape } from "../../base/shape.ts";
import { defineOp, typed } from "../../graph/op.ts";
import type { Kernel } from "../../wgsl/kernel.ts";
import { dispatchEach, output } from "../access.ts";

const kernel: Kernel<{
  state: "read";
  order: "read?";
  source: "read";
  y: "write?";
  words: "write?";
}> = gatherSource;

interface Attributes {
  readonly batch: number;
  /** Shape of one sample. */
  readonly sampleShape: Shape;
  /** Type of the rows: floats, made of floats, bytes or whole numbers; or words as they are. */
  readonly dtype: "f32" | "u32";
  /** Factor of every float. */
  readonly scale: number;
}

/** Takes the rows of the step's batch out of a whole column of data, in the given order if there is one. */
export const batchGather = defineOp({
  name: "batchGather",
  inputs: ["state", "source", "order?"],
  outputs: ["rows"],
  attributes: typed<Attributes>(),
  infer: (_, { batch, sampleShape, dtype }) => ({ rows: { shape: [batch, ...sampleShape], dtype } }),
  sharesDispatch: true,
  lower: ({ inputs: { state, source, order }, outputs: { rows }, attributes }) => {
    const { batch, sampleShape, dtype, scale } = attributes;
    const size = elements(sampleShape);
    const isWords = dtype === "u32";
    return [
      dispatchEach(kernel, batch * (isWords ? size : ceilDiv(size, 4)), {
        bind: { state, order, source, y: isWords ? undefined : rows, words: isWords ? rows : undefined },
        constants: {
          BATCH: batch,
          SIZE: size,
          BYTES: source.dtype === "u8",
          WHOLE: source.dtype === "u32",
          WORDS: isWords,
          SHUFFLED: order !== undefined,
          SCALE: scale,
        },
        libraries: [stateSource, output("y", size)],
      }),
    ];
  },
});
