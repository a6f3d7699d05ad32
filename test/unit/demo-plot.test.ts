// What a plot of the page's computes before it draws.

import { describe, expect, it } from "vitest";
import { nearestTo, niceStep } from "../../demo/ui/plot.ts";

describe("steps of an axis", () => {
  it.each([
    [1, 1],
    [1.01, 2],
    [2, 2],
    [3, 5],
    [5.5, 10],
    [70, 100],
    [0.2, 0.2],
    [0.11, 0.2],
    [0.0006, 0.001],
    [0.3, 0.5],
  ])("of at least %f are of %f", (least, step) => {
    expect(niceStep(least)).toBeCloseTo(step, 12);
  });
});

describe("the point that is pointed at", () => {
  it("is the nearest, and none where there is none", () => {
    const points = [1, 2, 4].map((x) => ({ x, y: 10 * x }));
    expect([0, 1.4, 1.6, 3.1, 9].map((x) => nearestTo(points, x)?.y)).toEqual([10, 10, 20, 40, 40]);
    expect(nearestTo([], 1)).toBeUndefined();
  });
});
