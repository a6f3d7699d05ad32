import { FeaturemapError } from "../base/errors.ts";
import type { concatenate as concatenateOp } from "../ops/arrange/concatenate.ts";
import type { pad as padOp } from "../ops/arrange/pad.ts";
import type { transpose as transposeOp } from "../ops/arrange/transpose.ts";
import { LETTERS } from "../ops/pointwise/expression.ts";
import type { Expression, FunctionName } from "../ops/pointwise/functions.ts";
import type { pointwise as pointwiseOp } from "../ops/pointwise/pointwise.ts";
import type { OnnxCall, OnnxRule } from "./rule.ts";

type Writer = Pick<OnnxCall<never, object>, "add" | "constant">;

/** ONNX's number for 32-bit floats. */
const FLOAT = { to: { int: 1 } };

const flag =
  (type: string) =>
  ({ add }: Writer, ...args: string[]) =>
    add("Cast", [add(type, args)], FLOAT);

const plain =
  (type: string, attributes: Parameters<Writer["add"]>[2] = {}) =>
  ({ add }: Writer, ...args: string[]) =>
    add(type, args, attributes);

const number = ({ constant }: Writer, value: number) => constant({ floats: [value], shape: [] });

/** How each function is written in ONNX. */
const FUNCTIONS: Readonly<Record<FunctionName, (to: Writer, ...args: string[]) => string>> = {
  abs: plain("Abs"),
  add: plain("Add"),
  divide: plain("Div"),
  elu: plain("Elu", { alpha: { float: 1 } }),
  equal: flag("Equal"),
  erf: plain("Erf"),
  erfc: (to, x) => to.add("Sub", [number(to, 1), to.add("Erf", [x])]),
  exp: plain("Exp"),
  expm1: (to, x) => to.add("Sub", [to.add("Exp", [x]), number(to, 1)]),
  floor: plain("Floor"),
  greater: flag("Greater"),
  greaterEqual: flag("GreaterOrEqual"),
  leakyRelu: plain("LeakyRelu", { alpha: { float: 0.2 } }),
  less: flag("Less"),
  lessEqual: flag("LessOrEqual"),
  log: plain("Log"),
  log1p: (to, x) => to.add("Log", [to.add("Add", [x, number(to, 1)])]),
  maximum: plain("Max"),
  minimum: plain("Min"),
  multiply: plain("Mul"),
  negative: plain("Neg"),
  passed: (to, dy, d) => to.add("Where", [to.add("Equal", [dy, number(to, 0)]), number(to, 0), to.add("Mul", [dy, d])]),
  power: plain("Pow"),
  relu: plain("Relu"),
  round: plain("Round"),
  sigmoid: plain("Sigmoid"),
  sign: plain("Sign"),
  softplus: plain("Softplus"),
  sqrt: plain("Sqrt"),
  square: (to, x) => to.add("Mul", [x, x]),
  subtract: plain("Sub"),
  tanh: plain("Tanh"),
  where: (to, c, a, b) => to.add("Where", [to.add("Equal", [c, number(to, 0)]), b, a]),
};

/** Writes an expression, each part once. */
function written(to: Writer, expression: Expression, inputs: Readonly<Record<string, string>>): string {
  const known = new Map<Expression, string>();
  const write = (part: Expression): string => {
    if (typeof part === "string") return inputs[part]!;
    const before = known.get(part);
    if (before !== undefined) return before;
    const name =
      typeof part === "number"
        ? number(to, part)
        : FUNCTIONS[part[0]](to, ...(part.slice(1) as Expression[]).map(write));
    known.set(part, name);
    return name;
  };
  return write(expression);
}

const REDUCTIONS = { mean: "ReduceMean", max: "ReduceMax", min: "ReduceMin" } as const;

/** Inputs have the model's order of axes, so that ONNX broadcasts them as we do. */
export const pointwise: OnnxRule<typeof pointwiseOp> = ({ name, inputs, attributes, read, add, constant }) => {
  const { expression, reduction, shape, activation = "linear" } = attributes;
  const given = LETTERS.flatMap((letter) => (inputs[letter] ? [[letter, read(inputs[letter])] as const] : []));
  const to = { add, constant };
  const value = written(to, expression, Object.fromEntries(given));
  const whole = shape ? add("Expand", [value, constant({ ints: shape })]) : value;
  const active = (y: string) => (activation === "linear" ? y : FUNCTIONS[activation](to, y));
  if (!reduction) return { y: active(whole) };
  const { kind, axes, keepDims } = reduction;
  if (axes.includes(0))
    throw new FeaturemapError("value", `toOnnx: "${name}" reduces the batch axis, whose size is open.`);
  const keepdims = { int: keepDims ? 1 : 0 };
  const reduced =
    kind === "sum"
      ? add("ReduceSum", [whole, constant({ ints: axes })], { keepdims })
      : add(REDUCTIONS[kind], [whole], { axes: { ints: axes }, keepdims });
  return { y: active(reduced) };
};

export const transpose: OnnxRule<typeof transposeOp> = ({ inputs: { x }, attributes: { axes }, read }) => ({
  y: { name: read(x), order: axes.map((_, axis) => axes.indexOf(axis)) },
});

/** What is cut off comes first: ONNX's own `Pad` takes numbers below 0, but not every runtime does. */
export const pad: OnnxRule<typeof padOp> = ({
  inputs: { x },
  attributes: { before, after, value },
  read,
  add,
  constant,
}) => {
  const cut = x.shape.flatMap((size, axis) => {
    const [start, end] = [Math.max(-before[axis]!, 0), size - Math.max(-after[axis]!, 0)];
    return start > 0 || end < size ? [{ axis, start, end }] : [];
  });
  const all = (of: "axis" | "start" | "end") => constant({ ints: cut.map((each) => each[of]) });
  const kept = cut.length > 0 ? add("Slice", [read(x), all("start"), all("end"), all("axis")]) : read(x);
  const pads = [...before, ...after].map((size) => Math.max(size, 0));
  if (pads.every((size) => size === 0)) return { y: kept };
  return { y: add("Pad", [kept, constant({ ints: pads }), constant({ floats: [value ?? 0], shape: [] })]) };
};

export const concatenate: OnnxRule<typeof concatenateOp> = ({ inputs, attributes: { axis }, read, add }) => {
  const given = LETTERS.flatMap((letter) => (inputs[letter] ? [read(inputs[letter])] : []));
  return { y: add("Concat", given, { axis: { int: axis } }) };
};
