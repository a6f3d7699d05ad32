import { describe, expect, it } from "vitest";
import { hostData } from "../../src/data/columns.ts";
import { classWeights, WEIGH } from "../../src/training/class-weight.ts";
import { checkFitOptions } from "../../src/training/fit-options.ts";
import { failure } from "../support/building.ts";

const factors = (weights: Record<number, number>, ...call: Parameters<ReturnType<typeof door>["factors"]>) => [
  ...door(weights).factors(...call),
];
const door = (weights: Record<number, number>) => classWeights(weights)[WEIGH];

describe("weights of classes", () => {
  it("are those of class numbers, 1 where none is given", () => {
    expect(factors({ 0: 2, 3: 0.5 }, Uint32Array.of(0, 1, 3, 7), 1)).toEqual([2, 1, 0.5, 1]);
  });

  it("are those of the first largest number of a row", () => {
    const rows = Float32Array.of(0, 1, 0, 0.4, 0.2, 0.4, 0, 0, 0, -1, -2, -0.5);
    expect(factors({ 0: 2, 1: 3, 2: 5 }, rows, 3)).toEqual([3, 2, 2, 5]);
  });

  it("are those of a number's nearest whole one, the even one of two", () => {
    const labels = Float32Array.of(0.5, 1.5, 2.5, 0.49, 1.51, 0);
    expect(factors({ 0: 2, 1: 3, 2: 5, 3: 7 }, labels, 1)).toEqual([2, 5, 5, 2, 5, 2]);
  });

  it("multiply those of samples", () => {
    expect(factors({ 1: 4 }, Uint32Array.of(1, 0, 1), 1, Float32Array.of(0.5, 3, 0))).toEqual([2, 3, 0]);
  });

  it.each<[unknown, RegExp]>([
    [[1, 2], /^classWeights must be an object, got \[1, 2\]/],
    [null, /^classWeights must be an object, got null/],
    [{ cat: 1 }, /^classWeights must have class numbers for keys, such as { 0: 1, 1: 5 }, got "cat"/],
    [{ "-1": 1 }, /^classWeights must have class numbers for keys/],
    [{ 1: "2" }, /^classWeights: 1 must be a finite number, got "2" \(a string\)/],
    [{ 1: Number.NaN }, /^classWeights: 1 must be a finite number, got NaN/],
  ])("cannot be %o", (weights, message) => {
    const { code, message: got } = failure(() => classWeights(weights as never));
    expect(code).toBe("value");
    expect(got).toMatch(message);
  });

  it("must be made by classWeights", () => {
    const { code, message } = failure(() => checkFitOptions({ classWeight: { 0: 1 } as never }));
    expect(code).toBe("value");
    expect(message).toMatch(/^fit: classWeight must come from classWeights\({ 0: 1 }\), got an object with keys 0/);
  });

  it("are for one output whose labels have classes", () => {
    const labels = (y: never) => hostData({ x: [1, 2], y }).columns.filter(({ role }) => role === "label");
    const { check } = door({ 0: 1 });
    check(labels([0, 1] as never));
    check(labels([[0, 1, 0], [1, 0, 0]] as never)); // biome-ignore format: one line
    const two = failure(() => check(labels({ a: [0, 1], b: [0, 1] } as never)));
    expect([two.code, two.message]).toEqual([
      "value",
      "fit: classWeight is for one output, got labels of 2. Give sampleWeight by output.",
    ]);
    const image = failure(() => check(labels([[[0, 1]], [[1, 0]]] as never)));
    expect(image.code).toBe("shape");
    expect(image.message).toMatch(/\[samples, classes\], got \[.*1, 2\]/);
  });

  it("leave what they were given alone", () => {
    const given = { 0: 2 };
    const made = classWeights(given);
    given[0] = 9;
    expect(made.weights).toEqual({ 0: 2 });
  });
});
