/** The value of a WGSL constant: numbers stand for u32, i32 and f32 alike. */
export type Constant = number | boolean;

/** A number, a name, an operator, or whatever else stands there. */
const TOKEN = /\d+(?:\.\d+)?(?:e[+-]?\d+)?[uif]?|\w+|&&|\|\||[=!<>]=|\S/g;

/** Parentheses and signs in each other: more are left to WGSL. */
const MOST_DEPTH = 100;

/** By how strongly they bind, and what they do: with bools, which `||` and `&&` take, as with numbers. */
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
 * Evaluates a constant expression of WGSL over named constants: the bounds of a marked loop, the condition of an `if`.
 * Division truncates, since the constants that steer code are integers. Nothing where a name is not a constant, or where
 * the expression has what is not read here: calls, members, hexadecimal numbers, operations on bits.
 */
export function evaluate(expression: string, constants: ReadonlyMap<string, Constant>): Constant | undefined {
  const tokens = expression.match(TOKEN) ?? [];
  let at = 0;
  let known = true;
  let depth = 0;
  const value = binary(0);
  return known && at === tokens.length ? value : undefined;

  /** Operators that bind more strongly than this one. */
  function binary(than: number): Constant {
    let left = unary();
    for (;;) {
      const [strength, apply] = BINARY.get(tokens[at]!) ?? [0];
      if (!apply || strength <= than) return left;
      at++;
      left = apply(left as number, binary(strength) as number);
    }
  }

  function unary(): Constant {
    depth++;
    known &&= depth < MOST_DEPTH;
    const value = known ? operand() : 0;
    depth--;
    return value;
  }

  function operand(): Constant {
    const token = tokens[at++] ?? "";
    if (token === "!") return !unary();
    if (token === "-") return -unary();
    if (token === "(") {
      const inner = binary(0);
      known &&= tokens[at++] === ")";
      return inner;
    }
    if (/^\d/.test(token)) return Number.parseFloat(token);
    const named = token === "true" || token === "false" ? token === "true" : constants.get(token);
    known &&= named !== undefined;
    return named ?? 0;
  }
}
