// What the page's sections on convolution, padding, stride and pooling reckon by themselves.

import { describe, expect, it } from "vitest";
import type { Image } from "../../../demo/engine/lab.ts";
import { type Padding, slide } from "../../../demo/geometry.ts";
import { type KernelSize, kernelOf, PRESETS, resized } from "../../../demo/sections/convolution/kernels.ts";
import { keptCells, windowCells } from "../../../demo/sections/pooling/kept.ts";
import { windowGeometry } from "../../../src/ops/window.ts";

const image = (rows: number, columns: number, ...values: number[]): Image => ({
  rows,
  columns,
  values: Float32Array.from(values),
});

describe("places of a window", () => {
  it.each<Padding>(["valid", "same"])("are the library's own, for all that the knobs allow, with %s", (padding) => {
    for (let n = 5; n <= 28; n++) {
      for (let k = 1; k <= Math.min(n, 7); k++) {
        for (let s = 1; s <= 4; s++) {
          const { places, before } = slide(n, k, s, padding);
          const own = windowGeometry([n, n], { size: [k, k], strides: [s, s], padding }, "test");
          expect({ places, before }, `${n} ${k} ${s}`).toEqual({ places: own.outH, before: own.padH });
        }
      }
    }
  });

  it.each([
    // n, k, s, padding, before, after, places, unreached
    [8, 3, 1, "same", 1, 1, 8, 0],
    [8, 3, 2, "same", 0, 1, 4, 0],
    [8, 2, 1, "same", 0, 1, 8, 0],
    [8, 3, 2, "valid", 0, 0, 3, 1],
    [26, 4, 4, "valid", 0, 0, 6, 2],
    [6, 1, 4, "same", 0, 0, 2, 1],
    [5, 7, 1, "valid", 0, 0, -1, 0],
    [5, 7, 3, "valid", 0, 0, 0, 0],
  ] as const)("of %i by %i, stride %i, %s", (n, k, s, padding, before, after, places, unreached) => {
    expect(slide(n, k, s, padding)).toEqual({ n, k, s, before, after, places, unreached });
  });
});

describe("known kernels", () => {
  const weights = (name: string, size: KernelSize) => [
    ...kernelOf(PRESETS.find((preset) => preset.name === name)!, size).values,
  ];

  it("of 3 by 3 are the textbook's", () => {
    expect(weights("vertical", 3)).toEqual([-1, 0, 1, -2, 0, 2, -1, 0, 1]);
    expect(weights("horizontal", 3)).toEqual([-1, -2, -1, 0, 0, 0, 1, 2, 1]);
    expect(weights("outline", 3)).toEqual([-1, -1, -1, -1, 8, -1, -1, -1, -1]);
    expect(weights("sharpen", 3)).toEqual([0, -1, 0, -1, 5, -1, 0, -1, 0]);
    expect(weights("emboss", 3)).toEqual([-2, -1, 0, -1, 1, 1, 0, 1, 2]);
    expect(weights("identity", 3)).toEqual([0, 0, 0, 0, 1, 0, 0, 0, 0]);
  });

  it.each<[string, number]>([
    ["vertical", 0],
    ["horizontal", 0],
    ["outline", 0],
    ["blur", 1],
    ["sharpen", 1],
    ["emboss", 1],
    ["identity", 1],
  ])("%s makes of an even image its brightness times the same in both sizes", (name, sum) => {
    for (const size of [3, 5] as const) {
      expect(weights(name, size)).toHaveLength(size * size);
      expect(weights(name, size).reduce((a, b) => a + b)).toBeCloseTo(sum, 6);
    }
  });

  it("keep their middle when they change size", () => {
    const small = image(3, 3, 1, 2, 3, 4, 5, 6, 7, 8, 9);
    const large = resized(small, 5);
    expect([...large.values.subarray(5, 10)]).toEqual([0, 1, 2, 3, 0]);
    expect([...large.values.subarray(20)]).toEqual([0, 0, 0, 0, 0]);
    expect(resized(large, 3)).toEqual(small);
  });
});

describe("what a maximum pooling keeps", () => {
  const numbers = image(4, 4, 1, 5, 2, 2, 3, 4, 2, 2, 0, 0, 9, 8, 0, 0, 7, 9);

  it("is the first of the greatest in each window", () => {
    expect(keptCells({ image: numbers, size: 2, stride: 2 }, image(2, 2, 5, 2, 0, 9))).toEqual([1, 2, 8, 10]);
  });

  it("is counted once where windows overlap", () => {
    expect(keptCells({ image: numbers, size: 3, stride: 1 }, image(2, 2, 9, 9, 9, 9))).toEqual([10]);
  });

  it("is looked for in the window only", () => {
    expect(windowCells(4, { row: 1, column: 1 }, 2, 2)).toEqual([10, 11, 14, 15]);
    expect(windowCells(5, { row: 0, column: 1 }, 3, 1)).toEqual([1, 2, 3, 6, 7, 8, 11, 12, 13]);
  });
});
