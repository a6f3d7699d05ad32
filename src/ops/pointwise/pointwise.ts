import { wrong } from "../../base/errors.ts";
import { elements, type Shape, sameShape } from "../../base/shape.ts";
import { type Add, defineOp, type Op, typed } from "../../graph/op.ts";
import type { TensorId, TensorSpec } from "../../graph/tensor.ts";
import { fuseGradientSum } from "../activation/activation-sum-gradient.ts";
import { reshape } from "../elementwise/reshape.ts";
import { repeatedAxes } from "./broadcast.ts";
import {
  assertExpression,
  type ByLetter,
  derivative,
  inputsRead,
  LETTER_INPUTS,
  LETTERS,
  type Letter,
  type LetterInput,
  passed,
  substituted,
} from "./expression.ts";
import type { Expression } from "./functions.ts";
import { fuseIntoPointwise } from "./fuse-pointwise.ts";
import { lowerPointwise } from "./lower-pointwise.ts";
import { assertReduction, type PointwiseAttributes, type Reduction, reducedShape, wholeShape } from "./whole.ts";

/**
 * y = expression(a, b, ...), element by element, or its sum, mean, maximum or minimum along some axes. Inputs are broadcast as NumPy
 * does. Its gradient follows from the derivatives of the expression. Neighbouring nodes of this op become one. So do `add`, `multiply`
 * and `activation` before it.
 */
export const pointwise: Op<LetterInput, "y", PointwiseAttributes> = defineOp({
  name: "pointwise",
  inputs: LETTER_INPUTS,
  outputs: ["y"],
  attributes: typed<PointwiseAttributes>(),
  infer: (inputs, attributes, where) => {
    const { reduction } = attributes;
    const whole = inferWhole(inputs, attributes, where);
    if (reduction) assertReduction(reduction, whole, where);
    return { y: { shape: reducedShape(whole, reduction), dtype: "f32" } };
  },
  gradient: ({ node, inputs, outputs: { y }, gradients, attributes, wanted, tensor, add }) => {
    const { expression, reduction } = attributes;
    const given = LETTERS.filter((letter) => inputs[letter] !== undefined);
    const shapeOf = (id: TensorId) => tensor(id).shape;
    const tensors = Object.fromEntries(given.map((letter) => [letter, inputs[letter]!]));
    const whole = wholeShape(
      given.map((letter) => shapeOf(inputs[letter]!)),
      attributes.shape,
      node.name,
    );
    const incoming = incomingGradient({ add, tensors, expression, reduction, whole, y, dy: gradients.y! });
    const passedTo = (letter: Letter): TensorId => {
      const shape = shapeOf(inputs[letter]!);
      const axes = repeatedAxes(shape, whole);
      const sum: Reduction | undefined = axes.length > 0 ? { kind: "sum", axes, keepDims: true } : undefined;
      const all = passed(incoming.expression, derivative(expression, letter));
      const same = typeof all === "string" ? incoming.tensors[all]! : undefined;
      // The gradient of a sum is dy itself, without a copy.
      if (same !== undefined && !sum && sameShape(shapeOf(same), shape)) return same;
      const made = passedBack(add, incoming, derivative(expression, letter), sum, whole);
      return sameShape(reducedShape(whole, sum), shape) ? made : add(reshape, { x: made }, { shape }).y;
    };
    return Object.fromEntries(given.flatMap((letter) => (wanted[letter] ? [[letter, passedTo(letter)]] : [])));
  },
  fuses: ["activation"],
  // A sum of layers is where an activation is read twice.
  rewrites: [fuseIntoPointwise, fuseGradientSum],
  lower: lowerPointwise,
});

