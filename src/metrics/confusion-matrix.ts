import { anObject, aWord, FeaturemapError, knownKeys, show, wrong } from "../base/errors.ts";
import { elements, type Shape } from "../base/shape.ts";
import { oneHot } from "../ops/elementwise/one-hot.ts";
import { reshape } from "../ops/elementwise/reshape.ts";
import { evaluated } from "../ops/pointwise/pointwise.ts";
import { argmax } from "../ops/softmax/argmax.ts";
import { classesOf, type MetricOptions, sumsMetric } from "./library-metric.ts";
import type { Metric } from "./metric.ts";

/** Most classes of a confusion matrix: it is classes^2 figures. */
const MOST_CLASSES = 256;

/**
 * Confusion matrix: how often positions of each class in the labels have each class in the output, whose largest number counts. The output is
 * [batch, classes] or, of images, [batch, height, width, classes]; labels are rows of its shape, or class numbers. Logs have a figure for
 * each pair, `confusionMatrix_3_5` for labels of 3 that are taken for 5. `confusionMatrixOf` makes rows of them.
 *
 * @throws FeaturemapError `value` for an option that is unknown or wrong, and in `compile` for an output of more than 256 classes
 * @example
 * await model.compile({ loss: "sparseCategoricalCrossentropy", optimizer: sgd(), metrics: [confusionMatrix()] });
 * const matrix = confusionMatrixOf(await model.evaluate(x, y));
 */
export function confusionMatrix(options: MetricOptions = {}): Metric {
  const by = "confusionMatrix";
  knownKeys(options, ["name"], by);
  const countOf = (output: Shape) => {
    const classes = classesOf(output);
    if (classes <= MOST_CLASSES) return classes;
    throw new FeaturemapError("value", `metric "${by}" is of at most ${MOST_CLASSES} classes, got ${classes}.`);
  };
  return sumsMetric(by, options, {
    sums: ["counts"],
    width: (output) => countOf(output) ** 2,
    figures: (output) => {
      const all = Array.from({ length: countOf(output) }, (_, k) => k);
      return all.flatMap((label) => all.map((taken) => `${label}_${taken}`));
    },
    call: ({ output, labels, add, shapeOf }) => {
      const [batch, ...sample] = shapeOf(output) as [number, ...number[]];
      const classes = classesOf(sample);
      const positions = elements(sample) / classes;
      const y = add(oneHot, { x: add(argmax, { x: output }).y }, { shape: [batch, positions, 1, classes] }).y;
      const rows = add(oneHot, { x: add(argmax, { x: labels }).y }, { shape: [batch, positions, classes] }).y;
      const t = add(reshape, { x: rows }, { shape: [batch, positions, classes, 1] }).y;
      const reduction = { kind: "sum", axes: [1], keepDims: false } as const;
      return { counts: evaluated(add, ["multiply", "t", "y"], { t, y }, { reduction }) };
    },
    result: ({ counts }) => counts,
  });
}

/**
 * Makes rows of the figures of `confusionMatrix` in logs: a row for each class of the labels, a column for each class of the output.
 *
 * @throws FeaturemapError `value` where the logs have no such figures
 * @example
 * const logs = await model.evaluate(x, y);
 * const [first] = confusionMatrixOf(logs); // how the samples of class 0 were taken
 */
export function confusionMatrixOf(logs: Readonly<Record<string, number>>, name = "confusionMatrix"): number[][] {
  const where = "confusionMatrixOf: logs";
  const given = anObject(logs, where);
  aWord(name, "confusionMatrixOf: name");
  const rows: number[][] = [];
  for (let label = 0; `${name}_${label}_0` in given; label++) {
    const row: number[] = [];
    for (let taken = 0; `${name}_${label}_${taken}` in given; taken++) row.push(given[`${name}_${label}_${taken}`]!);
    rows.push(row);
  }
  if (rows.length > 0) return rows;
  throw wrong(where, `have figures of the metric ${show(name)}`, Object.keys(given));
}
