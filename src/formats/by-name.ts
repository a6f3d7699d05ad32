import { anObject, knownKeys, listOf, show, tagOf, wrong } from "../base/errors.ts";
import type { Loss } from "../losses/loss.ts";
import type { Metric } from "../metrics/metric.ts";
import { weighted } from "../metrics/weighted.ts";
import type { ByOutput, CompileOptions } from "../model/compile-options.ts";
import { COMPILE_OPTIONS } from "../model/compile-options.ts";
import type { Optimizer } from "../optimizers/optimizer.ts";
import { LOSSES, METRICS, OPTIMIZERS } from "./named-parts.ts";
import type { PartFactory } from "./parts.ts";

/** Options of `compile` in which optimizer, losses and metrics may be words. */
export interface NamedCompileOptions extends Omit<CompileOptions, "loss" | "optimizer" | "metrics"> {
  readonly loss?: string | Loss | ByOutput<string | Loss | null>;
  readonly optimizer?: string | Optimizer;
  readonly metrics?: readonly (string | Metric)[] | ByOutput<readonly (string | Metric)[]>;
  /**
   * Metrics by the samples' weights: Keras's `weighted_metrics`. They are a list where `metrics` are one, else by output too. One whose name
   * is among the metrics is called `weighted_accuracy`.
   */
  readonly weightedMetrics?: readonly (string | Metric)[] | ByOutput<readonly (string | Metric)[]>;
}

/** Short names of Keras's (`keras/src/losses/__init__.py`, `keras/src/metrics/__init__.py`). */
const SHORT: Readonly<Record<string, string>> = {
  acc: "accuracy",
  bce: "binarycrossentropy",
  kld: "kldivergence",
  kullbackleiblerdivergence: "kldivergence",
  mae: "meanabsoluteerror",
  mape: "meanabsolutepercentageerror",
  mse: "meansquarederror",
  msle: "meansquaredlogarithmicerror",
};

/** Most metrics that are read. */
const MOST_METRICS = 1000;

/**
 * Makes options of `compile` out of Keras's words: `"adam"`, `"mse"`, `"categorical_crossentropy"`, `"AUC"`. Capitals and underscores do not
 * count. Each part has Keras's defaults. What is no word stays as it is. An app that calls it ships every optimizer, loss and metric of the
 * library; one that imports `adam` ships that alone.
 *
 * @throws FeaturemapError `value` for a word that names nothing
 * @example
 * await model.compile(byName({ optimizer: "adam", loss: "mse", metrics: ["mae"] }));
 */
export function byName(options: NamedCompileOptions): CompileOptions {
  const allowed: readonly (keyof NamedCompileOptions)[] = [...COMPILE_OPTIONS, "weightedMetrics"];
  knownKeys(options, allowed, "byName");
  const { loss, optimizer, metrics, weightedMetrics, ...others } = options;
  const known = { ...LOSSES, ...METRICS };
  const lossOf = (given: unknown) => named<Loss>(LOSSES, given, "byName: loss");
  const metricsOf = (given: unknown) => {
    if (!Array.isArray(given) || listOf(given, "byName: metrics").length > MOST_METRICS) return given;
    return Array.from(given, (each) => named<Metric>(known, each, "byName: metrics"));
  };
  return {
    ...others,
    ...(optimizer !== undefined && { optimizer: named<Optimizer>(OPTIMIZERS, optimizer, "byName: optimizer") }),
    ...(loss !== undefined && { loss: each(loss, lossOf) }),
    ...((metrics !== undefined || weightedMetrics !== undefined) && {
      metrics: withWeighted(metrics === undefined ? undefined : each(metrics, metricsOf), weightedMetrics, metricsOf),
    }),
  } as CompileOptions;
}

/** Adds metrics by weights of samples to the others. */
function withWeighted(metrics: unknown, given: unknown, metricsOf: (given: unknown) => unknown): unknown {
  if (given === undefined) return metrics;
  const where = "byName: weightedMetrics";
  const join = (plain: unknown, weighing: unknown) => {
    const own = plain === undefined ? [] : listOf(plain as readonly Metric[], "byName: metrics");
    if (listOf(weighing as readonly Metric[], where).length > MOST_METRICS)
      throw wrong(where, `have at most ${MOST_METRICS} metrics`, weighing);
    const names = own.map((metric) => metric?.name);
    const made = (metricsOf(weighing) as readonly Metric[]).map((metric) => {
      const name = metric?.name;
      return weighted(metric, names.includes(name) ? { name: `weighted_${name}` } : {});
    });
    return [...own, ...made];
  };
  if (Array.isArray(given)) {
    if (metrics === undefined || Array.isArray(metrics)) return join(metrics, given);
    throw wrong(where, "be by output, as metrics are", given);
  }
  const byOutput = anObject(given as ByOutput<unknown>, where);
  if (Array.isArray(metrics)) throw wrong(where, "be a list, as metrics are", given);
  const plain = metrics === undefined ? {} : anObject(metrics as ByOutput<unknown>, "byName: metrics");
  const outputs = new Set([...Object.keys(plain), ...Object.keys(byOutput)]);
  const of = (all: ByOutput<unknown>, output: string) => (Object.hasOwn(all, output) ? all[output] : undefined);
  return Object.fromEntries(
    [...outputs].map((output) => [output, join(of(plain, output), of(byOutput, output) ?? [])]),
  );
}

/** Changes a value, or those of a record by output. */
function each(given: unknown, change: (value: unknown) => unknown): unknown {
  const isRecord = tagOf(given) === "Object" && typeof (given as Partial<Loss>).call !== "function";
  if (!isRecord) return change(given);
  return Object.fromEntries(Object.entries(given as object).map(([output, value]) => [output, change(value)]));
}

/** Makes the part that a word names. */
function named<T>(known: Readonly<Record<string, PartFactory<T>>>, given: unknown, where: string): unknown {
  if (typeof given !== "string") return given;
  const word = given.replaceAll("_", "").toLowerCase();
  const wanted = Object.hasOwn(SHORT, word) ? SHORT[word]! : word;
  const found = Object.entries(known).find(([name]) => name.toLowerCase() === wanted);
  if (found) return found[1]({});
  throw wrong(where, `be one of ${Object.keys(known).join(", ")}`, given, `There is no ${show(given)}.`);
}
