import { aFunction, anObject, aWord, optionalFunction, wrong } from "../base/errors.ts";
import type { TensorId } from "../graph/tensor.ts";
import { batchMean } from "../ops/batch/batch-mean.ts";
import type { LayerLossCall, LayerSpec } from "./layer.ts";
import { type LayerPart, variableOf } from "./layer-parts.ts";

/** Part of a layer's call that a regularizer gets. */
export type PenaltyCall = Pick<LayerLossCall, "add" | "shapeOf">;

/** Regularizer: what a layer's weights or outputs add to the loss. */
export interface Regularizer extends LayerPart {
  /** Adds the nodes of the penalty of a tensor, and returns it, [1]. It is differentiable. */
  penalty(call: PenaltyCall, x: TensorId): TensorId;
  /** Adds the nodes of each sample's penalty of outputs [batch, ...], and returns them, [batch]. Without it, only weights may have it. */
  samplePenalties?(call: PenaltyCall, x: TensorId): TensorId;
}

/**
 * Makes a regularizer of an app's own. For a variable it adds `penalty` to the loss, unless the layer is frozen. As an
 * `activityRegularizer` it adds the mean of `samplePenalties` over the samples, for each output of each use of the layer. Rows that a
 * short batch does not use count for nothing. So Keras has it (`add_loss` in `keras/src/layers/layer.py`).
 *
 * @throws FeaturemapError `value` unless it is an object with a `name` and a `penalty`
 * @example
 * // The cube of each weight's size, added up.
 * const l3 = defineRegularizer({
 *   name: "L3",
 *   penalty: ({ add, shapeOf }, x) => {
 *     const axes = shapeOf(x).map((_, axis) => axis);
 *     const expression = ["power", ["abs", "a"], 3] as const;
 *     return add(ops.pointwise, { a: x }, { expression, reduction: { kind: "sum", axes, keepDims: false } }).y;
 *   },
 * });
 */
export function defineRegularizer(regularizer: Omit<Regularizer, "onto">): Regularizer {
  const where = "defineRegularizer";
  const { name, config, penalty, samplePenalties } = anObject(regularizer, `${where}: regularizer`);
  aWord(name, `${where}: name`);
  aFunction(penalty, `${where}: penalty`);
  optionalFunction(samplePenalties, `${where}: samplePenalties`);
  if (config !== undefined) anObject(config, `${where}: config`);
  const made = { name, penalty, ...(config && { config: { ...config } }), ...(samplePenalties && { samplePenalties }) };
  return { ...made, onto: (layer, option) => regularized(made, layer, option) };
}

function regularized(regularizer: Omit<Regularizer, "onto">, layer: LayerSpec, option: string): LayerSpec {
  const stem = option.replace(/Regularizer$/, "");
  if (stem === option) throw wrong(`${layer.type}: ${option}`, "be a constraint", regularizer);
  const { samplePenalties } = regularizer;
  if (stem === "activity" && !samplePenalties)
    throw wrong(`${layer.type}: ${option}`, "be a regularizer of samples, such as l2()", regularizer);
  const ofWeights = (call: LayerLossCall): TensorId[] => {
    const x = call.trainable ? variableOf(call.variables, stem) : undefined;
    return x === undefined ? [] : [regularizer.penalty(call, x)];
  };
  const ofOutputs = (call: LayerLossCall): TensorId[] =>
    call.uses.flatMap(({ outputs }) =>
      outputs.map((y) => call.add(batchMean, { state: call.state, x: samplePenalties!(call, y) }, { weight: 1 }).y),
    );
  const own = stem === "activity" ? ofOutputs : ofWeights;
  return { ...layer, losses: (call) => [...(layer.losses?.(call) ?? []), ...own(call)] };
}
