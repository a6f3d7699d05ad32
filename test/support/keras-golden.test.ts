import { describe, expect, it } from "vitest";
import { expectKeras, isMissing, layerModel, numbersOf, type Written } from "./keras-golden.ts";

// Expected figures were printed by test/golden/keras/formula.py.
describe("numbers by the formula", () => {
  it("are those of the scripts", () => {
    expect([...numbersOf({ stream: 10, shape: [5], low: -1, high: 1 })]).toEqual([
      -0.3118518590927124, -0.8603260517120361, -0.2421824187040329, 0.7481228113174438, 0.0027878829278051853,
    ]);
    expect([...numbersOf({ stream: 70, shape: [6], classes: 5 })]).toEqual([0, 2, 0, 2, 3, 1]);
    expect([...numbersOf({ stream: 70, shape: [2, 3], oneHot: true })]).toEqual([1, 0, 0, 0, 1, 0]);
  });
});

describe("a comparison with Keras", () => {
  const large: Written = { shape: [300], norm: 20.56608, projections: [8.480294, 11.4974, -7.515971, -3.880986] };
  const small: Written = { shape: [3], values: [1, -4, 0.25] };
  const numbers = numbersOf({ stream: 3, shape: [300], low: 0, high: 2 });

  it("takes Keras's numbers, and those within a share of the largest", () => {
    expect(expectKeras(numbers, large, "forward", "large")).toBeLessThan(1e-6);
    expect(expectKeras([1.00003, -4, 0.25], small, "forward", "small")).toBeCloseTo(7.5e-6, 7);
  });

  it.each([
    ["a number off", [1.0001, -4, 0.25], small],
    ["two numbers swapped", [-4, 1, 0.25], small],
    ["NaN", [Number.NaN, -4, 0.25], small],
    ["a number too few", [1, -4], small],
    ["a large tensor reversed", numbers.toReversed(), large],
    ["a large tensor negated", numbers.map((value) => -value), large],
    ["a large tensor with one number off", numbers.with(17, numbers[17]! + 0.01), large],
    ["a large tensor with NaN", numbers.with(17, Number.NaN), large],
  ])("refuses %s", (_, got, want) => {
    expect(() => expectKeras(got, want, "forward", "label")).toThrow("label");
  });
});

describe("what is missing", () => {
  it("is told by the library's own error, and by no other", () => {
    const inputs = [{ stream: 1, shape: [2, 3] }];
    const made = (className: string, config: object) => () =>
      layerModel({ layer: { className, config: { ...config } }, inputs });
    expect(isMissing(made("Dense", { units: 2 }))).toBe(false);
    expect(isMissing(made("Dense", { units: 2, unheardOf: true }))).toBe(true);
    expect(isMissing(made("UnheardOf", {}))).toBe(true);
    const broken = () => {
      throw new TypeError("broken");
    };
    expect(() => isMissing(broken)).toThrow("broken");
  });
});
