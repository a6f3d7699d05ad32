import type { Token } from "./tokens.ts";

/** Value of a WGSL constant. Numbers stand for u32, i32 and f32 alike. */
export type Constant = number | boolean;

/** Pattern of decimal numbers. */
const NUMBER = /^(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?[uif]?$/i;

/** Most parentheses and signs within each other. WGSL evaluates deeper expressions. */
const MAX_DEPTH = 100;

/** Binary operators, with their strength and their operation, which takes bools for `||` and `&&`. */
const BINARY: ReadonlyMap<string, readonly [strength: number, apply: (a: number, b: number) => Constant]> = new Map([
  ["||", [1, (a, b) => a || b]],
  ["&&", [2, (a, b) => a && b]],
  ["==", [3, (a, b) => a === b]],
  ["!=", [3, (a, b) => a !== b]],
  ["<", [4, (a, b) => a < b]],
  [">", [4, (a, b) => a > b]],
  ["<=", [4, (a, b) => a <= b]],
  [">=", [4, (a, b) => a >= b]],
  ["+", [5, (a, b) => a + b]],
  ["-", [5, (a, b) => a - b]],
  ["*", [6, (a, b) => a * b]],
  ["/", [6, (a, b) => Math.trunc(a / b)]],
  ["%", [6, (a, b) => a % b]],
]);

/**
 * Evaluates a constant expression of WGSL over named constants: the bounds of a marked loop, the condition of an `if`. Division truncates,
 * since the constants that steer code are integers. Gives `undefined` if a name is not a constant, or for syntax that is not supported:
 * calls, members, hexadecimal numbers, operations on bits.
 */
export function evaluate(expression: readonly Token[], constants: ReadonlyMap<string, Constant>): Constant | undefined {
  let at = 0;
  let known = true;
  let depth = 0;
  const value = binary(0);
  return known && at === expression.length ? value : undefined;

  /** Reads operators that bind more strongly than `than`. */
  function binary(than: number): Constant {
    let left = unary();
    for (;;) {
      const [strength, apply] = BINARY.get(expression[at]?.text ?? "") ?? [0];
      if (!apply || strength <= than) return left;
      at++;
      left = apply(left as number, binary(strength) as number);
    }
  }

  function unary(): Constant {
    depth++;
    known &&= depth < MAX_DEPTH;
    const value = known ? operand() : 0;
    depth--;
    return value;
  }

  function operand(): Constant {
    const token = expression[at++]?.text ?? "";
    if (token === "!") return !unary();
    if (token === "-") return -unary();
    if (token === "(") {
      const inner = binary(0);
      known &&= expression[at++]?.text === ")";
      return inner;
    }
    if (NUMBER.test(token)) return Number.parseFloat(token);
    const named = token === "true" || token === "false" ? token === "true" : constants.get(token);
    known &&= named !== undefined;
    return named ?? 0;
  }
}
