import { describe, expect, it } from "vitest";
import { type Constant, evaluate, names } from "../../src/gpu/expression.ts";
import { failure } from "./building.ts";

const constants = new Map<string, Constant>([
  ["A", 3],
  ["B", 8],
  ["ON", true],
  ["OFF", false],
]);

describe("evaluate", () => {
  it.each<[string, Constant]>([
    ["7", 7],
    ["7u", 7],
    ["1.5f", 1.5],
    ["1e-3f", 0.001],
    ["true", true],
    ["A", 3],
    ["1 + 2 * 3", 7],
    ["(1 + 2) * 3", 9],
    ["2 - 3 - 4", -5],
    ["64 / 4 / 2", 8],
    ["(A + 3u) / 4u", 1],
    ["7u / 2u", 3],
    ["-7 / 2", -3],
    ["7 % 4", 3],
    ["-7 % 4", -3],
    ["- -2", 2],
    ["A == 3u", true],
    ["A != 3u", false],
    ["A < B", true],
    ["B <= 8u", true],
    ["A > B", false],
    ["A >= B", false],
    ["A + 5u == B", true],
    ["1 < 2 && 2 < 1", false],
    ["OFF && OFF || ON", true],
    ["ON || OFF && OFF", true],
    ["!ON", false],
    ["!(A > 2u)", false],
    ["!OFF && ON", true],
    ["  A\n  * B ", 24],
  ])("%s is %s", (expression, value) => {
    expect(evaluate(expression, constants)).toBe(value);
  });

  it("names an unknown constant and where it stands", () => {
    const { code, message } = failure(() => evaluate("A + ROWS", constants));
    expect(code).toBe("value");
    expect(message).toContain('"ROWS"');
    expect(message).toContain('"A + ROWS"');
  });

  it.each(["", "1 +", "(1 + 2", "1 2", "A ? 1 : 2", "1 & 2", "f(1)", "A[0]", ")", "1 +* 2"])(
    'refuses "%s"',
    (expression) => {
      const { code, message } = failure(() => evaluate(expression, constants));
      expect(code).toBe("value");
      expect(message).toContain(`"${expression}"`);
    },
  );

  it("works the same after an expression that it refused", () => {
    failure(() => evaluate("1 +", constants));
    failure(() => evaluate("1 & 2", constants));
    expect(evaluate("A * 2", constants)).toBe(6);
  });
});

describe("names", () => {
  it("lists names, and neither numbers, their suffixes nor true and false", () => {
    expect(names("K_H * load(x) + 4u == 1e5f && true != false")).toEqual(["K_H", "load", "x"]);
  });

  it("is empty for numbers alone", () => {
    expect(names("(3u + 4i) / 2.5f")).toEqual([]);
  });
});
