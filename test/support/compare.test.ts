import { describe, expect, it } from "vitest";
import { randomArray, randomIntegers } from "../reference/random.ts";
import { compare, expectClose, numericGradient } from "./compare.ts";
import { sumTolerance, tolerances } from "./tolerances.ts";

const loose = { atol: 0.1, rtol: 0.1 };

describe("compare", () => {
  it("takes values up to atol + rtol * |want| and no further", () => {
    const tolerance = { atol: 0.5, rtol: 0.25 };
    expect(compare([-2.5, 0.5], [-4, 0], tolerance)).toMatchObject({ ok: true, bad: 0, worstShare: 1 });
    expect(compare([-2.4], [-4], tolerance)).toMatchObject({ ok: false, bad: 1 });
    expect(compare([0.51], [0], tolerance)).toMatchObject({ ok: false, bad: 1 });
  });

  it("finds the value that uses most of its tolerance, not the one with the largest difference", () => {
    const result = compare([1000.9, 0.5, 2], [1000, 0.1, 2], { atol: 0.1, rtol: 0.1 });
    expect(result).toMatchObject({ ok: false, worstIndex: 1, worstGot: 0.5, worstWant: 0.1, bad: 1 });
    expect(result.worstShare).toBeCloseTo(0.4 / 0.11, 12);
  });

  it.each([
    ["NaN got", Number.NaN, 1],
    ["NaN wanted", 1, Number.NaN],
    ["NaN on both sides", Number.NaN, Number.NaN],
    ["Infinity got", Number.POSITIVE_INFINITY, 1],
    ["Infinity wanted", 1, Number.POSITIVE_INFINITY],
    ["Infinity on both sides", Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
    ["opposite infinities", Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
  ])("does not pass %s", (_, got, want) => {
    const result = compare([0, got, 5], [0, want, 5], loose);
    expect(result).toMatchObject({ ok: false, worstIndex: 1, bad: 1, worstShare: Number.POSITIVE_INFINITY });
  });

  it("passes nothing where the tolerance is NaN or negative", () => {
    expect(compare([1.1, 1], [1, 1], { atol: Number.NaN, rtol: 0 }).bad).toBe(2);
    expect(compare([1.1, 1], [1, 1], { atol: -1, rtol: 0 }).bad).toBe(2);
  });

  it("holds exact values to equality", () => {
    expect(compare([1, -0, 3], [1, 0, 3], tolerances.exact)).toMatchObject({ ok: true, worstShare: 0 });
    expect(compare([1, 2, 3 + 1e-15], [1, 2, 3], tolerances.exact)).toMatchObject({ ok: false, worstIndex: 2, bad: 1 });
  });

  it("throws where the lengths differ or nothing is compared", () => {
    expect(() => compare([1, 2], [1], loose)).toThrow("got 2 values, want 1");
    expect(() => compare([], [], loose)).toThrow("no values to compare");
  });
});

describe("expectClose", () => {
  it("says what, where, got, want, difference, tolerance and how many of how many", () => {
    expect(() => expectClose([1, 2.5, Number.NaN], [1, 2, 3], { atol: 0.25, rtol: 0 }, "conv2d y")).toThrow(
      "conv2d y: 2 of 3 values are outside the tolerance (atol 0.25, rtol 0). " +
        "Worst at [2]: got NaN, want 3, difference NaN, allowed 0.25 (Infinity of it used).",
    );
    expect(() => expectClose([2.5], [2], { atol: 0.25, rtol: 0 }, "y")).toThrow(
      "Worst at [0]: got 2.5, want 2, difference 0.5, allowed 0.25 (2.00 of it used).",
    );
  });

  it("names the label where the lengths differ", () => {
    expect(() => expectClose([1], [1, 2], loose, "dense dW")).toThrow("dense dW: got 1 values, want 2.");
  });

  it("returns the comparison where all is good", () => {
    expect(expectClose(new Float32Array([1]), [1.05], loose, "y").ok).toBe(true);
  });
});

describe("numericGradient", () => {
  it("gives the derivative and leaves x as it was", () => {
    const x = Float64Array.of(2, -3);
    const gradient = numericGradient(() => x[0]! ** 3 + 5 * x[0]! * x[1]!, x);
    expectClose(gradient, [12 - 15, 10], tolerances.finiteDifference, "gradient");
    expect([...x]).toEqual([2, -3]);
  });
});

describe("tolerances", () => {
  it("give a reason and finite bounds, every one", () => {
    for (const tolerance of [...Object.values(tolerances), sumTolerance(9)]) {
      expect(tolerance.reason.length).toBeGreaterThan(20);
      expect(tolerance.atol).toBeGreaterThanOrEqual(0);
      expect(tolerance.rtol).toBeLessThan(0.01);
    }
  });

  it.each([1, 27, 1600, 9216])(
    "a float32 sum of %i products taken in order passes; one product less does not",
    (terms) => {
      const x = randomArray(terms, 1);
      const w = randomArray(terms, 2);
      let got = 0;
      let want = 0;
      for (let at = 0; at < terms; at++) {
        got = Math.fround(got + Math.fround(x[at]! * w[at]!));
        want += x[at]! * w[at]!;
      }
      expectClose([got], [want], sumTolerance(terms), "sum");
      expect(compare([got - x[0]! * w[0]!], [want], sumTolerance(terms)).ok).toBe(false);
    },
  );
});

describe("random test data", () => {
  it("repeats by seed, stays in bounds and is exact in float32", () => {
    const values = randomArray(1000, 7, -2, 3);
    expect(randomArray(1000, 7, -2, 3)).toEqual(values);
    expect(randomArray(1000, 8, -2, 3)).not.toEqual(values);
    expect(Float64Array.from(Float32Array.from(values))).toEqual(values);
    expect(Math.min(...values)).toBeGreaterThanOrEqual(-2);
    expect(Math.max(...values)).toBeLessThanOrEqual(3);
    expect(values.reduce((sum, value) => sum + value, 0) / 1000).toBeCloseTo(0.5, 0);
  });

  it("gives every whole number below the bound and none else", () => {
    expect([...new Set(randomIntegers(200, 3, 4))].sort()).toEqual([0, 1, 2, 3]);
  });
});
