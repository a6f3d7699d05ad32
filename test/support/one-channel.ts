// What the page shows of one kernel on one image.

import { conv2d, type Padding } from "../reference/conv2d.ts";

export interface OneChannel {
  readonly rows: number;
  readonly columns: number;
  readonly values: ArrayLike<number>;
}

/** Vertical edges: the kernel with which the page begins. */
export const SOBEL = [-1, 0, 1, -2, 0, 2, -1, 0, 1];

/** The feature map of one kernel on one image. */
export function convolved(image: OneChannel, kernel: readonly number[], stride = 1, padding: Padding = "valid") {
  const side = Math.sqrt(kernel.length);
  const { y, shape } = conv2d(image.values, [1, image.rows, image.columns, 1], kernel, [side, side, 1, 1], undefined, {
    strides: [stride, stride],
    padding,
  });
  return { rows: shape[1], columns: shape[2], values: y };
}
