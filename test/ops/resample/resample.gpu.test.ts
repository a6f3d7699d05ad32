import { describe, expect, it } from "vitest";
import { randomArray } from "../../reference/random.ts";
import * as reference from "../../reference/resample.ts";
import { expectClose } from "../../support/compare.ts";
import { GraphRun } from "../../support/run-graph.ts";
import { sumTolerance } from "../../support/tolerances.ts";

const product = (sizes: readonly number[]) => sizes.reduce((a, b) => a * b, 1);

// Longer, shorter and much shorter, by whole ratios and others; channels by four and not; the axis in the middle and at the end.
const CASES = [
  { shape: [1, 1, 1], axis: 1, size: 1 },
  { shape: [2, 1, 4], axis: 1, size: 7 },
  { shape: [2, 7, 3], axis: 1, size: 1 },
  { shape: [1, 65, 2, 3], axis: 1, size: 7 },
  { shape: [2, 3, 7, 4], axis: 2, size: 65 },
  { shape: [2, 6, 5], axis: 2, size: 10 },
  { shape: [3, 8, 5, 1], axis: 1, size: 12 },
] as const;

describe.each(CASES)("resample of $shape along $axis to $size", ({ shape, axis, size }) => {
  it.each([
    { interpolation: "bilinear", antialias: false },
    { interpolation: "bilinear", antialias: true },
    { interpolation: "nearest", antialias: false },
  ] as const)("matches the reference forward and backward: %o", async (options) => {
    const view = [product(shape.slice(0, axis)), shape[axis]!, product(shape.slice(axis + 1))] as const;
    const yShape = shape.map((each, i) => (i === axis ? size : each));
    const [x, dY] = [randomArray(product(shape), 1), randomArray(product(yShape), 2)];
    const run = new GraphRun().rows(shape[0]);
    const [xId, dYId] = [run.input("x", shape, x), run.input("dy", yShape, dY)];
    const { y } = run.add("resample", { x: xId }, { axis, size, ...options });
    const { dx } = run.add("resampleGradient", { dy: dYId }, { axis, size, ...options, inputShape: shape });
    const [gotY, gotDX] = await run.read([y!, dx!]);
    expectClose(gotY!, reference.resample(x, view, { size, ...options }), sumTolerance(2 * view[1]), "y");
    expectClose(gotDX!, reference.resampleGradient(dY, view, { size, ...options }), sumTolerance(2 * size), "dx");
  });
});

describe("a NaN in resample", () => {
  it("reaches what it has a weight in, and no more", async () => {
    const x = Float32Array.from([1, 2, Number.NaN, 4, 5, 6]);
    for (const interpolation of ["bilinear", "nearest"] as const)
      for (const size of [6, 9, 3]) {
        const run = new GraphRun().rows(1);
        const { y } = run.add("resample", { x: run.input("x", [1, 6, 1], x) }, { axis: 1, size, interpolation });
        const [got] = await run.read([y!]);
        const wanted = reference.resample(x, [1, 6, 1], { size, interpolation });
        expect([...got!].map(Number.isNaN)).toEqual([...wanted].map(Number.isNaN));
        expect([...got!].some(Number.isNaN)).toBe([...wanted].some(Number.isNaN));
      }
  });
});
