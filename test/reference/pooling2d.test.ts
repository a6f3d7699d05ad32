import { describe, expect, it } from "vitest";
import { expectClose, numericGradient } from "../support/compare.ts";
import { tolerances } from "../support/tolerances.ts";
import type { Padding, Pair, Shape4 } from "./conv2d.ts";
import { averagePooling2d, averagePooling2dGradient, maxPooling2d, maxPooling2dGradient } from "./pooling2d.ts";
import { randomArray } from "./random.ts";

const twoByTwo = { poolSize: [2, 2], strides: [2, 2], padding: "valid" } as const;

describe("max pooling by hand", () => {
  it("keeps channels apart and drops what does not fill a window", () => {
    // 2 x 3 cells with 2 channels; the last column does not fill a window.
    const x = [1, -1, 2, -2, 99, 99, 3, -3, 4, -4, 99, 99];
    const { y, argmax, shape } = maxPooling2d(x, [1, 2, 3, 2], twoByTwo);
    expect(shape).toEqual([1, 1, 1, 2]);
    expect([...y]).toEqual([4, -1]);
    expect([...argmax]).toEqual([8, 1]);
  });

  it("gives a tie to the first in row-major order", () => {
    const { y, argmax } = maxPooling2d([1, 5, 5, 5], [1, 2, 2, 1], twoByTwo);
    expect([...y]).toEqual([5]);
    expect([...argmax]).toEqual([1]);
    expect([...maxPooling2dGradient([7], argmax, [1, 2, 2, 1])]).toEqual([0, 7, 0, 0]);
    expect([...maxPooling2d([0, 0, 0, 0], [1, 2, 2, 1], twoByTwo).argmax]).toEqual([0]);
  });

  it("never lets padding win, not even over negative values", () => {
    const options = { poolSize: [2, 2], strides: [2, 2], padding: "same" } as const;
    const { y, argmax } = maxPooling2d([-9, -8, -7, -6, -5, -4, -3, -2, -1], [1, 3, 3, 1], options);
    expect([...y]).toEqual([-5, -4, -2, -1]);
    expect([...argmax]).toEqual([4, 5, 7, 8]);
  });

  it("adds up the gradients of overlapping windows", () => {
    const options = { poolSize: [1, 2], strides: [1, 1], padding: "valid" } as const;
    const { argmax } = maxPooling2d([1, 9, 3], [1, 1, 3, 1], options);
    expect([...maxPooling2dGradient([10, 100], argmax, [1, 1, 3, 1])]).toEqual([0, 110, 0]);
  });
});

describe("average pooling by hand", () => {
  it("divides by the window's cells", () => {
    const { y } = averagePooling2d([1, 2, 3, 4], [1, 2, 2, 1], twoByTwo);
    expect([...y]).toEqual([2.5]);
    expect([...averagePooling2dGradient([8], [1, 2, 2, 1], twoByTwo)]).toEqual([2, 2, 2, 2]);
  });

  it("divides by the real cells only at a padded border", () => {
    const options = { poolSize: [3, 3], strides: [2, 2], padding: "same" } as const;
    const x = [1, 2, 3, 4, 5, 6, 7, 8, 9];
    // 3 cells, stride 2: one row and column of padding on every side, so each window has 4 real cells of 9.
    const { y, shape } = averagePooling2d(x, [1, 3, 3, 1], options);
    expect(shape).toEqual([1, 2, 2, 1]);
    expect([...y]).toEqual([12 / 4, 16 / 4, 24 / 4, 28 / 4]);
    const dX = averagePooling2dGradient([4, 8, 12, 16], [1, 3, 3, 1], options);
    expect([...dX]).toEqual([1, 3, 2, 4, 10, 6, 3, 7, 4]);
  });

  it("pads at the bottom and the right first", () => {
    const options = { poolSize: [1, 3], strides: [1, 2], padding: "same" } as const;
    const { y } = averagePooling2d([1, 2, 3, 4], [1, 1, 4, 1], options);
    expect([...y]).toEqual([2, 3.5]);
  });
});

describe("pooling windows", () => {
  it("hold the cells that the formula names: cells hold their own coordinates nhwc as digits", () => {
    const x: number[] = [];
    for (const n of [0, 1])
      for (const h of [0, 1, 2, 3, 4]) for (const w of [0, 1, 2, 3, 4, 5, 6]) x.push(1000 * n + 100 * h + 10 * w);
    const options = { poolSize: [3, 2], strides: [2, 3], padding: "valid" } as const;
    // The largest is the window's last cell (2 oh + 2, 3 ow + 1), the mean lies at (2 oh + 1, 3 ow + 0.5).
    const max = maxPooling2d(x, [2, 5, 7, 1], options);
    expect(max.shape).toEqual([2, 2, 2, 1]);
    expect([...max.y]).toEqual([210, 240, 410, 440, 1210, 1240, 1410, 1440]);
    expect([...max.argmax]).toEqual([15, 18, 29, 32, 50, 53, 64, 67]);
    const average = averagePooling2d(x, [2, 5, 7, 1], options);
    expect([...average.y]).toEqual([105, 135, 305, 335, 1105, 1135, 1305, 1335]);
  });
});

describe("pooling gradients against finite differences", () => {
  const cases: [Shape4, Pair, Pair, Padding][] = [
    // x, pool, strides, padding
    [[1, 1, 1, 1], [1, 1], [1, 1], "valid"],
    [[2, 7, 7, 3], [2, 2], [2, 2], "valid"],
    [[1, 7, 7, 3], [2, 2], [2, 2], "same"],
    [[2, 7, 5, 1], [3, 3], [2, 2], "same"],
    [[1, 7, 6, 3], [3, 2], [1, 1], "valid"],
    [[1, 6, 7, 1], [5, 3], [2, 3], "same"],
    [[1, 1, 7, 3], [1, 3], [1, 1], "same"],
    [[1, 7, 7, 1], [2, 2], [3, 3], "same"],
    [[1, 7, 7, 1], [7, 1], [1, 2], "valid"],
  ];

  it.each(cases)("x [%s], pool [%s], strides [%s], %s", (xShape, poolSize, strides, padding) => {
    const options = { poolSize, strides, padding };
    const x = randomArray(xShape[0] * xShape[1] * xShape[2] * xShape[3], 1);
    const max = maxPooling2d(x, xShape, options);
    const dY = randomArray(max.y.length, 2);
    const weighted = (y: Float64Array) => y.reduce((sum, value, at) => sum + value * dY[at]!, 0);

    const dMax = maxPooling2dGradient(dY, max.argmax, xShape);
    const maxLoss = () => weighted(maxPooling2d(x, xShape, options).y);
    expectClose(dMax, numericGradient(maxLoss, x), tolerances.finiteDifference, "max dX");
    expect([...max.y]).toEqual([...max.argmax].map((at) => x[at]));

    const dAverage = averagePooling2dGradient(dY, xShape, options);
    const averageLoss = () => weighted(averagePooling2d(x, xShape, options).y);
    expectClose(dAverage, numericGradient(averageLoss, x), tolerances.finiteDifference, "average dX");
  });
});
