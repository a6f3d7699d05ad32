import { knownKeys, wrong } from "../base/errors.ts";
import type { TensorId } from "../graph/tensor.ts";
import { assertExpression, copied } from "../ops/pointwise/expression.ts";
import type { Expression } from "../ops/pointwise/functions.ts";
import { evaluated } from "../ops/pointwise/pointwise.ts";
import { defineLayer } from "./define-layer.ts";
import type { Layer, LayerCall } from "./layer.ts";
import { LAYER_OPTIONS, type LayerOptions, layerOptions } from "./options.ts";

/** Most inputs that an expression reads. */
const MOST_INPUTS = 7;

/** Function of a layer's inputs: what it returns has a row a sample. */
export type LambdaFunction = (call: LayerCall) => TensorId;

/**
 * Layer of an expression or of a function, without weights: Keras's `Lambda` (`keras/src/layers/core/lambda_layer.py`). An expression reads
 * the input as `x`; of several inputs, `x0`, `x1` and so on, at most seven, broadcast as NumPy does. It is plain data, so files keep it. A
 * function adds ops and returns a tensor; files do not keep it. The gradient follows from the ops either way.
 *
 * @throws FeaturemapError `value` for an option that is unknown or wrong, and for an expression that is none
 * @example
 * const swish = lambda(["multiply", "x", ["sigmoid", "x"]]);
 * const distance = lambda(["abs", ["subtract", "x0", "x1"]])([a, b]);
 * const centered = lambda(({ input: x, add, shapeOf }) => {
 *   const reduction = { kind: "mean", axes: [shapeOf(x).length - 1], keepDims: true } as const;
 *   const mean = ops.evaluated(add, "x", { x }, { reduction });
 *   return ops.evaluated(add, ["subtract", "x", "mean"], { x, mean });
 * });
 */
export function lambda(of: Expression | LambdaFunction, options: LayerOptions = {}): Layer {
  knownKeys(options, LAYER_OPTIONS, "lambda");
  const all = { type: "Lambda", ...layerOptions(options, "lambda") };
  if (typeof of === "function") return defineLayer({ ...all, call: (call) => of(call) });
  const names = Array.from({ length: MOST_INPUTS }, (_, i) => `x${i}`);
  assertExpression(of, ["x", ...names], (must, got) => wrong("lambda: expression", must, got));
  const expression = copied(of);
  return defineLayer({
    ...all,
    config: { expression },
    call: ({ inputs, add }) => {
      const tensors = Object.fromEntries(inputs.map((x, i) => [inputs.length === 1 ? "x" : `x${i}`, x]));
      const known = Object.keys(tensors);
      assertExpression(expression, known, (must, got) => wrong("lambda: expression", must, got));
      return evaluated(add, expression, tensors);
    },
  });
}

/** Makes a layer again from its `config` in a file. */
export function lambdaOf({ expression, ...options }: LayerOptions & { readonly expression: Expression }): Layer {
  return lambda(expression, options);
}
