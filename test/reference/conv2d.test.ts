import { describe, expect, it } from "vitest";
import { expectClose, numericGradient } from "../support/compare.ts";
import { tolerances } from "../support/tolerances.ts";
import {
  conv2d,
  conv2dFilterGradient,
  conv2dInputGradient,
  convGeometry,
  type Padding,
  type Pair,
  type Shape4,
} from "./conv2d.ts";
import { randomArray } from "./random.ts";

const geometry = (size: number, k: number, stride: number, padding: Padding) => {
  const square = convGeometry({ inH: size, inW: size, kernelSize: [k, k], strides: [stride, stride], padding });
  expect([square.outH, square.padTop]).toEqual([square.outW, square.padLeft]);
  return [square.outH, square.padTop];
};

/** x[n,h,w,c] = the decimal digits nhwc. */
function cellCoordinates([count, height, width, channels]: Shape4): number[] {
  const x: number[] = [];
  for (let n = 0; n < count; n++)
    for (let h = 0; h < height; h++)
      for (let w = 0; w < width; w++) for (let c = 0; c < channels; c++) x.push(1000 * n + 100 * h + 10 * w + c);
  return x;
}

describe("convGeometry", () => {
  it.each([
    // size, k, stride, padding, out, pad before
    [28, 5, 1, "valid", 24, 0],
    [28, 3, 2, "valid", 13, 0],
    [7, 7, 3, "valid", 1, 0],
    [28, 5, 1, "same", 28, 2],
    [28, 5, 2, "same", 14, 1], // total 3: 1 before, 2 after
    [8, 3, 2, "same", 4, 0], // total 1: none before, 1 after
    [7, 3, 2, "same", 4, 1],
    [7, 2, 1, "same", 7, 0],
    [5, 4, 1, "same", 5, 1],
    [10, 2, 3, "same", 4, 0], // total 1
    [7, 1, 2, "same", 4, 0], // a window smaller than its stride: the total would be negative
    [1, 5, 1, "same", 1, 2],
  ] as const)("%i cells, window %i, stride %i, %s: %i out, %i before", (size, k, stride, padding, out, before) => {
    expect(geometry(size, k, stride, padding)).toEqual([out, before]);
  });

  it("keeps height and width apart", () => {
    const sizes = { inH: 6, inW: 9, kernelSize: [3, 5], strides: [2, 1], padding: "same" } as const;
    expect(convGeometry(sizes)).toEqual({ outH: 3, outW: 9, padTop: 0, padLeft: 2 });
  });

  it("refuses a window that does not fit", () => {
    expect(() => geometry(4, 5, 1, "valid")).toThrow("a window of 5 does not fit into 4");
  });
});

