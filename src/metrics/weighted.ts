import { aFunction, anObject, aWord, cut, FeaturemapError, knownKeys } from "../base/errors.ts";
import type { Shape } from "../base/shape.ts";
import { accumulateMeans, meanLayout } from "../ops/batch/means.ts";
import { fill } from "../ops/elementwise/fill.ts";
import { multiply } from "../ops/elementwise/multiply.ts";
import type { Metric, MetricCall } from "./metric.ts";
import { type MetricName, metricNamed } from "./metrics.ts";

/**
 * Weighs a metric by the samples' weights, as those among Keras's `weighted_metrics` are: `sampleWeight`, or the weights of their classes.
 * A mean becomes sum(weight value) / sum(weight), 0 where the weights add up to 0 (`keras/src/metrics/reduction_metrics.py`). A metric with
 * accumulators adds up by `weights` of its call. Without weights of samples, the figure is the plain one.
 *
 * @param options `name`: key of the figure in logs. Default: the metric's own. Keras calls it `weighted_accuracy` where `accuracy` is
 *   there too; give that name then.
 * @throws FeaturemapError `value` for something that is no metric, and for an option that is wrong; in `compile` or `fit`, for a metric with
 *   accumulators that does not read `weights`
 * @example
 * await model.compile({ loss, optimizer, metrics: ["accuracy", weighted("accuracy", { name: "weighted_accuracy" })] });
 * await model.fit(x, y, { sampleWeight });
 */
export function weighted(metric: MetricName | Metric, options: { readonly name?: string } = {}): Metric {
  const where = "weighted: metric";
  const own = typeof metric === "string" ? metricNamed(metric, where) : anObject(metric, where);
  aWord(own.name, `${where}: name`);
  aFunction(own.call, `${where}: call`);
  knownKeys(options, ["name"], "weighted");
  const name = aWord(options.name ?? own.name, "weighted: name");
  const { direction, made } = own;
  const shared: Pick<Metric, "name" | "weighted" | "check"> & Partial<Metric> = {
    name,
    weighted: true,
    check: (labels, output) => own.check?.(labels, output),
    ...(direction && { direction }),
    made: {
      by: "weighted",
      config: { metric: made ? { name: made.by, config: made.config } : { name: own.name }, name },
    },
  };
  if (own.accumulators) {
    const accumulators = (output: Shape) => own.accumulators!(output, true);
    return { ...own, ...shared, accumulators, call: (call) => assertWeighed(own, call) };
  }
  const layout = meanLayout();
  return {
    ...shared,
    // The mean of the weighted values, and that of the weights.
    accumulators: () => [{ name: "means", shape: [2 * layout.words], dtype: "u32" }],
    call: (call) => {
      const { add, state, weights, shapeOf, accumulators } = call;
      const values = own.call({ ...call, accumulators: {} })!;
      const [batch] = shapeOf(call.output);
      const ones = () => add(fill, {}, { shape: [batch!], value: 1 }).y;
      const values_0 = weights === undefined ? values : add(multiply, { a: values, b: weights }).c;
      const inputs = { state, values_0, values_1: weights ?? ones(), means: accumulators.means! };
      add(accumulateMeans, inputs, { batch: batch!, first: 0 });
      return undefined;
    },
    result: ({ means }) => {
      const [sum, weight] = [0, 1].map((i) => {
        const from = means!.byteOffset + i * layout.bytes;
        const { sum_high, sum_low } = layout.read(means!.buffer.slice(from, from + layout.bytes) as ArrayBuffer);
        return sum_high + sum_low;
      });
      return weight === 0 ? 0 : sum! / weight!;
    },
  };
}

/** Calls a metric with accumulators. @throws FeaturemapError `value` unless it reads the weights */
function assertWeighed(metric: Metric, call: MetricCall): undefined {
  let read = false;
  const watched: MetricCall = {
    ...call,
    get weights() {
      read = true;
      return call.weights;
    },
  };
  metric.call(watched);
  if (read) return undefined;
  const why = `metric "${cut(metric.name)}" adds up without weights of samples`;
  throw new FeaturemapError("value", `weighted: ${why}. Give it to compile() as it is.`);
}
