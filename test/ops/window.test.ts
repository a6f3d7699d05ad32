import { describe, expect, it } from "vitest";
import { assertImages, type Padding, windowConstants, windowGeometry } from "../../src/ops/window.ts";
import { failure } from "../support/building.ts";

const along = (length: number, size: number, stride: number, padding: Padding) => {
  const window = { size: [size, 1], strides: [stride, 1], padding } as const;
  const { outH, padH, padded } = windowGeometry([length, 1], window, "test");
  return { out: outH, before: padH, padded };
};

describe("valid windows", () => {
  it.each([
    // length, size, stride, windows
    [28, 5, 1, 24],
    [24, 2, 2, 12],
    [5, 5, 1, 1],
    [7, 3, 2, 3],
    [8, 3, 2, 3],
    [9, 3, 2, 4],
    [5, 2, 3, 2],
    [4, 2, 3, 1],
    [10, 1, 4, 3],
    [1, 1, 9, 1],
  ])("of %i by %i, stride %i: %i", (length, size, stride, out) => {
    expect(along(length, size, stride, "valid")).toEqual({ out, before: 0, padded: false });
  });
});

describe("windows with padding, by TensorFlow's rule", () => {
  it.each([
    // length, size, stride, windows, padding before, padding in all
    [28, 5, 1, 28, 2, 4],
    [28, 2, 2, 14, 0, 0],
    [7, 2, 2, 4, 0, 1],
    [5, 4, 1, 5, 1, 3],
    [5, 2, 1, 5, 0, 1],
    [6, 3, 2, 3, 0, 1],
    [7, 3, 3, 3, 1, 2],
    [5, 1, 2, 3, 0, 0],
    [6, 2, 4, 2, 0, 0],
    [3, 7, 1, 3, 3, 6],
    [3, 8, 2, 2, 3, 7],
    [1, 1, 1, 1, 0, 0],
  ])("of %i by %i, stride %i: %i, %i of %i before", (length, size, stride, out, before, total) => {
    expect(along(length, size, stride, "same")).toEqual({ out, before, padded: total > 0 });
  });

  it("cover the image: each lies at least partly inside, and none that fits is missing", () => {
    for (let length = 1; length <= 12; length++)
      for (let size = 1; size <= 6; size++)
        for (let stride = 1; stride <= 5; stride++) {
          const { out, before, padded } = along(length, size, stride, "same");
          const last = (out - 1) * stride - before;
          expect(last).toBeLessThan(length);
          expect(-before + size).toBeGreaterThan(0);
          // Half of the padding, rounded down, lies before.
          const after = Math.max(last + size - length, 0);
          expect(after - before === 0 || after - before === 1).toBe(true);
          expect(padded).toBe(before + after > 0);
        }
  });
});

describe("both axes", () => {
  it("are cut on their own", () => {
    const window = { size: [3, 2], strides: [1, 2], padding: "same" } as const;
    expect(windowGeometry([6, 5, 9], window, "test")).toEqual({ outH: 6, outW: 3, padH: 1, padW: 0, padded: true });
    const valid = { ...window, padding: "valid" } as const;
    expect(windowGeometry([6, 5, 9], valid, "test")).toEqual({ outH: 4, outW: 2, padH: 0, padW: 0, padded: false });
  });

  it("are reached farther by taps that are apart, and padded as is given", () => {
    const apart = { size: [3, 2], strides: [1, 1], dilation: [2, 3], padding: "same" } as const;
    expect(windowGeometry([6, 5], apart, "test")).toEqual({ outH: 6, outW: 5, padH: 2, padW: 1, padded: true });
    const valid = { ...apart, padding: "valid" } as const;
    expect(windowGeometry([6, 5], valid, "test")).toEqual({ outH: 2, outW: 2, padH: 0, padW: 0, padded: false });
    const causal = { outH: 1, outW: 4, padH: 0, padW: 3, padded: true };
    expect(windowGeometry([1, 5], { ...apart, padding: causal }, "test")).toEqual(causal);
  });

  it("have strides or a dilation, not both", () => {
    const window = { size: [3, 3], strides: [2, 1], dilation: [1, 2], padding: "same" } as const;
    const { code, message } = failure(() => windowGeometry([9, 9], window, "test"));
    expect(code).toBe("value");
    for (const part of ['"test"', "[2, 1]", "[1, 2]", "Make one of them 1"]) expect(message).toContain(part);
  });

  it("say that there is padding where only one has it", () => {
    const window = { size: [1, 2], strides: [1, 1], padding: "same" } as const;
    expect(windowGeometry([6, 5], window, "test").padded).toBe(true);
  });

  it("go to the shaders under the names that all of these share", () => {
    const window = { size: [3, 3], strides: [2, 3], padding: "same" } as const;
    const geometry = windowGeometry([6, 7, 4], window, "test");
    expect(windowConstants([2, 6, 7, 4], geometry, window)).toEqual({
      BATCH: 2,
      IN_H: 6,
      IN_W: 7,
      OUT_H: 3,
      OUT_W: 3,
      STRIDE_H: 2,
      STRIDE_W: 3,
      PAD_H: 0,
      PAD_W: 1,
    });
  });
});

describe("errors", () => {
  it.each([
    [
      [4, 8],
      [5, 1],
    ],
    [
      [8, 4],
      [1, 5],
    ],
    [
      [1, 1],
      [2, 2],
    ],
  ] as const)("name the node, the window and the image where %j is too small for %j", (image, size) => {
    const window = { size, strides: [2, 2], padding: "valid" } as const;
    const { code, message } = failure(() => windowGeometry([...image, 3], window, "conv2d_1"));
    expect(code).toBe("shape");
    for (const text of ['"conv2d_1"', `[${size.join(", ")}]`, `[${image.join(", ")}, 3]`, "same"]) {
      expect(message).toContain(text);
    }
  });

  it("are none with padding: every size fits", () => {
    expect(along(1, 9, 3, "same").out).toBe(1);
  });

  it.each([[[28, 28, 1]], [[4, 784]], [[1, 2, 3, 4, 5]]])("refuse %j for a batch of images", (shape) => {
    const { code, message } = failure(() => assertImages(shape, "pool"));
    expect(code).toBe("shape");
    for (const text of ['"pool"', "[batch, height, width, channels]", `[${shape.join(", ")}]`]) {
      expect(message).toContain(text);
    }
  });
});
