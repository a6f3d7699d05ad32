import * as featuremap from "../../src/index.ts";
import { FeaturemapError } from "../../src/index.ts";
import { type Initializer, initializerOption } from "../../src/layers/initializers.ts";
import type { Loss } from "../../src/losses/loss.ts";
import { isLossName, lossNamed } from "../../src/losses/losses.ts";
import type { Metric } from "../../src/metrics/metric.ts";
import { metricNamed } from "../../src/metrics/metrics.ts";
import type { Part } from "./keras-golden.ts";

const FUNCTIONS = Object.entries(featuremap).filter(([, value]) => typeof value === "function");

// biome-ignore lint/suspicious/noExplicitAny: each has its own options, and checks them
type Factory = (options: any) => unknown;

/** Finds the library's function of a name of Keras's: `conv2d` of "Conv2D", `prelu` of "PReLU". */
export function functionOf(keras: string): { readonly name: string; readonly make: Factory } | undefined {
  const word = keras.replaceAll("_", "").toLowerCase();
  const found = FUNCTIONS.find(([name]) => name.toLowerCase() === word);
  return found && { name: found[0], make: found[1] as Factory };
}

/** Spells a class name of Keras's as a name of the library's: `huber`, `klDivergence`. */
function spelled(className: string): string {
  return className.replace(/^[A-Z]+(?![a-z])|^[A-Z]/, (start) => start.toLowerCase());
}

/** @throws FeaturemapError where the library has no such loss, or the loss no such option */
export function lossOf({ className, config }: Part): Loss {
  const name = spelled(className);
  const made = functionOf(className)?.make(config) as Loss | undefined;
  if (typeof made?.labels === "function") return made;
  if (Object.keys(config).length === 0 && isLossName(name)) return lossNamed(name);
  throw new FeaturemapError("value", `There is no loss ${name} with ${JSON.stringify(config)}.`);
}

/** Metrics whose names in Keras are those of losses that compute another number. */
const METRICS: Readonly<Record<string, string>> = { CosineSimilarity: "CosineSimilarityMetric" };

/** Gives the name by which `functionOf` finds a metric. */
export function metricName(keras: string): string {
  return METRICS[keras] ?? keras;
}

/** @throws FeaturemapError where the library has no such metric, or the metric no such option */
export function metricOf({ className, config }: Part): Metric {
  const name = spelled(className);
  const made = functionOf(metricName(className))?.make(config) as Metric | undefined;
  // A loss is a metric, too.
  if (made) return made;
  if (Object.keys(config).length === 0) return metricNamed(name);
  throw new FeaturemapError("value", `There is no metric ${name} with ${JSON.stringify(config)}.`);
}

/** @throws FeaturemapError where the library has no such initializer, or the initializer no such option */
export function initializerOf(name: string, config: Part["config"]): Initializer {
  const found = functionOf(name);
  if (found) return found.make(config) as Initializer;
  if (Object.keys(config).length === 0) return initializerOption(name, "initializer");
  throw new FeaturemapError("value", `There is no initializer ${name} with ${JSON.stringify(config)}.`);
}
