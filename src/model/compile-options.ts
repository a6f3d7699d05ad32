import {
  aFunction,
  anObject,
  assertMadeBy,
  aWord,
  cut,
  finiteNumber,
  flag,
  knownKeys,
  listOf,
  oneOf,
  optionalFunction,
  show,
  tagOf,
  wholeNumber,
  wrong,
} from "../base/errors.ts";
import { Runtime } from "../gpu/runtime.ts";
import type { Choices, MemoryMode } from "../graph/tile.ts";
import type { Loss } from "../losses/loss.ts";
import { type LossName, lossNamed } from "../losses/losses.ts";
import type { Metric } from "../metrics/metric.ts";
import { type MetricName, metricNamed } from "../metrics/metrics.ts";
import { checkedTransforms, type Optimizer } from "../optimizers/optimizer.ts";
import type { CompileProgress } from "../plan/executable.ts";
import type { Tuner } from "../plan/tuning-task.ts";
import type { Augmentation } from "../program/augmentation.ts";
import type { CompileSettings, TrainingSettings } from "../program/compile-settings.ts";

/** Value for each of several outputs, by name. */
export type ByOutput<T> = Readonly<Record<string, T>>;

export interface CompileOptions {
  /**
   * Name of a loss, or a loss of one's own; for several outputs by name. An output of `null` has no loss, and no labels. A model without
   * a loss can only `predict`, as in Keras, whatever its optimizer and metrics are.
   */
  readonly loss?: LossName | Loss | ByOutput<LossName | Loss | null>;
  /** Factors of several outputs' losses in their sum, by name. Default 1. */
  readonly lossWeights?: ByOutput<number>;
  readonly optimizer?: Optimizer;
  /** Figures that `fit` and `evaluate` report beside the loss; for several outputs by name. Default none. */
  readonly metrics?: readonly (MetricName | Metric)[] | ByOutput<readonly (MetricName | Metric)[]>;
  /**
   * Augmentations of whole batches, from `mixUp()` and `cutMix()`, in their order: they mix inputs and labels before the first layer, in
   * training only. Default none.
   */
  readonly augment?: readonly Augmentation[];
  /** Runtime that the model lives on. Default: one of its own, which `dispose` frees. */
  readonly runtime?: Runtime;
  /** Seed of the parameters' first values, and of `fit`'s orders unless it is given its own. Default 0. */
  readonly seed?: number;
  /**
   * Tiles and algorithms by node, as of an earlier run (`model.stats().choices`), to repeat it bit for bit on the same adapter.
   * Default: those that the library ships for the class of adapter. `compile` throws if a node cannot follow its choice.
   */
  readonly choices?: Choices;
  /** Use of memory: `fast` (default), or `compact`, which keeps the GPU's memory beside the data small, at the cost of speed. */
  readonly memory?: MemoryMode;
  /**
   * Whether convolutions may be computed by Winograd's algorithm, if it saves enough. The algorithm spreads the content of a window over
   * its tile of outputs: a NaN, or 1e6 among pixels of 1, reaches neighbours whose window lacks it. With `false`, each output depends
   * on its window alone. Default true.
   */
  readonly winograd?: boolean;
  /** Tuner, from `tuner()`: it chooses kernels by measurement, before a plan is first used. `choices` win over it. Default: none. */
  readonly tune?: Tuner;
  /**
   * Called as each pipeline is ready, whenever a plan is made: for training by the first `fit`, and anew for a larger batch or other
   * data. Pipelines compile in parallel, in the background. The call that needs the plan throws what `onProgress` throws. It must not
   * await a call of the model, which may wait for the plan. `waiting` tells of pipelines that take long.
   */
  readonly onProgress?: (progress: CompileProgress) => void | Promise<void>;
}

export const COMPILE_OPTIONS = [
  "loss",
  "lossWeights",
  "optimizer",
  "metrics",
  "augment",
  "runtime",
  "seed",
  "choices",
  "memory",
  "winograd",
  "tune",
  "onProgress",
] as const;

/**
 * Checks the options, for a model of these outputs.
 *
 * @throws FeaturemapError `value` for an option that is missing, unknown or wrong
 */
export function checkCompileOptions(
  options: CompileOptions,
  outputs: readonly string[],
): Omit<CompileSettings, "runtime" | "ownsRuntime"> {
  const { weightedMetrics } = Object(options);
  if (weightedMetrics) throw wrong("compile: weightedMetrics", "be weighted(metric) among metrics", weightedMetrics);
  knownKeys(options, COMPILE_OPTIONS, "compile");
  const { runtime, tune, onProgress } = options;
  const training = checkedTraining(options, outputs);
  const known = runtime === undefined || runtime instanceof Runtime;
  assertMadeBy(known, runtime, "compile: runtime", "await createRuntime()");
  const seed = wholeNumber(options.seed ?? 0, "compile: seed");
  const memory = oneOf(options.memory ?? "fast", ["fast", "compact"], "compile: memory");
  const winograd = flag(options.winograd ?? true, "compile: winograd");
  assertMadeBy(tune === undefined || typeof tune?.tune === "function", tune, "compile: tune", "tuner()");
  optionalFunction(onProgress, "compile: onProgress");
  const choices = checkedChoices(options.choices ?? {});
  return { training, seed, choices, memory, winograd, tune, onProgress };
}

