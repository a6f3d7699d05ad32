import { describe, expect, it } from "vitest";
import { goldenWeights, projections, uniform } from "../../../cli/keras/formula.ts";

// Expected figures were printed by test/golden/make_golden.py's own functions.

describe("uniform", () => {
  it.each([
    [0, 0, 0],
    [0, 1, 0.40834908187389374],
    [1, 0, 0.007765133399516344],
    [1, 1, 0.6223195912316442],
    [8, 10_239_999, 0.44701676233671606],
    [1000, 0, 0.9830090063624084],
    [1003, 1_023_999, 0.06095639686100185],
    [4_294_967_295, 4_294_967_295, 0.21047804527916014],
  ])("gives Python's figure for stream %i, index %i", (stream, index, expected) => {
    expect(uniform(stream, index)).toBe(expected);
  });

  it("stays in [0, 1) and fills it evenly", () => {
    const tenths = new Array<number>(10).fill(0);
    for (let i = 0; i < 10_000; i++) {
      const value = uniform(3, i);
      expect(value >= 0 && value < 1).toBe(true);
      tenths[Math.floor(value * 10)]! += 1;
    }
    expect(Math.min(...tenths)).toBeGreaterThan(900);
    expect(Math.max(...tenths)).toBeLessThan(1100);
  });
});

describe("goldenWeights", () => {
  const shapes = [[3, 3, 2, 4], [4], [6, 5], [5]];
  const weights = goldenWeights(shapes.map((shape) => ({ shape })));

  it("gives one flat array a tensor, of the shape's size", () => {
    expect(weights.map((w) => w.length)).toEqual([72, 4, 30, 5]);
    expect(goldenWeights([])).toEqual([]);
  });

  it.each([
    [0, -0.32815659046173096, 0.08154639601707458, 0.30288055539131165],
    [1, -0.04805782809853554, -0.0235272329300642, -0.04539858549833298],
    [2, -0.6488422155380249, 0.6622334122657776, -0.0007148434524424374],
    [3, -0.007950393483042717, -0.016003442928195, 0.016731567680835724],
  ])("gives Python's float32 figures for tensor %i", (t, first, second, last) => {
    const values = weights[t]!;
    expect([values[0], values[1], values.at(-1)]).toEqual([first, second, last]);
  });

  it("keeps kernels in Glorot's limit and biases in 0.05, none of them zero", () => {
    const limits = [Math.sqrt(6 / (9 * (2 + 4))), 0.05, Math.sqrt(6 / (6 + 5)), 0.05];
    for (const [t, values] of weights.entries()) {
      expect(values.every((v) => v !== 0 && Math.abs(v) <= Math.fround(limits[t]!))).toBe(true);
    }
  });
});

describe("projections", () => {
  it("gives Python's norm and projections", () => {
    const gradient = Float32Array.from({ length: 1000 }, (_, i) => uniform(7, i) - 0.5);
    const { norm, projections: sums } = projections(gradient);
    expect(norm).toBeCloseTo(8.999971624278778, 12);
    const expected = [5.433735410742937, 0.7016717314882199, 2.4577372772540436, -13.202935043946432];
    for (const [j, sum] of sums.entries()) expect(sum).toBeCloseTo(expected[j]!, 11);
  });

  it("is linear, and zero for a zero gradient", () => {
    expect(projections([0, 0, 0])).toEqual({ norm: 0, projections: [0, 0, 0, 0] });
    const once = projections([1, -2, 3]);
    const twice = projections([2, -4, 6]);
    expect(twice.norm).toBe(2 * once.norm);
    expect(twice.projections).toEqual(once.projections.map((p) => 2 * p));
  });
});
