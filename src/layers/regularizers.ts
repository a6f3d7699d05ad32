import { FeaturemapError, finiteNumber, knownKeys, oneOf } from "../base/errors.ts";
import { showShape } from "../base/shape.ts";
import type { TensorId } from "../graph/tensor.ts";
import type { Expression } from "../ops/pointwise/functions.ts";
import { evaluated } from "../ops/pointwise/pointwise.ts";
import { matmul } from "../ops/product/matmul.ts";
import { defineRegularizer, type PenaltyCall, type Regularizer } from "./define-regularizer.ts";

export interface L1Options {
  /** Factor of the sum of sizes, at least 0. Default 0.01. */
  readonly l1?: number;
}

export interface L2Options {
  /** Factor of the sum of squares, at least 0. Default 0.01. */
  readonly l2?: number;
}

export interface L1L2Options {
  /** Factor of the sum of sizes, at least 0. Default 0. */
  readonly l1?: number;
  /** Factor of the sum of squares, at least 0. Default 0. */
  readonly l2?: number;
}

export interface OrthogonalRegularizerOptions {
  /** Factor of the mean, at least 0. Default 0.01. */
  readonly factor?: number;
  /** What shall be orthogonal to each other: the `rows` of the kernel (default) or its `columns`. */
  readonly mode?: "rows" | "columns";
}

/**
 * Penalty of sizes, l1 sum |w|: Keras's `L1` (`keras/src/regularizers/regularizers.py`, as all regularizers).
 *
 * @throws FeaturemapError `value` for an option that is unknown or out of range
 * @example
 * dense({ units: 10, kernelRegularizer: l1({ l1: 0.001 }) });
 */
export function l1(options: L1Options = {}): Regularizer {
  knownKeys(options, ["l1"], "l1");
  const factor = finiteNumber(options.l1 ?? 0.01, "l1: l1", 0);
  return summed("L1", { l1: factor }, ["multiply", ["abs", "x"], factor]);
}

/**
 * Penalty of squares, l2 sum w^2: Keras's `L2`. The gradient is 2 l2 w.
 *
 * @throws FeaturemapError `value` for an option that is unknown or out of range
 * @example
 * conv2d({ filters: 32, kernelSize: 3, kernelRegularizer: l2({ l2: 0.0001 }) });
 */
export function l2(options: L2Options = {}): Regularizer {
  knownKeys(options, ["l2"], "l2");
  const factor = finiteNumber(options.l2 ?? 0.01, "l2: l2", 0);
  return summed("L2", { l2: factor }, ["multiply", ["square", "x"], factor]);
}

/**
 * Penalty of sizes and squares, l1 sum |w| + l2 sum w^2: Keras's `L1L2`.
 *
 * @throws FeaturemapError `value` for an option that is unknown or out of range
 * @example
 * dense({ units: 10, kernelRegularizer: l1L2({ l1: 0.001, l2: 0.0001 }) });
 */
export function l1L2(options: L1L2Options = {}): Regularizer {
  knownKeys(options, ["l1", "l2"], "l1L2");
  const first = finiteNumber(options.l1 ?? 0, "l1L2: l1", 0);
  const second = finiteNumber(options.l2 ?? 0, "l1L2: l2", 0);
  const sum: Expression = ["add", ["multiply", ["abs", "x"], first], ["multiply", ["square", "x"], second]];
  return summed("L1L2", { l1: first, l2: second }, sum);
}

/** Makes the regularizer that adds up an expression over all numbers. */
function summed(name: string, config: Readonly<Record<string, number>>, expression: Expression): Regularizer {
  const over = ({ add, shapeOf }: PenaltyCall, x: TensorId, from: number) => {
    const axes = shapeOf(x).flatMap((_, axis) => (axis < from ? [] : [axis]));
    return evaluated(add, expression, { x }, { reduction: { kind: "sum", axes, keepDims: false } });
  };
  return defineRegularizer({
    name,
    config,
    penalty: (call, x) => over(call, x, 0),
    samplePenalties: (call, x) => over(call, x, 1),
  });
}

/**
 * Penalty of a kernel [inputs, units] whose rows, or columns, are not orthogonal to each other: `factor` times the mean size of the
 * products of each two of them, after each is divided by its norm. Keras's `OrthogonalRegularizer`. Norms below 1e-7 count as 1e-7.
 *
 * @throws FeaturemapError `value` for an option that is unknown or out of range; `shape`, when a plan is made, for a tensor that is no
 *   matrix, or one of fewer than two rows, or columns
 * @example
 * dense({ units: 10, kernelRegularizer: orthogonalRegularizer({ factor: 0.01, mode: "columns" }) });
 */
export function orthogonalRegularizer(options: OrthogonalRegularizerOptions = {}): Regularizer {
  const where = "orthogonalRegularizer";
  knownKeys(options, ["factor", "mode"], where);
  const factor = finiteNumber(options.factor ?? 0.01, `${where}: factor`, 0);
  const mode = oneOf(options.mode ?? "rows", ["rows", "columns"], `${where}: mode`);
  const along = mode === "rows" ? 1 : 0;
  return defineRegularizer({
    name: "OrthogonalRegularizer",
    config: { factor, mode },
    penalty: ({ add, shapeOf }, x) => {
      const shape = shapeOf(x);
      const size = shape[1 - along]!;
      if (shape.length !== 2 || size < 2)
        throw new FeaturemapError("shape", `${where} wants a matrix of at least two ${mode}, got ${showShape(shape)}.`);
      const squares = evaluated(
        add,
        ["square", "x"],
        { x },
        { reduction: { kind: "sum", axes: [along], keepDims: true } },
      );
      const unit: Expression = ["divide", "x", ["sqrt", ["maximum", "squares", 1e-14]]];
      const n = evaluated(add, unit, { x, squares });
      const products = add(matmul, { a: n, b: n }, { transposeA: mode === "columns", transposeB: mode === "rows" }).c;
      const all = { kind: "sum", axes: [0, 1], keepDims: false } as const;
      // The products of a row with itself are left out.
      const others = evaluated(add, ["abs", "products"], { products }, { reduction: all });
      const own = evaluated(add, ["square", "n"], { n }, { reduction: all });
      return evaluated(add, ["multiply", ["subtract", "others", "own"], factor / (size * (size - 1))], { others, own });
    },
  });
}
