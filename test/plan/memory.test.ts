import { describe, expect, it } from "vitest";
import { type Interval, shareBuffers } from "../../src/plan/memory.ts";
import { randomIntegers } from "../reference/random.ts";

const live = (bytes: number, first: number, last: number): Interval => ({ bytes, first, last });
const apart = (a: Interval, b: Interval) => a.last < b.first || b.last < a.first;

/** Needs with random sizes and spans within a plan of so many steps. */
function randomNeeds(count: number, steps: number, seed: number): Interval[] {
  const bytes = randomIntegers(count, seed, 16);
  const first = randomIntegers(count, seed + 1000, steps);
  const length = randomIntegers(count, seed + 2000, 1 + Math.floor(steps / 4));
  return Array.from({ length: count }, (_, i) => live(4 * (1 + bytes[i]!), first[i]!, first[i]! + length[i]!));
}

describe("shareBuffers", () => {
  it("gives nothing for nothing", () => {
    expect(shareBuffers([])).toEqual({ sizes: [], bufferOf: [] });
  });

  it("lets needs share that are live one after the other", () => {
    const needs = [live(8, 0, 1), live(16, 2, 3), live(12, 4, 4)];
    expect(shareBuffers(needs)).toEqual({ sizes: [16], bufferOf: [0, 0, 0] });
  });

  it("does not let a need share with one that begins in its last step", () => {
    const { sizes, bufferOf } = shareBuffers([live(8, 0, 1), live(8, 1, 2)]);
    expect(sizes).toEqual([8, 8]);
    expect(bufferOf[0]).not.toBe(bufferOf[1]);
  });

  it("takes the smallest buffer that is free", () => {
    // At step 2 both of the first two are free: the small need goes into the small one.
    const needs = [live(100, 0, 1), live(20, 0, 1), live(16, 2, 2)];
    const { sizes, bufferOf } = shareBuffers(needs);
    expect(sizes).toEqual([100, 20]);
    expect(bufferOf).toEqual([0, 1, 1]);
  });

  it("lets a need slip in between two others", () => {
    const needs = [live(8, 0, 1), live(8, 4, 5), live(8, 2, 3)];
    expect(shareBuffers(needs).sizes).toEqual([8]);
  });

  it.each(Array.from({ length: 200 }, (_, seed) => seed))("never lets live needs overlap: case %i", (seed) => {
    const needs = randomNeeds(1 + (seed % 40), 2 + (seed % 17), seed);
    const { sizes, bufferOf } = shareBuffers(needs);
    expect(bufferOf).toHaveLength(needs.length);
    for (const [i, need] of needs.entries()) {
      expect(sizes[bufferOf[i]!]).toBeGreaterThanOrEqual(need.bytes);
      for (const [j, other] of needs.entries()) {
        if (i < j && bufferOf[i] === bufferOf[j] && !apart(need, other)) {
          throw new Error(`${JSON.stringify(need)} and ${JSON.stringify(other)} share buffer ${bufferOf[i]}.`);
        }
      }
    }
    // No buffer is idle or larger than its largest tenant, and together they are no more than without sharing.
    for (const [buffer, bytes] of sizes.entries()) {
      const tenants = needs.filter((_, i) => bufferOf[i] === buffer).map((need) => need.bytes);
      expect(Math.max(...tenants)).toBe(bytes);
    }
  });

  it("shares much where much can be shared", () => {
    const chain = Array.from({ length: 50 }, (_, i) => live(64, i, i + 1));
    expect(shareBuffers(chain).sizes).toEqual([64, 64]);
  });

  it("is deterministic, and leaves its input alone", () => {
    const needs = randomNeeds(60, 20, 7);
    const copy = structuredClone(needs);
    expect(shareBuffers(needs)).toEqual(shareBuffers(structuredClone(needs)));
    expect(needs).toEqual(copy);
  });

  it("lets equal needs choose in their order", () => {
    expect(shareBuffers([live(8, 0, 3), live(8, 0, 3), live(8, 0, 3)]).bufferOf).toEqual([0, 1, 2]);
  });
});
