import { FeaturemapError } from "../errors.ts";

/** The value of a WGSL constant: numbers stand for u32, i32 and f32 alike. */
export type Constant = number | boolean;

const TOKEN = /\s*(?:(\d+(?:\.\d+)?(?:e[+-]?\d+)?)[uif]?|([A-Za-z_]\w*)|(&&|\|\||==|!=|<=|>=|[-+*/%()<>!]))/y;

/** By how strongly they bind, and what they do. */
const BINARY: ReadonlyMap<string, readonly [strength: number, apply: (a: Constant, b: Constant) => Constant]> = new Map(
  [
    ["||", [1, (a, b) => Boolean(a) || Boolean(b)]],
    ["&&", [2, (a, b) => Boolean(a) && Boolean(b)]],
    ["==", [3, (a, b) => Number(a) === Number(b)]],
    ["!=", [3, (a, b) => Number(a) !== Number(b)]],
    ["<", [4, (a, b) => a < b]],
    [">", [4, (a, b) => a > b]],
    ["<=", [4, (a, b) => a <= b]],
    [">=", [4, (a, b) => a >= b]],
    ["+", [5, (a, b) => Number(a) + Number(b)]],
    ["-", [5, (a, b) => Number(a) - Number(b)]],
    ["*", [6, (a, b) => Number(a) * Number(b)]],
    ["/", [6, (a, b) => Math.trunc(Number(a) / Number(b))]],
    ["%", [6, (a, b) => Number(a) % Number(b)]],
  ],
);

/**
 * Evaluates a constant expression of WGSL over named constants: the bounds of a marked loop, the condition of an `if`.
 * Division truncates, since the constants that steer code are integers. Throws on a name that is not a constant.
 */
export function evaluate(expression: string, constants: ReadonlyMap<string, Constant>): Constant {
  const tokens = tokenize(expression);
  let at = 0;
  const value = binary(0);
  if (at < tokens.length) throw malformed(expression);
  return value;

  /** Operators that bind more strongly than this one. */
  function binary(than: number): Constant {
    let left = unary();
    for (;;) {
      const [strength, apply] = BINARY.get(tokens[at]!) ?? [0];
      if (!apply || strength <= than) return left;
      at++;
      left = apply(left, binary(strength));
    }
  }

  function unary(): Constant {
    const token = tokens[at++];
    if (token === undefined) throw malformed(expression);
    if (token === "!") return !unary();
    if (token === "-") return -Number(unary());
    if (token === "(") {
      const inner = binary(0);
      if (tokens[at++] !== ")") throw malformed(expression);
      return inner;
    }
    if (token === "true") return true;
    if (token === "false") return false;
    if (/^\d/.test(token)) return Number(token);
    const named = constants.get(token);
    if (named === undefined)
      throw new FeaturemapError("value", `"${token}" in "${expression}" is not a known constant.`);
    return named;
  }
}

/** What `evaluate` does not read: hexadecimal numbers, shifts and operations on bits. */
const BEYOND = /\b0[xX]|<<|>>|(?<!&)&(?!&)|(?<!\|)\|(?!\|)|[~^]/;

/** Whether an expression can be evaluated, given constants for its names. */
export function isConstant(expression: string): boolean {
  return !BEYOND.test(expression);
}

/** Every name that an expression mentions. */
export function names(expression: string): string[] {
  return expression.match(/\b[A-Za-z_]\w*/g)?.filter((name) => name !== "true" && name !== "false") ?? [];
}

function tokenize(expression: string): string[] {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  const text = expression.trim();
  while (TOKEN.lastIndex < text.length) {
    const match = TOKEN.exec(text);
    if (!match) throw malformed(expression);
    tokens.push(match[1] ?? match[2] ?? match[3]!);
  }
  return tokens;
}

function malformed(expression: string): FeaturemapError {
  return new FeaturemapError("value", `"${expression}" is not a constant expression that specialize understands.`);
}