function checkedTraining(options: CompileOptions, names: readonly string[]): TrainingSettings | undefined {
  const { loss, lossWeights, optimizer, metrics } = options;
  const augment = listOf(options.augment ?? [], "compile: augment");
  for (const each of augment) aFunction(each?.stage, "compile: augment: stage");
  const metricsOf = byOutput(metrics, names, "metrics", (given) => tagOf(given) !== "Object");
  const reported = names.map((name) => checkedMetrics(...metricsOf(name)));
  const weightOf = byOutput(lossWeights, names, "lossWeights", (given) => given === undefined);
  const weights = names.map((name) => {
    const [weight, where] = weightOf(name);
    return finiteNumber(weight ?? 1, where);
  });
  if (loss !== undefined || optimizer !== undefined) checkOptimizer(optimizer);
  if (loss === undefined) return undefined;
  const lossOf = byOutput(
    loss,
    names,
    "loss",
    (given) => typeof given !== "object" || given === null || ("call" in given && !names.includes("call")),
  );
  const outputs = names.flatMap((name, index) => {
    const [given, where] = lossOf(name);
    const [weight, metrics] = [weights[index]!, reported[index]!];
    if (given === null && loss !== null) {
      assertUnmeasured(name, metricsOf(name), weightOf(name));
      return [];
    }
    if (given === undefined) throw wrong(where, "be a loss, or null for an output without one", given);
    return { name, index, loss: checkedLoss(given, where), weight, metrics };
  });
  if (outputs.length === 0) throw wrong("compile: loss", "name a loss for at least one output", loss);
  return { outputs, optimizer: optimizer!, augment };
}

/** @throws FeaturemapError `value` for metrics or a weight of an output without a loss */
function assertUnmeasured(
  output: string,
  [metrics, ofMetrics]: readonly [metrics: readonly unknown[] | undefined, where: string],
  [weight, ofWeight]: readonly [weight: number | undefined, where: string],
): void {
  const why = `be left out: output "${cut(output)}" has no loss, and so no labels`;
  // A list for all outputs is of those that have a loss.
  if (ofMetrics !== "compile: metrics" && metrics?.length) throw wrong(ofMetrics, why, metrics);
  if (weight !== undefined) throw wrong(ofWeight, why, weight);
}

/** Gives the function that finds an output's value, with its place in messages: the same for all, or one for each name. */
function byOutput<T>(
  given: T | ByOutput<T> | undefined,
  names: readonly string[],
  option: string,
  isOne: (given: unknown) => boolean,
): (name: string) => readonly [T | undefined, string] {
  const where = `compile: ${option}`;
  if (isOne(given)) return () => [given as T | undefined, where];
  const values = anObject(given as ByOutput<T>, where);
  knownKeys(values, names, where);
  return (name) => [Object.hasOwn(values, name) ? values[name] : undefined, `${where}.${name}`];
}

function checkedLoss(loss: LossName | Loss | null | undefined, where: string): Loss {
  if (typeof loss !== "object" || loss === null || typeof loss.call !== "function") return lossNamed(loss, where);
  aWord(loss.name, `${where}.name`);
  for (const method of ["labels", "check"] as const) aFunction(loss[method], `${where}.${method}`);
  optionalFunction(loss.factors, `${where}.factors`);
  return loss;
}

function checkedMetrics(metrics: readonly (MetricName | Metric)[] | undefined, where: string): Metric[] {
  const checked = Array.from(listOf(metrics === undefined ? [] : metrics, where), (metric) => {
    if (typeof metric !== "object" || metric === null) return metricNamed(metric, where);
    aWord(metric.name, `${where}: name`);
    aFunction(metric.call, `${where}: call`);
    for (const method of ["check", "accumulators", "result"] as const)
      optionalFunction(metric[method], `${where}: ${method}`);
    if (metric.accumulators) aFunction(metric.result, `${where}: result`);
    return metric;
  });
  const twice = checked.find(({ name }, i) => name === "loss" || checked.findIndex((other) => other.name === name) < i);
  if (twice) throw wrong(where, "have names that differ", twice.name);
  return checked;
}

function checkOptimizer(optimizer: Optimizer | undefined): void {
  assertMadeBy(
    typeof optimizer?.step === "function",
    optimizer,
    "compile: optimizer",
    "sgd() and its like, or byName()",
  );
  const { name, slots, variables, begin, config = {}, hyperparameters } = optimizer!;
  const where = "compile: optimizer";
  aWord(name, `${where}.name`);
  optionalFunction(slots, `${where}.slots`);
  optionalFunction(variables, `${where}.variables`);
  optionalFunction(begin, `${where}.begin`);
  if (variables) aFunction(begin, `${where}.begin`);
  checkedTransforms(optimizer!, `${where}.`);
  anObject(config, `${where}.config`);
  for (const [name, value] of Object.entries(anObject(hyperparameters, `${where}.hyperparameters`)))
    finiteNumber(value, `${where}: ${name}`);
}

/** Checks and copies choices. Whether nodes can follow them is found when plans are made. */
function checkedChoices(choices: Choices): Choices {
  const where = "compile: choices";
  const copies = Object.entries(anObject(choices, where)).map(([node, choice]) => {
    const copy = { ...choice };
    const { algorithm, ...tile } = { algorithm: undefined, ...copy };
    const counts = Object.values(tile).every((value) => typeof value === "number" || typeof value === "boolean");
    if (!(typeof algorithm === "string" || ("blocksM" in tile && counts)))
      throw wrong(`${where}: ${show(node)}`, "be a tile or { algorithm }, as of model.stats().choices", choice);
    return [node, copy] as const;
  });
  return Object.fromEntries(copies);
}
