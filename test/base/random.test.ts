import { describe, expect, it } from "vitest";
import { permutation, seedOf, uniform } from "../../src/base/random.ts";

// The fixed numbers come from lowbias32 written in Python: the streams of a seed must never change.
describe("seedOf", () => {
  it("is fixed", () => {
    expect([seedOf(), seedOf(1), seedOf(0, 1), seedOf(1, 0), seedOf(7, 2, 3)]).toEqual([
      0, 2692512407, 1147193327, 3138734662, 2055647852,
    ]);
  });

  it("differs by each part and by their order", () => {
    const seeds = [0, 1, 2, 3].flatMap((a) => [0, 1, 2, 3].flatMap((b) => [seedOf(a), seedOf(a, b), seedOf(a, b, 0)]));
    expect(new Set(seeds).size).toBe(4 + 16 + 16);
  });

  it("takes large and negative numbers, and gives 32 bits", () => {
    for (const part of [-1, 2 ** 31, 2 ** 32 - 1]) {
      const seed = seedOf(part, 5);
      expect(Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32).toBe(true);
    }
  });
});

describe("uniform", () => {
  it("is fixed", () => {
    expect(uniform(1, 0)).toBeCloseTo(0.40834908187389374, 12);
    expect(uniform(1, 1)).toBeCloseTo(0.8217079578898847, 12);
    expect(uniform(123456789, 42)).toBeCloseTo(0.8423337391577661, 12);
  });

  it.each([0, 1, 0xffffffff, seedOf(3, 4)])("is uniform in [0, 1) by seed %i", (seed) => {
    const values = Array.from({ length: 20000 }, (_, i) => uniform(seed, i));
    expect(Math.min(...values)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...values)).toBeLessThan(1);
    const counts = new Array<number>(10).fill(0);
    for (const value of values) counts[Math.floor(value * 10)]! += 1;
    // 2000 each, of standard deviation 42: six of them.
    for (const count of counts) expect(Math.abs(count - 2000)).toBeLessThan(6 * 42);
    // Neighbours do not go together.
    const mean = values.reduce((a, b) => a + b) / values.length;
    const correlation = values.slice(1).reduce((sum, value, i) => sum + (value - mean) * (values[i]! - mean), 0);
    expect(Math.abs(correlation / values.length) * 12).toBeLessThan(6 / Math.sqrt(values.length));
  });

  it("gives two seeds two streams", () => {
    const same = Array.from({ length: 1000 }, (_, i) => Math.abs(uniform(1, i) - uniform(2, i)) < 1e-3);
    expect(same.filter(Boolean).length).toBeLessThan(20);
  });
});

describe("permutation", () => {
  it.each([1, 2, 3, 10, 257, 60000])("of %i holds each number once", (n) => {
    const order = permutation(n, 7);
    expect(order).toBeInstanceOf(Uint32Array);
    expect(order.slice().sort()).toEqual(Uint32Array.from({ length: n }, (_, i) => i));
  });

  it("of nothing is empty", () => {
    expect(permutation(0, 1)).toHaveLength(0);
  });

  it("is fixed", () => {
    expect([...permutation(10, 1)]).toEqual([7, 1, 0, 3, 8, 5, 2, 4, 6, 9]);
    expect([...permutation(10, 2)]).toEqual([0, 5, 2, 8, 6, 9, 7, 4, 3, 1]);
    expect([...permutation(5, 0)]).toEqual([3, 4, 0, 1, 2]);
  });

  it("differs from seed to seed", () => {
    const orders = Array.from({ length: 50 }, (_, seed) => permutation(20, seed).join());
    expect(new Set(orders).size).toBe(50);
  });

  it("puts every number everywhere equally often", () => {
    const counts = Array.from({ length: 4 }, () => [0, 0, 0, 0]);
    for (let seed = 0; seed < 4000; seed++)
      permutation(4, seedOf(seed)).forEach((value, at) => {
        counts[at]![value]! += 1;
      });
    // 1000 each, of standard deviation 27: six of them.
    for (const row of counts) for (const count of row) expect(Math.abs(count - 1000)).toBeLessThan(6 * 27.4);
  });
});
