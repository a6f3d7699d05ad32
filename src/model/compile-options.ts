import { FeaturemapError, knownKeys, listOf, madeBy, oneOf, show, wholeNumber } from "../errors.ts";
import { Runtime } from "../gpu/runtime.ts";
import type { Choices, MemoryMode } from "../graph/tile.ts";
import type { CompileProgress } from "../plan/executable.ts";
import type { Tuner } from "../plan/tuning.ts";
import type { CompileSettings } from "./compiled.ts";
import { type Loss, type LossName, lossNamed, METRICS, type MetricName } from "./losses.ts";
import type { Optimizer } from "./optimizers.ts";

export interface CompileOptions {
  /** A name, or a loss of one's own. Without loss and optimizer, the model can `predict`, and that only. */
  readonly loss?: LossName | Loss;
  readonly optimizer?: Optimizer;
  /** What `fit` and `evaluate` report beside the loss. Default none. */
  readonly metrics?: readonly MetricName[];
  /** Where the model lives. Default: a runtime of its own, which `dispose` frees. */
  readonly runtime?: Runtime;
  /** Of the parameters' first values, and of `fit`'s orders unless it is given its own. Default 0. */
  readonly seed?: number;
  /**
   * Tiles and algorithms by node, as of an earlier run (`model.stats().choices`), to repeat it bit for bit on the same adapter.
   * Default: those that the library ships for the class of adapter. `compile` throws where a node cannot follow its choice.
   */
  readonly choices?: Choices;
  /** `fast` (default), or `compact`: what the GPU holds beside the data is kept small, at the cost of speed. */
  readonly memory?: MemoryMode;
  /** Chooses kernels by measurement, from `tuner()`, before a plan is first used. What `choices` names wins. Default: none. */
  readonly tune?: Tuner;
  /**
   * Told as each pipeline is ready, whenever a plan is made: for training by the first `fit`, for a larger batch or other
   * data anew. Pipelines compile in parallel, in the background. What it throws, the call throws that wanted the plan.
   */
  readonly onProgress?: (progress: CompileProgress) => void | Promise<void>;
}

const COMPILE_OPTIONS = [
  ...["loss", "optimizer", "metrics", "runtime", "seed"],
  ...["choices", "memory", "tune", "onProgress"],
] as const;

/** @throws FeaturemapError `value` for an option that is missing, unknown or wrong */
export function checkCompileOptions(options: CompileOptions): Omit<CompileSettings, "runtime" | "ownsRuntime"> {
  knownKeys(options, COMPILE_OPTIONS, "compile");
  const { optimizer, runtime, choices = {}, tune, onProgress } = options;
  const own = options.loss as Loss | undefined;
  const trains = own !== undefined || optimizer !== undefined;
  const loss = !trains || typeof own?.build === "function" ? own : lossNamed(options.loss);
  madeBy(!trains || typeof optimizer?.step === "function", optimizer, "compile: optimizer", "sgd() and its like");
  const metrics = listOf(options.metrics ?? [], "compile: metrics").map((metric) =>
    oneOf(metric, METRICS, "compile: metrics"),
  );
  const known = runtime === undefined || runtime instanceof Runtime;
  madeBy(known, runtime, "compile: runtime", "await createRuntime()");
  const seed = wholeNumber(options.seed ?? 0, "compile: seed");
  const memory = oneOf(options.memory ?? "fast", ["fast", "compact"], "compile: memory");
  madeBy(tune === undefined || typeof tune?.tune === "function", tune, "compile: tune", "tuner()");
  if (onProgress !== undefined && typeof onProgress !== "function") {
    throw new FeaturemapError("value", `compile: onProgress must be a function, got ${show(onProgress)}.`);
  }
  const withAccuracy = metrics.includes("accuracy");
  return { loss, optimizer, seed, choices, memory, tune, onProgress, withAccuracy };
}