describe("conv2d by hand", () => {
  const x = [1, 2, 3, 4, 5, 6, 7, 8, 9];

  it("does not flip the kernel, and adds the bias", () => {
    const options = { strides: [1, 1], padding: "valid" } as const;
    const { y, shape } = conv2d(x, [1, 3, 3, 1], [1, 10, 100, 1000], [2, 2, 1, 1], [0.5], options);
    expect(shape).toEqual([1, 2, 2, 1]);
    expect([...y]).toEqual([5421.5, 6532.5, 8754.5, 9865.5]);
  });

  it("pads the bottom and the right first: same, stride 2, 4 cells", () => {
    const row = Float64Array.from({ length: 16 }, (_, at) => at + 1);
    const k = new Array(9).fill(1);
    const { y, shape } = conv2d(row, [1, 4, 4, 1], k, [3, 3, 1, 1], undefined, { strides: [2, 2], padding: "same" });
    expect(shape).toEqual([1, 2, 2, 1]);
    // Windows start at rows and columns 0 and 2; the second reaches over the edge.
    expect([...y]).toEqual([
      1 + 2 + 3 + 5 + 6 + 7 + 9 + 10 + 11,
      3 + 4 + 7 + 8 + 11 + 12,
      9 + 10 + 11 + 13 + 14 + 15,
      11 + 12 + 15 + 16,
    ]);
  });

  it("reads channels last and kernels as [h, w, in, out]", () => {
    // One cell with channels (2, 3); y[o] = 2 k[0,o] + 3 k[1,o].
    const { y } = conv2d([2, 3], [1, 1, 1, 2], [1, 10, 100, 1000, 10000, 100000], [1, 1, 2, 3], [0, 0, 7], {
      strides: [1, 1],
      padding: "valid",
    });
    expect([...y]).toEqual([2 + 3000, 20 + 30000, 200 + 300000 + 7]);
  });

  it("reads the cell that the formula names: a kernel of one tap over cells that hold their own coordinates", () => {
    const xShape: Shape4 = [2, 5, 7, 2];
    const x = cellCoordinates(xShape);
    const k = new Float64Array(3 * 2 * 2 * 3);
    k[((1 * 2 + 1) * 2 + 1) * 3 + 2] = 1; // i = 1, j = 1, c = 1, o = 2
    const { y, shape } = conv2d(x, xShape, k, [3, 2, 2, 3], undefined, { strides: [2, 3], padding: "valid" });
    expect(shape).toEqual([2, 2, 2, 3]);
    // x[n, 2 oh + 1, 3 ow + 1, 1] in the last of three channels.
    expect([...y].filter((_, at) => at % 3 === 2)).toEqual([111, 141, 311, 341, 1111, 1141, 1311, 1341]);
    expect([...y].filter((_, at) => at % 3 !== 2)).toEqual(new Array(16).fill(0));
  });

  it("gives the gradients of a 1 x 3 row with a kernel of 2", () => {
    const options = { strides: [1, 1], padding: "valid" } as const;
    const dX = conv2dInputGradient([1, 10], [1, 1, 2, 1], [3, 5], [1, 2, 1, 1], [1, 1, 3, 1], options);
    expect([...dX]).toEqual([3, 5 + 30, 50]);
    const { dK, dB } = conv2dFilterGradient([2, 4, 6], [1, 1, 3, 1], [1, 10], [1, 1, 2, 1], [1, 2, 1, 1], options);
    expect([...dK]).toEqual([2 + 40, 4 + 60]);
    expect([...dB]).toEqual([11]);
  });

  it("refuses shapes that do not fit together", () => {
    const options = { strides: [1, 1], padding: "valid" } as const;
    expect(() => conv2d(x, [1, 3, 3, 1], [1, 1], [1, 1, 2, 1], undefined, options)).toThrow("x has 1 channels");
    expect(() => conv2d([1], [1, 3, 3, 1], [1], [1, 1, 1, 1], undefined, options)).toThrow("x has 1 values");
    expect(() => conv2dInputGradient([1], [1, 1, 1, 1], [1], [1, 1, 1, 1], [1, 3, 3, 1], options)).toThrow(
      "dY has shape",
    );
  });
});

describe("conv2d gradients against finite differences", () => {
  const cases: [Shape4, Pair, number, Pair, Padding][] = [
    // x, kernel, filters, strides, padding
    [[1, 1, 1, 1], [1, 1], 1, [1, 1], "valid"],
    [[2, 7, 7, 1], [3, 3], 3, [1, 1], "valid"],
    [[1, 7, 7, 3], [3, 3], 1, [2, 2], "same"],
    [[2, 7, 5, 3], [5, 3], 2, [3, 2], "same"],
    [[1, 6, 7, 1], [3, 5], 3, [2, 3], "valid"],
    [[1, 1, 7, 3], [1, 5], 3, [1, 3], "same"],
    [[1, 7, 4, 1], [2, 4], 2, [1, 1], "same"],
    [[1, 1, 1, 3], [5, 5], 2, [1, 1], "same"],
    [[1, 7, 7, 1], [2, 2], 1, [3, 3], "valid"],
    [[1, 7, 7, 1], [1, 1], 3, [2, 3], "same"],
  ];

  it.each(cases)(
    "x [%s], kernel [%s], %i filters, strides [%s], %s",
    (xShape, kernelSize, filters, strides, padding) => {
      const options = { strides, padding };
      const kShape: Shape4 = [...kernelSize, xShape[3], filters];
      const x = randomArray(xShape[0] * xShape[1] * xShape[2] * xShape[3], 1);
      const k = randomArray(kShape[0] * kShape[1] * kShape[2] * kShape[3], 2);
      const b = randomArray(filters, 3);
      const { y, shape } = conv2d(x, xShape, k, kShape, b, options);
      const dY = randomArray(y.length, 4);
      const loss = () => {
        const { y: now } = conv2d(x, xShape, k, kShape, b, options);
        return now.reduce((sum, value, at) => sum + value * dY[at]!, 0);
      };
      const dX = conv2dInputGradient(dY, shape, k, kShape, xShape, options);
      const { dK, dB } = conv2dFilterGradient(x, xShape, dY, shape, kShape, options);
      expectClose(dX, numericGradient(loss, x), tolerances.finiteDifference, "dX");
      expectClose(dK, numericGradient(loss, k), tolerances.finiteDifference, "dK");
      expectClose(dB, numericGradient(loss, b), tolerances.finiteDifference, "dB");
    },
  );
});
