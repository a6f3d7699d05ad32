import { describe, expect, it } from "vitest";
import * as library from "../../src/index.ts";
import type { LabelKind, Loss } from "../../src/losses/loss.ts";
import { failure } from "../support/building.ts";

const floats = (...shape: number[]): LabelKind => ({ shape, dtype: "f32", largestClass: undefined });
const classes = (largestClass: number | undefined): LabelKind => ({ shape: [1], dtype: "u32", largestClass });

const failed = (loss: Loss, labels: LabelKind, output: readonly number[]) => failure(() => loss.check(labels, output));

describe("losses of the library", () => {
  it("take labels of the output's shape, and say what else will do", () => {
    const loss = library.meanSquaredError();
    expect(loss.labels([4, 4, 2])).toEqual({ shape: [4, 4, 2], dtype: "f32" });
    expect(() => loss.check(floats(3), [3])).not.toThrow();
    expect(failed(loss, floats(2), [3])).toMatchObject({
      code: "shape",
      message: /"meanSquaredError" wants y of the output's shape, \[batch, 3\], got \[batch, 2\]/,
    });
    expect(failed(loss, classes(2), [3]).message).toContain("oneHot(y, 3)");
  });

  it("remember their options, for files", () => {
    const { made, name } = library.huber({ delta: 2, reduction: "sum", name: "mine" });
    expect({ made, name }).toEqual({
      made: { by: "huber", config: { delta: 2, reduction: "sum", name: "mine" } },
      name: "mine",
    });
    expect(library.withReduction(library.hinge(), "sum").made).toEqual({ by: "hinge", config: { reduction: "sum" } });
  });

  it.each([
    [() => library.huber({ delta: 0 }), /huber: delta must be above 0, got 0/],
    [() => library.binaryCrossentropy({ labelSmoothing: 2 }), /labelSmoothing must be from 0 to 1, got 2/],
    [() => library.categoricalGeneralizedCrossEntropy({ q: 1 }), /q must be between 0 and 1, got 1/],
    [
      () => library.dice({ axis: 0 }),
      /dice: axis must be axes of a sample, counted from 1 or from the last, -1, got 0/,
    ],
    [
      () => library.meanSquaredError({ delta: 1 } as object),
      /meanSquaredError: unknown option "delta"|meanSquaredError/,
    ],
    [() => library.poisson({ reduction: "none" }), /"poisson": reduction of "none" leaves a loss for each sample/],
  ])("refuse an option that is wrong: %s", (make, message) => {
    expect(failure(make).message).toMatch(message);
  });

  it("for class numbers take them for each position, and know those that are ignored", () => {
    const loss = library.sparseCategoricalCrossentropy();
    expect(loss.labels([5])).toEqual({ shape: [1], dtype: "u32" });
    expect(loss.labels([4, 6, 5])).toEqual({ shape: [4, 6], dtype: "f32" });
    expect(() => loss.check(floats(4, 6), [4, 6, 5])).not.toThrow();
    expect(failed(loss, floats(4, 6, 5), [4, 6, 5]).message).toContain("categoricalCrossentropy() takes rows");
    expect(failed(loss, classes(7), [5]).message).toContain("labels must be in [0, 5), but y holds 7");
    const ignoring = library.sparseCategoricalCrossentropy({ ignoreClass: -1 });
    const border = { ...floats(1), notClass: { at: 0, value: -1 } };
    expect(() => ignoring.check(border, [5])).not.toThrow();
    expect(failed(loss, border, [5]).message).toContain("got -1 as label 0");
    expect(() => library.sparseCategoricalCrossentropy({ ignoreClass: 255 }).check(classes(255), [5])).not.toThrow();
  });

  it.each<[string, readonly number[], number | undefined, RegExp | undefined]>([
    ["classes", [0, 4, 2, 1], undefined, undefined],
    [
      "a class too many",
      [0, 4, 2, 5],
      undefined,
      /5 classes, so labels must be in \[0, 5\), but y holds 5 as the label \[1, 0, 1\] of y/,
    ],
    ["a number below 0", [0, -1, 2, 9], undefined, /wants class numbers in y, .* got -1 as the label \[0, 0, 1\] of y/],
    ["a fraction", [0, 1, 2.5, 0], undefined, /got 2\.5 as the label \[1, 0, 0\]/],
    ["a NaN", [0, Number.NaN, 2, 0], undefined, /got NaN as the label \[0, 0, 1\]/],
    ["the ignored class, beyond the others", [0, 255, 2, 255], 255, undefined],
    ["the ignored class below 0", [-1, 4, -1, 0], -1, undefined],
    [
      "another than the ignored class",
      [255, 254, 2, 0],
      255,
      /in \[0, 5\) or 255, which is ignored, but y holds 254 as/,
    ],
    ["a fraction beside the ignored class", [-1, 0.5, -1, 0], -1, /got 0\.5 as/],
  ])("for class numbers of images: %s", (_, labels, ignoreClass, message) => {
    const words = Float32Array.from(labels);
    const distinct = labels.map((value, at) => ({ value, at }));
    for (const seen of [{ words }, { distinct }]) {
      for (const make of [library.sparseCategoricalCrossentropy, library.categoricalGeneralizedCrossEntropy]) {
        if (ignoreClass !== undefined && make === library.categoricalGeneralizedCrossEntropy) continue;
        const loss = make({ ...(ignoreClass !== undefined && { ignoreClass }) });
        const check = () => loss.check({ ...floats(1, 2), ...seen }, [1, 2, 5]);
        if (message) expect(failure(check)).toMatchObject({ code: "value", message: expect.stringMatching(message) });
        else expect(check).not.toThrow();
      }
    }
  });

  it("for class numbers find what stands behind an ignored one, of rows too", () => {
    const loss = library.sparseCategoricalCrossentropy({ ignoreClass: 255 });
    const words = Uint32Array.of(1, 255, 7);
    expect(failed(loss, { ...classes(255), words }, [5]).message).toContain("but y holds 7 as label 2");
    expect(() => loss.check({ ...classes(255), words: Uint32Array.of(1, 255) }, [5])).not.toThrow();
  });

  it("of rows refuse weights below 0, on images too", () => {
    const loss = library.categoricalCrossentropy();
    const negative = { at: 7, value: -1 };
    expect(failed(loss, { ...floats(2, 2, 3), negative }, [2, 2, 3]).message).toContain("got -1 at place 7");
    expect(failed(loss, floats(2, 2), [2, 2, 3]).message).toContain(
      "sparseCategoricalCrossentropy() takes class numbers",
    );
  });
});
