import { describe, expect, it } from "vitest";
import { type Constant, evaluate } from "../../src/wgsl/expression.ts";
import { tokensOf } from "../../src/wgsl/tokens.ts";

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
    expect(evaluate(tokensOf(expression), constants)).toBe(value);
  });

  it.each([
    "A + ROWS",
    "select(1u, A, ON)",
    "v.A",
    "A << 2u",
    "A >> 2u",
    "A & 6u",
    "A | 6u",
    "A ^ 1u",
    "~A",
    "0xffu",
    "0X1",
  ])('leaves "%s" to WGSL', (expression) => {
    expect(evaluate(tokensOf(expression), constants)).toBeUndefined();
  });

  it.each(["", "1 +", "(1 + 2", "1 2", "A ? 1 : 2", "1 & 2", "f(1)", "A[0]", ")", "1 +* 2", "true || ROWS"])(
    'knows no value of "%s"',
    (expression) => {
      expect(evaluate(tokensOf(expression), constants)).toBeUndefined();
    },
  );
});
