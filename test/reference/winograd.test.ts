import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { expectClose } from "../support/compare.ts";
import { tolerances } from "../support/tolerances.ts";
import { wgslArithmetic } from "../support/wgsl-arithmetic.ts";
import { conv2d } from "./conv2d.ts";
import { randomArray } from "./random.ts";
import { type Matrix, multiply, type PointCount, transpose, winogradTile, winogradTransforms } from "./winograd.ts";

const CASES = ([6, 7, 8] as const).flatMap((points) =>
  Array.from({ length: points - 2 }, (_, i) => ({ points, taps: i + 2, outputs: points - 1 - i })),
);
const library = (name: string) =>
  readFileSync(fileURLToPath(new URL(`../../shaders/conv2d/lib/${name}.wgsl`, import.meta.url)), "utf8");

/** The transforms as the kernels have them, for vectors. */
function transformsOf(points: PointCount, taps: number) {
  const polynomial = (terms: string) => ({
    code: library("polynomial"),
    rename: { terms, LENGTH: terms.toUpperCase() },
  });
  return wgslArithmetic(
    [
      { code: library(`points_${points === 6 ? 6 : 8}`) },
      { code: library("tiles") },
      polynomial("taps"),
      polynomial("outputs"),
    ],
    {
      POINTS: points,
      TAPS: taps,
      BATCH: 1,
      IN_H: 1,
      IN_W: 1,
      IN_C: 1,
      OUT_H: 1,
      OUT_W: 1,
      OUT_C: 1,
      PAD_H: 0,
      PAD_W: 0,
    },
    [
      ...(["interpolate", "interpolate_adjoint", "weighted", "evaluate_taps", "evaluate_adjoint_taps"] as const),
      ...(["evaluate_outputs", "evaluate_adjoint_outputs"] as const),
    ],
  );
}

/** The matrix of a linear function. */
function matrixOf(run: (x: readonly number[]) => number[], inputs: number): Matrix {
  const basis = Array.from({ length: inputs }, (_, i) => Array.from({ length: inputs }, (__, j) => (i === j ? 1 : 0)));
  return transpose(basis.map(run));
}

const expectSame = (got: Matrix, want: Matrix, label: string) => {
  expect(got.map(({ length }) => length)).toEqual(want.map(({ length }) => length));
  expectClose(got.flat(), want.flat(), tolerances.float64, label);
};

describe.each(CASES)("Winograd's filtering at $points points by $taps taps", ({ points, taps, outputs }) => {
  const { bT, g, aT } = winogradTransforms(points, taps);

  it("makes the outputs of a correlation", () => {
    expect([bT.length, g.length, aT.length]).toEqual([points, points, outputs]);
    const [patch, kernel] = [randomArray(points ** 2, 1), randomArray(taps ** 2, 2)];
    const rows = (flat: Float64Array, width: number): Matrix =>
      Array.from({ length: width }, (_, i) => [...flat.subarray(i * width, (i + 1) * width)]);
    const got = winogradTile(points, rows(patch, points), rows(kernel, taps));
    const options = { strides: [1, 1], padding: "valid" } as const;
    const want = conv2d(patch, [1, points, points, 1], kernel, [taps, taps, 1, 1], [0], options);
    expect(want.shape).toEqual([1, outputs, outputs, 1]);
    expectClose(got.flat(), want.y, tolerances.float64, "y");
  });

  it("is what the shaders compute, but for a factor that goes from G to B at a point", () => {
    const shader = transformsOf(points, taps);
    const gotB = matrixOf(shader.interpolate, points);
    const gotG = matrixOf((k) => shader.weighted(shader.evaluate_taps(k)), taps);
    expectSame(matrixOf(shader.evaluate_adjoint_outputs, points), aT, "A'");
    for (let p = 0; p < points; p++) {
      expectSame(multiply(transpose([gotG[p]!]), [gotB[p]!]), multiply(transpose([g[p]!]), [bT[p]!]), `point ${p}`);
    }
  });

  it("goes back, in the shaders, by the adjoint of each transform", () => {
    const shader = transformsOf(points, taps);
    const b = matrixOf(shader.interpolate, points);
    expectSame(matrixOf(shader.interpolate_adjoint, points), transpose(b), "B");
    const tapsAt = matrixOf(shader.evaluate_taps, taps);
    expectSame(matrixOf(shader.evaluate_adjoint_taps, points), transpose(tapsAt), "taps");
    const outputsAt = matrixOf(shader.evaluate_outputs, outputs);
    expectSame(matrixOf(shader.evaluate_adjoint_outputs, points), transpose(outputsAt), "outputs");
  });

  it("has a second point of 1 and the bias gradient's sum at it", () => {
    const { evaluate_outputs } = transformsOf(points, taps);
    const y = [...randomArray(outputs, 3)];
    expectClose([evaluate_outputs(y)[1]!], [y.reduce((a, b) => a + b, 0)], tolerances.float64, "sum");
  });
});

describe("wgslArithmetic", () => {
  it("refuses what it cannot run", () => {
    const code = "fn odd(x: Points) -> Points {\n  return Points(dot(x[0], x[1]));\n}";
    expect(() => wgslArithmetic([{ code }], {}, ["odd"]).odd([1, 2])).toThrow(ReferenceError);
    expect(() => wgslArithmetic([{ code }], {}, ["even"])).toThrow('no function "even"');
  });
});
