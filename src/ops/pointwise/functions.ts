type Unary =
  | "abs"
  | "elu"
  | "erf"
  | "erfc"
  | "exp"
  | "expm1"
  | "floor"
  | "leakyRelu"
  | "log"
  | "log1p"
  | "negative"
  | "relu"
  | "round"
  | "sigmoid"
  | "sign"
  | "softplus"
  | "sqrt"
  | "square"
  | "tanh";
type Binary =
  | "add"
  | "divide"
  | "equal"
  | "greater"
  | "greaterEqual"
  | "less"
  | "lessEqual"
  | "maximum"
  | "minimum"
  | "multiply"
  | "passed"
  | "power"
  | "subtract";
type Ternary = "where";
export type FunctionName = Unary | Binary | Ternary;

/**
 * Expression of one element, as plain data: a number, the name of an input, or the name of a function and its arguments.
 *
 * @example
 * const squaredError: Expression = ["square", ["subtract", "a", "b"]];
 */
export type Expression =
  | number
  | string
  | readonly [Unary, Expression]
  | readonly [Binary, Expression, Expression]
  | readonly [Ternary, Expression, Expression, Expression];

/** Function of numbers that an expression may call. */
export interface PointwiseFunction {
  /** Number of its arguments. */
  readonly arity: number;
  /** WGSL of a call, given that of its arguments. All are `vec4f`. */
  wgsl(...args: string[]): string;
  /** Partial derivative by each argument. `self` is the call itself, so that e^x is not computed twice. */
  derivatives(args: readonly Expression[], self: Expression): readonly Expression[];
}

/** Function of one argument, by its name in `shaders/pointwise/lib/functions.wgsl` or in WGSL itself. */
/* @__NO_SIDE_EFFECTS__ */
const unary = (name: string, derivative: (x: Expression, self: Expression) => Expression): PointwiseFunction => ({
  arity: 1,
  wgsl: (x) => `${name}(${x})`,
  derivatives: ([x], self) => [derivative(x!, self)],
});

/* @__NO_SIDE_EFFECTS__ */
const binary = (
  wgsl: (a: string, b: string) => string,
  derivatives: (a: Expression, b: Expression, self: Expression) => readonly [Expression, Expression],
): PointwiseFunction => ({
  arity: 2,
  wgsl: (a, b) => wgsl(a!, b!),
  derivatives: ([a, b], self) => derivatives(a!, b!, self),
});

/* @__NO_SIDE_EFFECTS__ */
const ternary = (
  wgsl: (a: string, b: string, c: string) => string,
  derivatives: (a: Expression, b: Expression, c: Expression) => readonly Expression[],
): PointwiseFunction => ({
  arity: 3,
  wgsl: (a, b, c) => wgsl(a!, b!, c!),
  derivatives: ([a, b, c]) => derivatives(a!, b!, c!),
});

/** Comparison: 1 or 0. Its derivative is 0 wherever it has one. */
/* @__NO_SIDE_EFFECTS__ */
const comparison = (name: string): PointwiseFunction =>
  binary(
    (a, b) => `${name}(${a}, ${b})`,
    () => [0, 0],
  );

/** Function in steps: its derivative is 0 wherever it has one. */
/* @__NO_SIDE_EFFECTS__ */
const steps = (name: string): PointwiseFunction => unary(name, () => 0);

const isAbove = (a: Expression, b: Expression): Expression => ["greater", a, b];

/** Share of a maximum's derivative that an argument takes: all where it is the maximum_of, half where both are equal, as in Keras. */
const shareOfLarger = (a: Expression, b: Expression): Expression => [
  "add",
  isAbove(a, b),
  ["multiply", 0.5, ["equal", a, b]],
];

/**
 * Functions that expressions are made of. Names are those of `keras.ops` in camelCase. A NaN of an argument arrives in the result.
 * Comparisons give 1 or 0, and 0 for a NaN.
 */
export const FUNCTIONS: Readonly<Record<FunctionName, PointwiseFunction>> = {
  add: binary(
    (a, b) => `${a} + ${b}`,
    () => [1, 1],
  ),
  subtract: binary(
    (a, b) => `${a} - ${b}`,
    () => [1, -1],
  ),
  multiply: binary(
    (a, b) => `${a} * ${b}`,
    (a, b) => [b, a],
  ),
  divide: binary(
    (a, b) => `${a} / ${b}`,
    (_, b, self) => [
      ["divide", 1, b],
      ["divide", ["negative", self], b],
    ],
  ),
  power: binary(
    (a, b) => `power(${a}, ${b})`,
    (a, b, self) => [
      ["multiply", b, ["power", a, ["subtract", b, 1]]],
      ["multiply", self, ["log", a]],
    ],
  ),
  maximum: binary(
    (a, b) => `maximum_of(${a}, ${b})`,
    (a, b) => [shareOfLarger(a, b), shareOfLarger(b, a)],
  ),
  minimum: binary(
    (a, b) => `minimum_of(${a}, ${b})`,
    (a, b) => [shareOfLarger(b, a), shareOfLarger(a, b)],
  ),
  /** where(c, a, b): a where c is not 0, else b. A NaN is not 0. */
  where: ternary(
    (c, a, b) => `chosen(${c}, ${a}, ${b})`,
    (c) => [0, ["where", c, 1, 0], ["where", c, 0, 1]],
  ),
  equal: comparison("equals"),
  greater: comparison("is_greater"),
  greaterEqual: comparison("is_at_least"),
  less: comparison("is_less"),
  lessEqual: comparison("is_at_most"),
  sign: steps("sign_of"),
  floor: steps("floor"),
  round: steps("round"),
  negative: unary("-", () => -1),
  abs: unary("abs", (x) => ["sign", x]),
  square: {
    arity: 1,
    wgsl: (x) => `${x} * ${x}`,
    derivatives: ([x]) => [["multiply", 2, x!]],
  },
  sqrt: unary("sqrt", (_, self) => ["divide", 0.5, self]),
  exp: unary("exponential", (_, self) => self),
  expm1: unary("exponential_minus_one", (x) => ["exp", x]),
  log: unary("logarithm", (x) => ["divide", 1, x]),
  log1p: unary("logarithm_one_plus", (x) => ["divide", 1, ["add", 1, x]]),
  tanh: unary("tanh_of", (_, self) => ["multiply", ["subtract", 1, self], ["add", 1, self]]),
  sigmoid: unary("sigmoid", (_, self) => ["multiply", self, ["subtract", 1, self]]),
  softplus: unary("softplus", (x) => ["sigmoid", x]),
  relu: unary("positive_part", (x) => isAbove(x, 0)),
  elu: unary("elu", (x, self) => ["where", isAbove(x, 0), 1, ["add", self, 1]]),
  leakyRelu: unary("leaky_relu", (x) => ["where", isAbove(x, 0), 1, 0.2]),
  erf: unary("error_function", (x) => bell(x, 2 / Math.sqrt(Math.PI))),
  erfc: unary("error_complement", (x) => bell(x, -2 / Math.sqrt(Math.PI))),
  /**
   * passed(dy, d): dy * d, but 0 where dy is 0, even if d is no number. A gradient of 0, such as that of a row that is not in use, passes
   * nothing on.
   */
  passed: binary(
    (dy, d) => `passed(${dy}, ${d})`,
    (dy, d) => [["where", dy, d, 0], dy],
  ),
};

/** The derivative of the error function: scale e^(-x^2). */
function bell(x: Expression, scale: number): Expression {
  return ["multiply", scale, ["exp", ["negative", ["square", x]]]];
}
