import { describe, expect, it } from "vitest";
import { expectClose, numericGradient } from "../support/compare.ts";
import { tolerances } from "../support/tolerances.ts";
import type { Pair, Shape4 } from "./conv2d.ts";
import { conv2dTranspose, conv2dTransposeGradients, type TransposeOptions } from "./conv2d-transpose.ts";
import { randomArray } from "./random.ts";

const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

describe("the reference of a transposed convolution", () => {
  it("puts the kernel, times each number, at strides times its place", () => {
    const options = { strides: [1, 3], padding: "valid" } as const;
    const { y, shape } = conv2dTranspose([1, 10], [1, 1, 2, 1], [1, 2], [1, 2, 1, 1], [0.5], options);
    expect(shape).toEqual([1, 1, 6, 1]);
    expect([...y]).toEqual([1.5, 2.5, 0.5, 10.5, 20.5, 0.5]);
  });

  it.each([
    [[1, 1, 1, 1], [1, 1], 1, { strides: [1, 1], padding: "valid" }],
    [[2, 3, 4, 3], [3, 2], 2, { strides: [2, 2], padding: "same" }],
    [[1, 4, 3, 2], [2, 3], 3, { strides: [3, 2], padding: "valid", outputPadding: [1, 0] }],
    [[1, 4, 3, 2], [3, 4], 1, { strides: [2, 3], padding: "same", outputPadding: [1, 2] }],
    [[1, 4, 5, 1], [3, 2], 2, { strides: [1, 1], padding: "same", dilation: [2, 3] }],
  ] as [Shape4, Pair, number, TransposeOptions][])(
    "of x [%s], kernel [%s] has the gradients of finite differences",
    (...test) => {
      const [xShape, kernel, filters, options] = test;
      const kShape: Shape4 = [...kernel, filters, xShape[3]];
      const [x, k, b] = [randomArray(size(xShape), 1), randomArray(size(kShape), 2), randomArray(filters, 3)];
      const dY = randomArray(conv2dTranspose(x, xShape, k, kShape, b, options).y.length, 4);
      const loss = () =>
        conv2dTranspose(x, xShape, k, kShape, b, options).y.reduce((sum, value, at) => sum + value * dY[at]!, 0);
      const { dX, dK, dB } = conv2dTransposeGradients(x, xShape, k, kShape, dY, options);
      expectClose(dX, numericGradient(loss, x), tolerances.finiteDifference, "dX");
      expectClose(dK, numericGradient(loss, k), tolerances.finiteDifference, "dK");
      expectClose(dB, numericGradient(loss, b), tolerances.finiteDifference, "dB");
    },
  );
});
