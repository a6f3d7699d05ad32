import { describe, expect, it } from "vitest";
import { initialize, initializerOption } from "../../src/layers/initializers.ts";
import { failure } from "../support/building.ts";

/** Smallest and largest of many uniform numbers come close to the limits, and none is outside. */
function expectUniformWithin(values: Float32Array, limit: number) {
  const rounding = 1 + 2 ** -23;
  const [least, most] = [Math.min(...values), Math.max(...values)];
  expect(most).toBeLessThanOrEqual(limit * rounding);
  expect(least).toBeGreaterThanOrEqual(-limit * rounding);
  expect(most).toBeGreaterThan(limit * 0.98);
  expect(least).toBeLessThan(-limit * 0.98);
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  expect(Math.abs(mean)).toBeLessThan((6 * limit) / Math.sqrt(3 * values.length));
}

describe("glorotUniform", () => {
  it.each([
    // The shape, its fan in and fan out as Keras counts them.
    [[100, 50], 100, 50],
    [[5, 5, 1, 32], 25, 800],
    [[5, 5, 32, 64], 800, 1600],
    [[3, 2, 16, 8], 96, 48],
    [[1000], 1000, 1000],
  ])("of %j is within sqrt(6 / (%i + %i))", (shape, fanIn, fanOut) => {
    expectUniformWithin(initialize("glorotUniform", shape, 1), Math.sqrt(6 / (fanIn + fanOut)));
  });
});

describe("heUniform", () => {
  it.each([
    [[100, 50], 100],
    [[5, 5, 32, 64], 800],
  ])("of %j is within sqrt(6 / %i)", (shape, fanIn) => {
    expectUniformWithin(initialize("heUniform", shape, 1), Math.sqrt(6 / fanIn));
  });
});

describe("initialize", () => {
  it("fills with one number", () => {
    expect([...initialize("zeros", [2, 3], 5)]).toEqual([0, 0, 0, 0, 0, 0]);
    expect([...initialize("ones", [3], 5)]).toEqual([1, 1, 1]);
  });

  it("gives a seed its numbers, and another seed others", () => {
    const [a, again, b] = [1, 1, 2].map((seed) => initialize("glorotUniform", [10, 10], seed));
    expect(a).toEqual(again);
    expect(a).not.toEqual(b);
  });

  it("has numbers of both signs in every column, not in stripes", () => {
    const values = initialize("glorotUniform", [64, 8], 3);
    for (let column = 0; column < 8; column++) {
      const positive = values.filter((value, i) => i % 8 === column && value > 0).length;
      expect(positive).toBeGreaterThan(10);
      expect(positive).toBeLessThan(54);
    }
  });

  it("asks a function, with shape and seed", () => {
    const own = (shape: readonly number[], seed: number) => Float32Array.of(...shape, seed);
    expect([...initialize(own, [3, 1], 9)]).toEqual([3, 1, 9]);
    expect(() => initialize(own, [2, 3], 9)).toThrow("6 numbers for shape [2, 3], got a Float32Array of length 3");
  });
});

describe("initializerOption", () => {
  it("takes names and functions", () => {
    const own = () => new Float32Array(1);
    expect(initializerOption("heUniform", "x")).toBe("heUniform");
    expect(initializerOption(own, "x")).toBe(own);
  });

  it.each(["glorot_uniform", undefined, 1, {}])("refuses %o and lists the names", (value) => {
    const { code, message } = failure(() => initializerOption(value, "dense: kernelInitializer"));
    expect(code).toBe("value");
    expect(message).toContain("dense: kernelInitializer");
    for (const name of ["glorotUniform", "heUniform", "zeros", "ones"]) expect(message).toContain(`"${name}"`);
  });
});
