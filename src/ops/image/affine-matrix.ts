import source from "../../../shaders/image/affine_matrix.wgsl";
import turnSource from "../../../shaders/random/lib/turn.wgsl";
import { defineOp, typed } from "../../graph/op.ts";
import type { Kernel } from "../../wgsl/kernel.ts";
import { dispatchEach } from "../access.ts";

const kernel: Kernel<{ draws: "read"; m: "write" }> = source;

/** Number that a draw u makes: low + (high - low) u. */
export interface DrawnNumber {
  readonly low: number;
  readonly high: number;
  /** Column of the draw. Default 0. */
  readonly column?: number;
  /** `whole`: only the whole part; `sign`: -1 for a draw up to 0.5, else 1. Default: the number itself. */
  readonly kind?: "whole" | "sign";
}

export interface AffineAttributes {
  /** Size of the images, about whose centre they are turned and zoomed. */
  readonly height: number;
  readonly width: number;
  /** Angle in turns; counted as Keras counts it. Default 0. */
  readonly angle?: DrawnNumber;
  /** Pixels of x for one of y, negative to flip. Default 1. */
  readonly zoomX?: DrawnNumber;
  readonly zoomY?: DrawnNumber;
  /** Pixels by which what is seen moves right and down. Default 0. */
  readonly shiftX?: DrawnNumber;
  readonly shiftY?: DrawnNumber;
}

/** Matrices for `warp` out of draws [rows, columns], uniform in [0, 1): m [rows, 6]. No gradient passes. */
export const affineMatrix = defineOp({
  name: "affineMatrix",
  inputs: ["draws"],
  outputs: ["m"],
  attributes: typed<AffineAttributes>(),
  infer: ({ draws }) => ({ m: { shape: [draws.shape[0]!, 6], dtype: "f32" } }),
  gradient: () => ({}),
  sharesDispatch: true,
  lower: ({ inputs: { draws }, outputs, attributes: { height, width, angle, zoomX, zoomY, shiftX, shiftY } }) => {
    const [rows, columns] = draws.shape as readonly [number, number];
    return [
      dispatchEach(kernel, rows, {
        bind: { draws, ...outputs },
        constants: {
          ROWS: rows,
          COLUMNS: columns,
          CENTRE_X: (width - 1) / 2,
          CENTRE_Y: (height - 1) / 2,
          ...constantsOf("ANGLE", angle),
          ...constantsOf("ZOOM_X", zoomX),
          ...constantsOf("ZOOM_Y", zoomY),
          ...constantsOf("SHIFT_X", shiftX),
          ...constantsOf("SHIFT_Y", shiftY),
        },
        libraries: [turnSource],
      }),
    ];
  },
});

function constantsOf(prefix: string, number: DrawnNumber | undefined): Record<string, number> {
  if (!number) return {};
  const { low, high, column = 0, kind } = number;
  return {
    [`${prefix}_LOW`]: low,
    [`${prefix}_SPAN`]: high - low,
    [`${prefix}_COLUMN`]: column,
    [`${prefix}_KIND`]: kind === "sign" ? 1 : kind === "whole" ? 2 : 0,
  };
}
