import { describe, expect, it } from "vitest";
import { resample, resampleGradient, weights } from "./resample.ts";

describe("the reference of resample", () => {
  it("gives the figures of jax.image.resize", () => {
    // jax.image.resize(numpy.array([1., 5., 2.]), [n], "linear" or "nearest", antialias)
    const of = (size: number, interpolation: "bilinear" | "nearest", antialias = false) => [
      ...resample([1, 5, 2], [1, 3, 1], { size, interpolation, antialias }),
    ];
    expect(of(6, "bilinear")).toEqual([1, 2, 4, 4.25, 2.75, 2]);
    expect(of(2, "bilinear")).toEqual([2, 2.75]);
    expect(of(1, "bilinear")).toEqual([5]);
    expect(of(2, "bilinear", true)).toEqual([2.5, 3.125]);
    expect(of(1, "bilinear", true).map((value) => value.toFixed(6))).toEqual(["3.000000"]);
    expect(of(4, "nearest")).toEqual([1, 5, 5, 2]);
    expect(of(2, "nearest")).toEqual([1, 2]);
  });

  it("has a gradient that is its transpose", () => {
    for (const interpolation of ["bilinear", "nearest"] as const)
      for (const size of [1, 4, 9]) {
        const rows = weights(5, { size, interpolation, antialias: true });
        for (let o = 0; o < size; o++) {
          const dY = Float64Array.from({ length: size }, (_, i) => Number(i === o));
          expect([...resampleGradient(dY, [1, 5, 1], { size, interpolation, antialias: true })]).toEqual(rows[o]);
        }
      }
  });
});
