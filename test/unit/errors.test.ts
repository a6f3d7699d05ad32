import { describe, expect, it } from "vitest";
import { FeaturemapError, finiteNumber, knownKeys, oneOf, positiveInteger, show } from "../../src/errors.ts";
import { failure } from "./building.ts";

describe("FeaturemapError", () => {
  it("is an Error with a code and a cause", () => {
    const cause = new Error("below");
    const error = new FeaturemapError("limit", "too large", { cause });
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ name: "FeaturemapError", code: "limit", message: "too large", cause });
    expect(String(error)).toBe("FeaturemapError: too large");
  });
});

describe("checks", () => {
  it("return what they were given", () => {
    expect(positiveInteger(3, "x")).toBe(3);
    expect(finiteNumber(-0.5, "x")).toBe(-0.5);
    expect(finiteNumber(0, "x", 0)).toBe(0);
    expect(oneOf("b", ["a", "b"], "x")).toBe("b");
    expect(() => knownKeys<{ a?: number; b?: number }>({ a: 1 }, ["a", "b"], "x")).not.toThrow();
  });

  it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, "1", undefined, null, [1], true])(
    "positiveInteger refuses %o",
    (value) => {
      const { code, message } = failure(() => positiveInteger(value, "dense: units"));
      expect(code).toBe("value");
      expect(message).toBe(`dense: units must be a whole number of at least 1, got ${show(value)}.`);
    },
  );

  it.each([Number.NaN, Number.NEGATIVE_INFINITY, "1", undefined])("finiteNumber refuses %o", (value) => {
    expect(failure(() => finiteNumber(value, "seed")).message).toBe(
      `seed must be a finite number, got ${show(value)}.`,
    );
  });

  it("finiteNumber refuses what is below the least", () => {
    expect(failure(() => finiteNumber(-1, "rate", 0)).message).toBe(
      "rate must be a finite number of at least 0, got -1.",
    );
  });

  it("oneOf lists what it takes", () => {
    expect(failure(() => oneOf("SAME", ["valid", "same"], "padding")).message).toBe(
      'padding must be one of "valid", "same", got "SAME".',
    );
  });

  it("knownKeys lists what there is", () => {
    expect(
      failure(() => knownKeys<{ units?: 1; name?: 1 }>({ unit: 1 } as object, ["units", "name"], "dense")).message,
    ).toBe('dense has no option "unit". It takes: units, name.');
  });
});

describe("show", () => {
  it.each<[unknown, string]>([
    ["a", '"a"'],
    [1.5, "1.5"],
    [Number.NaN, "NaN"],
    [undefined, "undefined"],
    [null, "null"],
    [true, "true"],
    [[1, "a", [2]], '[1, "a", [2]]'],
    [new Float32Array(3), "a Float32Array"],
    [new DataView(new ArrayBuffer(1)), "a DataView"],
    [{ a: 1, b: 2 }, "an object with keys a, b"],
    [{}, "an object with keys (none)"],
    [Symbol("s"), "Symbol(s)"],
    [10n, "10"],
  ])("of %o", (value, text) => {
    expect(show(value)).toBe(text);
  });

  it("is short, however long the value is", () => {
    expect(show(Array.from({ length: 60000 }, (_, i) => i)).length).toBeLessThan(300);
    expect(show("x".repeat(10000)).length).toBeLessThan(300);
    expect(show(Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [i, i]))).length).toBeLessThan(300);
    expect(show((a: number) => a + 1).length).toBeLessThan(300);
  });
});
