import { describe, expect, it } from "vitest";
import { uniform } from "../../cli/keras/formula.ts";
import golden from "../golden/depthwise-conv2d.json";
import { expectClose, numericGradient } from "../support/compare.ts";
import { sumTolerance, tolerances } from "../support/tolerances.ts";
import { activate, activationGradient } from "./activation.ts";
import { conv2d, type Padding, type Pair, type Shape4 } from "./conv2d.ts";
import { depthwiseConv2d, depthwiseConv2dFilterGradient, depthwiseConv2dInputGradient } from "./depthwise-conv2d.ts";
import { randomArray } from "./random.ts";

const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

// x, kernel, multiplier, strides, padding
const CASES: [Shape4, Pair, number, Pair, Padding][] = [
  [[1, 1, 1, 1], [1, 1], 1, [1, 1], "valid"],
  [[2, 5, 7, 3], [3, 2], 2, [1, 1], "same"],
  [[1, 7, 6, 2], [2, 3], 3, [2, 1], "valid"],
  [[2, 7, 7, 1], [2, 2], 2, [3, 3], "same"],
];

describe.each(CASES)("the reference of x [%s], kernel [%s] times %i, strides [%s], %s", (...test) => {
  const [xShape, kernel, multiplier, strides, padding] = test;
  const options = { strides, padding };
  const kShape: Shape4 = [...kernel, xShape[3], multiplier];
  const outC = xShape[3] * multiplier;
  const [x, k, b] = [randomArray(size(xShape), 1), randomArray(size(kShape), 2), randomArray(outC, 3)];
  const { y, shape } = depthwiseConv2d(x, xShape, k, kShape, b, options);

  it("is a convolution whose kernel is 0 between a channel and others' outputs", () => {
    const full: Shape4 = [...kernel, xShape[3], outC];
    const wide = new Float64Array(size(full));
    k.forEach((value, at) => {
      const c = Math.floor(at / multiplier) % xShape[3];
      // Each [c, m] becomes [c, c * multiplier + m].
      wide[Math.floor(at / multiplier) * outC + c * multiplier + (at % multiplier)] = value;
    });
    const want = conv2d(x, xShape, wide, full, b, options);
    expect(shape).toEqual(want.shape);
    expectClose(y, want.y, tolerances.float64, "y");
  });

  it("has the gradients of finite differences", () => {
    const dY = randomArray(y.length, 4);
    const loss = () =>
      depthwiseConv2d(x, xShape, k, kShape, b, options).y.reduce((sum, value, at) => sum + value * dY[at]!, 0);
    const dX = depthwiseConv2dInputGradient(dY, k, kShape, xShape, options);
    const { dK, dB } = depthwiseConv2dFilterGradient(x, xShape, dY, kShape, options);
    expectClose(dX, numericGradient(loss, x), tolerances.finiteDifference, "dX");
    expectClose(dK, numericGradient(loss, k), tolerances.finiteDifference, "dK");
    expectClose(dB, numericGradient(loss, b), tolerances.finiteDifference, "dB");
  });
});

describe.each(golden.cases)("Keras's DepthwiseConv2D of x $x, kernel $kernelShape", (test) => {
  it("has the reference's output and gradients", () => {
    const [xShape, kShape] = [test.x, test.kernelShape] as unknown as [Shape4, Shape4];
    const options = { strides: test.strides as unknown as Pair, padding: test.padding as Padding };
    const figures = (stream: number, shape: readonly number[]) =>
      Float64Array.from({ length: size(shape) }, (_, i) => Math.fround(2 * uniform(stream, i) - 1));
    const [x, k, b] = [figures(1, xShape), figures(2, kShape), figures(3, test.biasShape)];
    const conv = depthwiseConv2d(x, xShape, k, kShape, b, options);
    const y = activate("relu", conv.y);
    const dZ = activationGradient("relu", y, figures(4, test.yShape));
    const { dK, dB } = depthwiseConv2dFilterGradient(x, xShape, dZ, kShape, options);
    const terms = size(conv.shape) / conv.shape[3];
    expect(conv.shape).toEqual(test.yShape);
    expectClose(test.y, y, sumTolerance(10), "y");
    expectClose(test.dX, depthwiseConv2dInputGradient(dZ, k, kShape, xShape, options), sumTolerance(27), "dX");
    expectClose(test.dK, dK, sumTolerance(terms), "dK");
    expectClose(test.dB, dB, sumTolerance(terms), "dB");
  });
});
