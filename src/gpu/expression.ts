import { FeaturemapError } from "../errors.ts";

/** The value of a WGSL constant: numbers stand for u32, i32 and f32 alike. */
export type Constant = number | boolean;

const TOKEN = /\s*(?:(\d+(?:\.\d+)?(?:e[+-]?\d+)?)[uif]?|([A-Za-z_]\w*)|(&&|\|\||==|!=|<=|>=|[-+*/%()<>!]))/y;

/** From weakest to strongest. */
const BINARY: readonly (readonly string[])[] = [
  ["||"],
  ["&&"],
  ["==", "!="],
  ["<", ">", "<=", ">="],
  ["+", "-"],
  ["*", "/", "%"],
];

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

  function binary(level: number): Constant {
    if (level === BINARY.length) return unary();
    let left = binary(level + 1);
    while (at < tokens.length && BINARY[level]!.includes(tokens[at]!)) {
      const operator = tokens[at++]!;
      left = apply(operator, left, binary(level + 1));
    }
    return left;
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

function apply(operator: string, left: Constant, right: Constant): Constant {
  const [a, b] = [Number(left), Number(right)];
  switch (operator) {
    case "||":
      return Boolean(left) || Boolean(right);
    case "&&":
      return Boolean(left) && Boolean(right);
    case "==":
      return a === b;
    case "!=":
      return a !== b;
    case "<":
      return a < b;
    case ">":
      return a > b;
    case "<=":
      return a <= b;
    case ">=":
      return a >= b;
    case "+":
      return a + b;
    case "-":
      return a - b;
    case "*":
      return a * b;
    case "/":
      return Math.trunc(a / b);
    default:
      return a % b;
  }
}

function malformed(expression: string): FeaturemapError {
  return new FeaturemapError("value", `"${expression}" is not a constant expression that specialize understands.`);
}
