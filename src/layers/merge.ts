import { cut, FeaturemapError, knownKeys } from "../base/errors.ts";
import { batchShape } from "../base/shape.ts";
import type { TensorId } from "../graph/tensor.ts";
import { reshape } from "../ops/elementwise/reshape.ts";
import { LETTERS } from "../ops/pointwise/expression.ts";
import type { Expression } from "../ops/pointwise/functions.ts";
import { evaluated } from "../ops/pointwise/pointwise.ts";
import { defineLayer } from "./define-layer.ts";
import { type Layer, type LayerCall, type LayerInput, subject } from "./layer.ts";
import { LAYER_OPTIONS, type LayerOptions, layerOptions } from "./options.ts";

/** Way to make one number of two. */
type Merge = (a: Expression, b: Expression) => Expression;

/**
 * Makes a layer that merges its inputs element by element, from the first to the last. Shapes are broadcast as in Keras
 * (`keras/src/layers/merging/base_merge.py`): an input of fewer axes gets axes of 1 behind the batch's.
 */
export function mergeLayer(
  where: string,
  type: string,
  options: LayerOptions,
  merge: Merge,
  {
    inputs,
    last = (sum) => sum,
  }: { readonly inputs?: number; readonly last?: (sum: Expression, count: number) => Expression } = {},
): Layer {
  knownKeys(options, LAYER_OPTIONS, where);
  return defineLayer({
    type,
    ...layerOptions(options, where),
    config: {},
    variables: (built) => {
      assertInputs(type, built, inputs);
      return [];
    },
    call: (call) => {
      const all = aligned(call);
      const [first, ...rest] = all;
      return mergedOf(call, first!, rest, merge, (sum) => last(sum, all.length));
    },
  });
}

/** Adds nodes that merge tensors, as many at a time as one can read. */
function mergedOf(
  call: LayerCall,
  first: TensorId,
  rest: readonly TensorId[],
  merge: Merge,
  last: (sum: Expression) => Expression,
): TensorId {
  const [now, later] = [rest.slice(0, LETTERS.length - 1), rest.slice(LETTERS.length - 1)];
  const tensors = Object.fromEntries([first, ...now].map((id, i) => [`x${i}`, id]));
  const sum = now.reduce<Expression>((a, _, i) => merge(a, `x${i + 1}`), "x0");
  const made = evaluated(call.add, later.length === 0 ? last(sum) : sum, tensors);
  return later.length === 0 ? made : mergedOf(call, made, later, merge, last);
}

/** Gives the inputs with as many axes each. */
function aligned({ inputs, shapeOf, add }: LayerCall): TensorId[] {
  const rank = Math.max(...inputs.map((x) => shapeOf(x).length));
  return inputs.map((x) => {
    const [batch, ...sample] = shapeOf(x);
    const missing = rank - 1 - sample.length;
    if (missing === 0) return x;
    return add(reshape, { x }, { shape: [batch!, ...new Array<number>(missing).fill(1), ...sample] }).y;
  });
}

/** @throws FeaturemapError `value` unless a layer is called on two inputs or more, or on as many as it takes */
export function assertInputs(type: string, { name, inputs }: LayerInput, wanted?: number): void {
  if (wanted === undefined ? inputs.length >= 2 : inputs.length === wanted) return;
  const got = `got ${inputs.length}: ${inputs.map((shape) => batchShape(shape)).join(", ")}`;
  const want = wanted === undefined ? "two inputs or more" : `${wanted} inputs`;
  throw new FeaturemapError("value", `${subject(type, name)} takes ${want}, as a list: layer([a, b]), ${cut(got)}.`);
}
