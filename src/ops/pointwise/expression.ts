import { type Expression, FUNCTIONS, type FunctionName, type PointwiseFunction } from "./functions.ts";

/** Letters of an op's inputs in an expression. With an output they are as many as the buffers that every adapter can bind. */
export const LETTERS = ["a", "b", "c", "d", "e", "f", "g"] as const;
export type Letter = (typeof LETTERS)[number];

/** Inputs of an op that reads them by letters, as `defineOp` takes them: the first is always there. */
export type LetterInput = "a" | `${Exclude<Letter, "a">}?`;
export const LETTER_INPUTS: readonly LetterInput[] = ["a", "b?", "c?", "d?", "e?", "f?", "g?"];

/** Value for each letter that is there. */
export type ByLetter<Value> = { readonly a: Value } & { readonly [L in Exclude<Letter, "a">]?: Value | undefined };

type Call = Exclude<Expression, number | string>;

function isCall(expression: Expression): expression is Call {
  return typeof expression === "object";
}

function functionOf([name]: Call): PointwiseFunction {
  return FUNCTIONS[name];
}

function argsOf([, ...args]: Call): readonly Expression[] {
  return args;
}

/** Makes a function of expressions that visits a part only once, however often the expression has it. */
function remembering<Result>(
  visit: (part: Expression, again: (part: Expression) => Result) => Result,
): (part: Expression) => Result {
  const known = new Map<Expression, Result>();
  const again = (part: Expression): Result => {
    if (!known.has(part)) known.set(part, visit(part, again));
    return known.get(part)!;
  };
  return again;
}

/** Lists the names of the inputs that an expression reads, in the order in which it first reads them. */
export function inputsRead(expression: Expression): string[] {
  const found = new Set<string>();
  const visit = remembering<void>((part, again) => {
    if (typeof part === "string") found.add(part);
    else if (isCall(part)) for (const arg of argsOf(part)) again(arg);
  });
  visit(expression);
  return [...found];
}

/** Counts the calls of an expression, each part once. */
export function callsIn(expression: Expression): number {
  let calls = 0;
  const visit = remembering<void>((part, again) => {
    if (!isCall(part)) return;
    calls++;
    for (const arg of argsOf(part)) again(arg);
  });
  visit(expression);
  return calls;
}

/** Puts other expressions in the place of inputs. Inputs that are not named stay. */
export function substituted(expression: Expression, by: Readonly<Record<string, Expression>>): Expression {
  return remembering<Expression>((part, again) => {
    if (typeof part === "string") return by[part] ?? part;
    return isCall(part) ? simplified(part[0], argsOf(part).map(again)) : part;
  })(expression);
}

/** Copies an expression, each part once. */
export function copied(expression: Expression): Expression {
  return remembering<Expression>((part, again) =>
    isCall(part) ? ([part[0], ...argsOf(part).map(again)] as unknown as Call) : part,
  )(expression);
}

/** Gives the derivative of an expression by one of its inputs. */
export function derivative(expression: Expression, by: string): Expression {
  return remembering<Expression>((part, again) => {
    if (!isCall(part)) return part === by ? 1 : 0;
    const args = argsOf(part);
    const inner = args.map(again);
    if (inner.every((each) => each === 0)) return 0;
    // What is not chosen passes nothing, even where its derivative is no number.
    if (part[0] === "where") return ["where", args[0]!, inner[1]!, inner[2]!];
    const outer = functionOf(part).derivatives(args, part);
    return args.reduce<Expression>((sum, _, i) => {
      const term = inner[i] === 0 ? 0 : simplified("multiply", [outer[i]!, inner[i]!]);
      return simplified("add", [sum, term]);
    }, 0);
  })(expression);
}

/** Makes a call, or what it comes to where that is plain. Nothing that could be a NaN is left out. */
function simplified(name: FunctionName, args: readonly Expression[]): Expression {
  const [a, b] = args;
  if (name === "add" && a === 0) return b!;
  if (name === "add" && b === 0) return a!;
  if (name === "multiply" && a === 1) return b!;
  if (name === "multiply" && b === 1) return a!;
  if (name === "subtract" && b === 0) return a!;
  if (name === "power" && b === 1) return a!;
  if (name === "power" && b === 2) return ["square", a!];
  if (name === "passed" && typeof b === "number") return simplified("multiply", [a!, b]);
  if (typeof a === "number" && typeof b === "number") {
    if (name === "add") return a + b;
    if (name === "subtract") return a - b;
    if (name === "multiply") return a * b;
  }
  return [name, ...args] as unknown as Call;
}

/** Gives the gradient that a derivative passes on, of the gradient `dy` of its value. */
export function passed(dy: Expression, derivative: Expression): Expression {
  return simplified("passed", [dy, derivative]);
}

/**
 * Writes an expression as a WGSL function `expression(at, left)`, which loads each input once by its `load_` and computes each part once:
 *
 * ```wgsl
 * fn expression(at: u32, left: u32) -> vec4f {
 *   let a = load_a(at, left);
 *   let v0 = exponential(a);
 *   return v0;
 * }
 * ```
 */
export function expressionSource(expression: Expression): string {
  const lines = inputsRead(expression).map((name) => `let ${name} = load_${name}(at, left);`);
  /** Names of calls by their text, so that equal parts that lie in two places are computed once. */
  const names = new Map<string, string>();
  const write = remembering<string>((part, again) => {
    if (typeof part === "string") return part;
    if (!isCall(part)) return literal(part);
    const text = functionOf(part).wgsl(...argsOf(part).map(again));
    const known = names.get(text);
    if (known !== undefined) return known;
    const name = `v${names.size}`;
    names.set(text, name);
    lines.push(`let ${name} = ${text};`);
    return name;
  });
  const result = write(expression);
  return `fn expression(at: u32, left: u32) -> vec4f {\n  ${[...lines, `return ${result};`].join("\n  ")}\n}\n`;
}

function literal(value: number): string {
  const text = String(Math.fround(value));
  return `vec4f(${text}${/[.e]/.test(text) ? "" : ".0"}f)`;
}

/** Checks an expression that an app wrote. Throws what `wrong` makes of a part that is none. */
export function assertExpression(
  expression: unknown,
  inputs: readonly string[],
  wrong: (must: string, got: unknown) => Error,
): void {
  const seen = new Set<unknown>();
  const open = new Set<unknown>();
  const check = (part: unknown): void => {
    if (open.has(part)) throw wrong("have no part that holds itself", part);
    if (seen.has(part)) return;
    seen.add(part);
    if (typeof part === "number") {
      if (!Number.isFinite(Math.fround(part))) throw wrong("have finite numbers", part);
    } else if (typeof part === "string") {
      if (!inputs.includes(part)) throw wrong(`read inputs among ${inputs.join(", ")}`, part);
    } else if (Array.isArray(part) && typeof part[0] === "string" && Object.hasOwn(FUNCTIONS, part[0])) {
      const [name, ...args] = part as unknown as Call;
      const { arity } = FUNCTIONS[name];
      if (args.length !== arity) throw wrong(`give ${name} ${arity} argument${arity === 1 ? "" : "s"}`, part);
      open.add(part);
      args.forEach(check);
      open.delete(part);
    } else {
      throw wrong("be a number, the name of an input, or [function, ...arguments]", part);
    }
  };
  check(expression);
}