/** Gives the shape that an expression runs over. @throws FeaturemapError for an expression that is none, or for other inputs than it reads */
function inferWhole(
  inputs: Readonly<Record<string, TensorSpec | undefined>>,
  attributes: PointwiseAttributes,
  where: string,
): Shape {
  const own = `"${where}": expression`;
  const given = LETTERS.filter((letter) => inputs[letter]);
  assertExpression(attributes.expression, given, (must, got) => wrong(own, must, got));
  const read = inputsRead(attributes.expression);
  const unread = given.find((letter) => !read.includes(letter));
  if (unread) throw wrong(own, `read its input ${unread}`, attributes.expression);
  if (read.length === 0) throw wrong(own, "read an input", attributes.expression, "ops.fill makes a constant.");
  const whole = given.find((letter) => inputs[letter]!.dtype !== "f32");
  if (whole) throw wrong(`"${where}": input ${whole}`, "be of 32-bit floats", inputs[whole]!.dtype);
  return wholeShape(
    given.map((letter) => inputs[letter]!.shape),
    attributes.shape,
    where,
  );
}

/** Tensors by the names under which an expression reads them. */
export type NamedTensors = Readonly<Record<string, TensorId>>;

/** Adds a node for an expression over named tensors. It reads at most seven. */
export function evaluated(
  add: Add,
  expression: Expression,
  tensors: NamedTensors,
  { reduction, shape }: Pick<PointwiseAttributes, "reduction" | "shape"> = {},
): TensorId {
  const names = inputsRead(expression);
  const letters = Object.fromEntries(names.map((name, i) => [name, LETTERS[i]!]));
  const inputs = Object.fromEntries(names.map((name) => [letters[name], tensors[name]!]));
  return add(pointwise, inputs as ByLetter<TensorId>, {
    expression: substituted(expression, letters),
    reduction,
    shape,
  }).y;
}

/** The gradient of each element of the expression, as an expression over tensors. */
interface Incoming {
  readonly expression: Expression;
  readonly tensors: NamedTensors;
}

/** Takes a gradient back through the reduction. Of a maximum, equal elements share it evenly, as in Keras. */
function incomingGradient(of: {
  readonly add: Add;
  readonly tensors: NamedTensors;
  readonly expression: Expression;
  readonly reduction: Reduction | undefined;
  readonly whole: Shape;
  readonly y: TensorId;
  readonly dy: TensorId;
}): Incoming {
  const { add, expression, reduction, whole } = of;
  if (!reduction) return { expression: "dy", tensors: { ...of.tensors, dy: of.dy } };
  const shape = reducedShape(whole, { ...reduction, keepDims: true });
  const kept = (x: TensorId) => (reduction.keepDims ? x : add(reshape, { x }, { shape }).y);
  const tensors = { ...of.tensors, dy: kept(of.dy) };
  if (reduction.kind === "sum") return { expression: "dy", tensors };
  const count = elements(whole) / elements(shape);
  if (reduction.kind === "mean") return { expression: ["multiply", "dy", 1 / count], tensors };
  // The value as a tensor of its own: with it, the largest, the ties and dy, the gradient could read too many.
  const isInput = typeof expression === "string";
  const value = isInput ? of.tensors[expression]! : evaluated(add, expression, of.tensors, { shape: whole });
  const best = kept(of.y);
  const isBest: Expression = ["equal", "value", "best"];
  const sum = { ...reduction, kind: "sum", keepDims: true } as const;
  const ties = evaluated(add, isBest, { value, best }, { reduction: sum, shape: whole });
  const incoming: Expression = ["where", isBest, ["divide", "dy", "ties"], 0];
  return { expression: incoming, tensors: { ...tensors, value, best, ties } };
}

/** Adds what passes a gradient back by a derivative: in one node, or in two where one would read too many tensors. */
function passedBack(
  add: Add,
  { expression, tensors }: Incoming,
  derivative: Expression,
  reduction: Reduction | undefined,
  shape: Shape,
): TensorId {
  const all = passed(expression, derivative);
  if (inputsRead(all).length <= LETTERS.length) return evaluated(add, all, tensors, { reduction, shape });
  const rate = evaluated(add, derivative, tensors, { shape });
  return evaluated(add, passed(expression, "rate"), { ...tensors, rate }, { reduction, shape });
}
