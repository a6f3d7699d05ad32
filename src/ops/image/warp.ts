import source from "../../../shaders/image/warp.wgsl";
import { FeaturemapError } from "../../base/errors.ts";
import { ceilDiv, showShape } from "../../base/shape.ts";
import { defineOp, typed } from "../../graph/op.ts";
import type { Kernel } from "../../wgsl/kernel.ts";
import { dispatchEach, operand, output } from "../access.ts";

const kernel: Kernel<{ x: "read"; m: "read"; y: "write" }> = source;

/** What an image is beyond its edges. */
export type FillMode = "reflect" | "wrap" | "constant" | "nearest";

/** Number of each in WGSL. */
const FILLS: readonly FillMode[] = ["reflect", "wrap", "constant", "nearest"];

export interface WarpAttributes {
  /** Size of the images that are made. */
  readonly height: number;
  readonly width: number;
  readonly interpolation: "nearest" | "bilinear";
  readonly fillMode: FillMode;
  readonly fillValue: number;
}

/**
 * Images by affine maps: y[n, i, j] = x[n] at the place (a0 j + a1 i + a2, b0 j + b1 i + b2), with a0, a1, a2, b0, b1, b2 = m[n]. x
 * [batch, height, width, channels], m [batch, 6] or, for all images, [1, 6]. Keras's `ops.image.affine_transform`. It has no gradient:
 * what lies before it cannot be trained.
 */
export const warp = defineOp({
  name: "warp",
  inputs: ["x", "m"],
  outputs: ["y"],
  attributes: typed<WarpAttributes>(),
  infer: ({ x, m }, { height, width }, where) => {
    const matrices = m.shape[0];
    if (
      x.shape.length !== 4 ||
      m.shape.length !== 2 ||
      m.shape[1] !== 6 ||
      (matrices !== 1 && matrices !== x.shape[0])
    ) {
      const got = `x ${showShape(x.shape)} and m ${showShape(m.shape)}`;
      throw new FeaturemapError(
        "shape",
        `"${where}" wants x [batch, height, width, channels] and m [batch or 1, 6], got ${got}.`,
      );
    }
    return { y: { shape: [x.shape[0]!, height, width, x.shape[3]!], dtype: "f32" } };
  },
  lower: ({ inputs: { x, m }, outputs: { y }, attributes: { height, width, interpolation, fillMode, fillValue } }) => {
    const [batch, inH, inW, channels] = x.shape as readonly [number, number, number, number];
    return [
      dispatchEach(kernel, batch * height * width * ceilDiv(channels, 4), {
        bind: { x, m, y },
        constants: {
          BATCH: batch,
          IN_H: inH,
          IN_W: inW,
          OUT_H: height,
          OUT_W: width,
          C: channels,
          MATRICES: m.shape[0]!,
          LINEAR: interpolation === "bilinear",
          FILL: FILLS.indexOf(fillMode),
          FILL_VALUE: fillValue,
        },
        libraries: [operand("x", channels), output("y", channels)],
      }),
    ];
  },
});
