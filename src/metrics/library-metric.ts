import { aWord, FeaturemapError } from "../base/errors.ts";
import { batchShape, type Shape, sameShape } from "../base/shape.ts";
import type { TensorId } from "../graph/tensor.ts";
import type { LabelKind } from "../losses/loss.ts";
import { oneHot } from "../ops/elementwise/one-hot.ts";
import { accumulateRows } from "../ops/metrics/accumulate-rows.ts";
import type { Expression } from "../ops/pointwise/functions.ts";
import { evaluated, type NamedTensors } from "../ops/pointwise/pointwise.ts";
import type { Metric, MetricCall } from "./metric.ts";

/** Options of every metric. */
export interface MetricOptions {
  /** Key of the figure in logs. Default: the function's name. Two of one output need two names. */
  readonly name?: string;
}

interface MetricParts {
  /** Options that make the metric again, beside the name. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Default `up`. */
  readonly direction?: "up" | "down";
  /** Default: labels of the output's shape, or class numbers. */
  readonly check?: (labels: LabelKind, output: Shape) => void;
}

/** Metric that is the mean of a number for each sample. */
export interface MeanParts extends MetricParts {
  /** Adds nodes for each sample's number, [batch]. Its labels are rows of the output's shape. */
  readonly call: (call: MetricCall) => TensorId;
}

/** Metric that is computed out of sums over all samples. */
export interface SumsParts<Name extends string> extends MetricParts {
  readonly sums: readonly Name[];
  /** Gives how many numbers each sum has, for a model with this output. Default 1. */
  readonly width?: (output: Shape) => number;
  /** Whether the labels stay as they are. Default false: the call gets rows of the output's shape. */
  readonly asGiven?: boolean;
  /** Adds nodes for what is added up, [batch, width]. */
  readonly call: (call: MetricCall) => Readonly<Record<Name, TensorId>>;
  /** Names of the figures, if there are several. */
  readonly figures?: Metric["figures"];
  /** Computes the figures out of the sums. */
  readonly result: (sums: Readonly<Record<Name, readonly number[]>>) => number | readonly number[];
}

/** Makes a metric of the library that is a mean. */
export function meanMetric(by: string, options: MetricOptions, parts: MeanParts): Metric {
  return { ...described(by, options, parts), call: (call) => parts.call(withRows(call)) };
}

/** Makes a metric of the library out of sums. */
export function sumsMetric<Name extends string>(by: string, options: MetricOptions, parts: SumsParts<Name>): Metric {
  const { sums: names, width = () => 1, asGiven = false, figures } = parts;
  return {
    ...described(by, options, parts),
    ...(figures && { figures }),
    accumulators: (output) => names.map((name) => ({ name, shape: [2, width(output)] })),
    call: (call) => {
      const { add, state, weights, accumulators } = call;
      const columns = parts.call(asGiven ? call : withRows(call));
      for (const name of names) add(accumulateRows, { x: columns[name], state, weights, sums: accumulators[name]! });
      return undefined;
    },
    result: (values) =>
      parts.result(Object.fromEntries(names.map((name) => [name, totals(values[name]!)])) as Record<Name, number[]>),
  };
}

function described(by: string, { name }: MetricOptions, { config = {}, direction = "up", check }: MetricParts) {
  const own = name === undefined ? by : aWord(name, `${by}: name`);
  return {
    name: own,
    direction,
    made: { by, config: { ...config, ...(name !== undefined && { name }) } },
    check: check ?? ((labels: LabelKind, output: Shape) => assertLabels(by, labels, output)),
  } as const;
}

/** Adds the low parts of sums to the high ones. */
export function totals(values: ArrayLike<number>): number[] {
  const size = values.length / 2;
  return Array.from({ length: size }, (_, k) => values[k]! + values[size + k]!);
}

/** @throws FeaturemapError `shape` unless labels are of the output's shape, or class numbers of its last axis */
export function assertLabels(by: string, { shape, dtype }: LabelKind, output: Shape): void {
  const rows = output.slice(0, -1);
  const isClasses = sameShape(shape, rows.length === 0 ? [1] : rows);
  if (sameShape(shape, output) || (isClasses && output.at(-1)! > 1 && (dtype === "u32" || rows.length > 0))) return;
  const wanted = `labels of the output's shape, ${batchShape(output)}, or class numbers`;
  throw new FeaturemapError("shape", `metric "${by}" wants ${wanted}, got ${batchShape(shape)}.`);
}

/** Gives a call whose labels are rows of the output's shape, made of class numbers where need be. */
export function withRows(call: MetricCall): MetricCall {
  const { labels: x, output, add, shapeOf } = call;
  const shape = shapeOf(output);
  if (sameShape(shapeOf(x), shape)) return call;
  return { ...call, labels: add(oneHot, { x }, { shape }).y };
}

/** Adds the sum of an expression over each sample's numbers, [batch]. It reads the output as `y` and the labels as `t`. */
export function sampleSum(call: MetricCall, expression: Expression, others: NamedTensors = {}): TensorId {
  return summed(call, 1, expression, others);
}

/** Adds the sum of an expression over each sample's positions, [batch, classes]. */
export function classSums(call: MetricCall, expression: Expression, others: NamedTensors = {}): TensorId {
  return summed(call, 0, expression, others);
}

function summed(
  { output: y, labels: t, add, shapeOf }: MetricCall,
  last: 0 | 1,
  expression: Expression,
  others: NamedTensors,
): TensorId {
  const rank = shapeOf(y).length;
  const axes = Array.from({ length: rank - 2 + last }, (_, i) => i + 1);
  const tensors = { y, t, ...others };
  if (axes.length === 0) return evaluated(add, expression, tensors);
  return evaluated(add, expression, tensors, { reduction: { kind: "sum", axes, keepDims: false } });
}

/** Divides, or gives 0 where the divisor is 0. */
export function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

/** Counts the classes of an output. */
export function classesOf(output: Shape): number {
  return output.at(-1)!;
}
