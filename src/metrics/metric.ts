import type { Shape } from "../base/shape.ts";
import type { TensorId } from "../graph/tensor.ts";
import type { LabelKind, LossCall } from "../losses/loss.ts";

/** Accumulator: numbers that a metric adds up over the samples of an epoch, in a buffer of its own. They begin at 0. */
export interface Accumulator {
  readonly name: string;
  readonly shape: Shape;
  /** Type of its numbers. Default `f32`. */
  readonly dtype?: "f32" | "u32";
}

export interface MetricCall extends LossCall {
  /** Weights of the samples, [batch], by which a metric with accumulators adds them up; `undefined` for none. */
  readonly weights?: TensorId | undefined;
  /** Accumulators of the metric, by name. */
  readonly accumulators: Readonly<Record<string, TensorId>>;
}

/** Metric: a figure that `fit` and `evaluate` report. The library's own and a user's have the same interface. */
export interface Metric {
  /** Key of the figure in logs: `accuracy`, `val_accuracy`. */
  readonly name: string;
  /** Whether more of it is better, or less: what callbacks with `mode: "auto"` go by. Default: not known. */
  readonly direction?: "up" | "down";
  /** Whether it is given the weights of samples, as those of `weighted` are. Default false. */
  readonly weighted?: boolean;
  /** Name of the library's metric that this is, and the options that make it again, as plain JSON. `saveModel` writes them down. */
  readonly made?: { readonly by: string; readonly config: Readonly<Record<string, unknown>> };
  /** @throws FeaturemapError where the labels do not suit the metric or the model's output */
  check?(labels: LabelKind, output: Shape): void;
  /**
   * Gives its accumulators, for a model with this output. Default: none; the mean of what `call` returns is added up.
   *
   * @param weighted Whether `weighted` made the metric, so that `call` may be given weights. Counts in whole numbers are no sums then.
   */
  accumulators?(output: Shape, weighted?: boolean): readonly Accumulator[];
  /**
   * Adds nodes. Returns a number for each sample, [batch], whose mean over the samples so far is the figure. A metric with
   * accumulators returns nothing: its nodes change them in place, and leave out the rows that are not in use.
   */
  call(call: MetricCall): TensorId | undefined;
  /** Gives the names of its figures, if it has several: logs have each as `name_figure`. Only metrics with accumulators do. */
  figures?(output: Shape): readonly string[];
  /** Computes the figure, or all of them in their order, out of the accumulators' numbers. */
  result?(values: Readonly<Record<string, Float32Array | Uint32Array>>): number | readonly number[];
}
