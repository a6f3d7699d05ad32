import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import {
  FeaturemapError,
  finiteNumber,
  knownKeys,
  oneOf,
  positiveInteger,
  show,
  wholeNumber,
} from "../../src/base/errors.ts";
import { failure } from "../support/building.ts";
import { deepArray } from "../support/hostile.ts";

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

  it.each([
    [1e39, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, "be a finite number, as a 32-bit float"],
    [1e-39, 0, Number.POSITIVE_INFINITY, "be 0 or at least 1.2e-38"],
    [1e-50, 0, Number.POSITIVE_INFINITY, "be 0 or at least 1.2e-38"],
    [-1e-40, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, "be 0 or at most -1.2e-38"],
    [1 - 1e-12, 0, 1, "be a finite number of at least 0 and below 1, as a 32-bit float"],
  ])("finiteNumber refuses %d, which the GPU takes for another number", (value, least, below, must) => {
    const { message } = failure(() => finiteNumber(value, "rate", least, below));
    expect(message).toBe(`rate must ${must}, got ${value}.`);
  });

  it.each([0, -0, 1e38, -1e38, 2 ** -126, -(2 ** -126)])("finiteNumber takes %d", (value) => {
    expect(finiteNumber(value, "scale")).toBe(value);
  });

  it("positiveInteger says where numbers are not whole any more", () => {
    expect(failure(() => positiveInteger(2 ** 53, "dense: units")).message).toBe(
      "dense: units must be a whole number of at least 1 and below 2^53, got 9007199254740992.",
    );
  });

  it("positiveInteger has a bound of its caller's", () => {
    expect(positiveInteger(2 ** 31 - 1, "x", 31)).toBe(2 ** 31 - 1);
    expect(failure(() => positiveInteger(2 ** 31, "x", 31)).message).toMatch(
      /at least 1 and below 2\^31, got 2147483648/,
    );
  });

  it("wholeNumber says where numbers are not whole any more", () => {
    expect(failure(() => wholeNumber(2 ** 53, "seed")).message).toBe(
      "seed must be a whole number between -2^53 and 2^53, got 9007199254740992.",
    );
  });

  it("oneOf lists numbers as they are", () => {
    expect(failure(() => oneOf("1", [0, 1], "verbose")).message).toBe(
      'verbose must be one of 0, 1, got "1" (a string).',
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

describe("knownKeys", () => {
  class Hidden {
    readonly #rate = 1;
    get rate() {
      return this.#rate;
    }
  }
  const strange: [string, unknown, string][] = [
    ["a number", 32, "32"],
    ["null", null, "null"],
    ["a list", [], "[]"],
    ["a promise of options", Promise.resolve({ rate: 1 }), "a promise: await it first"],
    ["a map", new Map([["rate", 1]]), "a Map"],
    ["a typed array", new Uint8Array(0), "a Uint8Array of length 0"],
    ["an object whose options are hidden", new Hidden(), "an object with keys (none)"],
    ["a list of another realm", runInNewContext("[]"), "[]"],
  ];

  it.each(strange)("refuses %s, and says what there is", (_, options, text) => {
    const { code, message } = failure(() => knownKeys<{ rate?: number }>(options as object, ["rate"], "dropout"));
    expect(code).toBe("value");
    expect(message).toBe(`dropout must be given an object of options, got ${text}. It takes: rate.`);
  });

  it.each([{}, Object.create(null), runInNewContext("({})"), Object.freeze({ rate: 1 })])(
    "takes options of any realm, frozen too: case %#",
    (options) => {
      expect(() => knownKeys<{ rate?: number }>(options, ["rate"], "x")).not.toThrow();
    },
  );

  it("takes an object of a class that has its options as its own", () => {
    class Options {
      rate = 1;
    }
    expect(() => knownKeys<{ rate?: number }>(new Options(), ["rate"], "x")).not.toThrow();
  });

  it("refuses __proto__ as any other name", () => {
    const options = JSON.parse('{"__proto__": {"rate": 1}}');
    expect(failure(() => knownKeys<{ rate?: number }>(options, ["rate"], "x")).message).toMatch(/option "__proto__"/);
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
    [new Float32Array(3), "a Float32Array of length 3"],
    [new DataView(new ArrayBuffer(1)), "a DataView"],
    [{ a: 1, b: 2 }, "an object with keys a, b"],
    [{}, "an object with keys (none)"],
    [Symbol("s"), "Symbol(s)"],
    [10n, "10n (a bigint)"],
    ["3", '"3" (a string)'],
    ["", '""'],
    [Promise.resolve(1), "a promise: await it first"],
    [runInNewContext("Promise.resolve(1)"), "a promise: await it first"],
    [new Int8Array(1), "an Int8Array of length 1"],
    [new ArrayBuffer(1), "an ArrayBuffer"],
    [new Map(), "a Map"],
    [new Number(3), "a Number object"],
    [{ [Symbol.toStringTag]: "HTMLCanvasElement" }, "an HTMLCanvasElement"],
    [{ [Symbol.toStringTag]: "SVGElement" }, "an SVGElement"],
    [{ [Symbol.toStringTag]: "XMLHttpRequest" }, "an XMLHttpRequest"],
    [new SharedArrayBuffer(1), "a SharedArrayBuffer"],
    [{ [Symbol.toStringTag]: "", a: 1 }, "an object with keys a"],
    [new Date(0), "a Date"],
    [runInNewContext("new Float32Array(2)"), "a Float32Array of length 2"],
    [[[[[1]]]], "[[[[...]]]]"],
    [Object.assign(new Array(2), { 1: 1 }), "[undefined, 1]"],
  ])("of %o", (value, text) => {
    expect(show(value)).toBe(text);
  });

  it("does not throw what a trap of the value throws", () => {
    const refuse = () => {
      throw new Error("a trap");
    };
    expect(show(new Proxy({}, { get: refuse }))).toBe("something that cannot be read");
    expect(show([new Proxy({}, { get: refuse })])).toBe("something that cannot be read");
    const { proxy, revoke } = Proxy.revocable([], {});
    revoke();
    expect(show(proxy)).toBe("something that cannot be read");
  });

  it("is short, however long the value is", () => {
    expect(show(Array.from({ length: 60000 }, (_, i) => i)).length).toBeLessThan(300);
    expect(show("x".repeat(10000)).length).toBeLessThan(300);
    expect(show(Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [i, i]))).length).toBeLessThan(300);
    expect(show((a: number) => a + 1).length).toBeLessThan(300);
    expect(show(new Array(4_294_967_295)).length).toBeLessThan(300);
    expect(show(Symbol("x".repeat(10_000))).length).toBeLessThan(300);
    expect(show(deepArray()).length).toBeLessThan(300);
  });
});
