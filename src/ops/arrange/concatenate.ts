import source from "../../../shaders/arrange/concatenate.wgsl";
import { FeaturemapError, wrong } from "../../base/errors.ts";
import { elements, type Shape, showShape } from "../../base/shape.ts";
import { type Add, defineOp, type Op, typed } from "../../graph/op.ts";
import type { TensorId } from "../../graph/tensor.ts";
import type { Kernel } from "../../wgsl/kernel.ts";
import { dispatchEach } from "../access.ts";
import { type ByLetter, LETTER_INPUTS, LETTERS, type Letter, type LetterInput } from "../pointwise/expression.ts";
import { pad } from "./pad.ts";

const kernel: Kernel<{
  a: "read";
  b: "read?";
  c: "read?";
  d: "read?";
  e: "read?";
  f: "read?";
  g: "read?";
  y: "write";
}> = source;

interface Attributes {
  readonly axis: number;
}

function given<Value>(inputs: ByLetter<Value>): (readonly [Letter, Value])[] {
  return LETTERS.flatMap((letter) => (inputs[letter] === undefined ? [] : [[letter, inputs[letter]] as const]));
}

/** Concatenation of up to seven tensors along an axis. Other axes are alike. `concatenated` takes any number. */
export const concatenate: Op<LetterInput, "y", Attributes> = defineOp({
  name: "concatenate",
  inputs: LETTER_INPUTS,
  outputs: ["y"],
  attributes: typed<Attributes>(),
  infer: (inputs, { axis }, where) => {
    const shapes = given(inputs).map(([, { shape }]) => shape);
    const [first] = shapes;
    if (!first || !LETTERS.slice(0, shapes.length).every((letter) => inputs[letter] !== undefined))
      throw wrong(`"${where}"`, "join tensors a, b and so on", Object.keys(inputs));
    if (!(Number.isInteger(axis) && axis >= 0 && axis < first.length))
      throw wrong(`"${where}": axis`, `be an axis from 0 to ${first.length - 1}`, axis);
    const without = (shape: Shape) => showShape(shape.map((size, i) => (i === axis ? 0 : size)));
    if (shapes.some((shape) => without(shape) !== without(first))) {
      const got = shapes.map(showShape).join(", ");
      throw new FeaturemapError("shape", `"${where}" joins tensors that are alike but for axis ${axis}, got ${got}.`);
    }
    const size = shapes.reduce((sum, shape) => sum + shape[axis]!, 0);
    return { y: { shape: first.map((each, i) => (i === axis ? size : each)), dtype: "f32" } };
  },
  gradient: ({ gradients: { y: dy }, inputs, attributes: { axis }, wanted, tensor, add }) => {
    const whole = tensor(dy!).shape;
    const parts: Partial<Record<Letter, TensorId>> = {};
    let start = 0;
    for (const [letter, id] of given(inputs)) {
      const size = tensor(id).shape[axis]!;
      const cut = (length: number) => whole.map((_, i) => (i === axis ? -length : 0));
      const edges = { before: cut(start), after: cut(whole[axis]! - start - size) };
      if (wanted[letter]) parts[letter] = add(pad, { x: dy! }, edges).y;
      start += size;
    }
    return parts;
  },
  lower: ({ inputs, outputs: { y }, attributes: { axis } }) => {
    const all = given(inputs);
    const ROW = elements(y.shape.slice(axis));
    let end = 0;
    const ends = LETTERS.slice(0, -1).map((letter, i) => {
      end += all[i] ? elements(all[i][1].shape.slice(axis)) : 0;
      return [`END_${letter.toUpperCase()}`, end] as const;
    });
    const COUNT = elements(y.shape);
    return [
      dispatchEach(kernel, COUNT, { bind: { ...inputs, y }, constants: { COUNT, ROW, ...Object.fromEntries(ends) } }),
    ];
  },
});

/** Adds the concatenation of any number of tensors along an axis, seven at a time. */
export function concatenated(add: Add, tensors: readonly TensorId[], axis: number): TensorId {
  if (tensors.length === 1) return tensors[0]!;
  const inputs = Object.fromEntries(tensors.slice(0, LETTERS.length).map((id, i) => [LETTERS[i]!, id]));
  const { y } = add(concatenate, inputs as unknown as ByLetter<TensorId>, { axis });
  return concatenated(add, [y, ...tensors.slice(LETTERS.length)], axis);
}
