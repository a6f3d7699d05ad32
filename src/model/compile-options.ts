import {
  aFunction,
  anObject,
  aWord,
  finiteNumber,
  flag,
  knownKeys,
  listOf,
  madeBy,
  oneOf,
  optionalFunction,
  show,
  wholeNumber,
  wrong,
} from "../base/errors.ts";
import { Runtime } from "../gpu/runtime.ts";
import type { Choices, MemoryMode } from "../graph/tile.ts";
import { type Loss, type LossName, lossNamed, METRICS, type MetricName } from "../losses/losses.ts";
import type { Optimizer } from "../optimizers/optimizer.ts";
import type { CompileProgress } from "../plan/executable.ts";
import type { Tuner } from "../plan/tuning-task.ts";
import type { CompileSettings } from "../program/compile-settings.ts";

export interface CompileOptions {
  /** A name, or a loss of one's own. Without loss and optimizer, the model can `predict`, and that only. */
  readonly loss?: LossName | Loss;
  readonly optimizer?: Optimizer;
  /** What `fit` and `evaluate` report beside the loss. Default none. */
  readonly metrics?: readonly MetricName[];
  /** Where the model lives. Default: a runtime of its own, which `dispose` frees. */
  readonly runtime?: Runtime;
  /** Seed of the parameters' first values, and of `fit`'s orders unless it is given its own. Default 0. */
  readonly seed?: number;
  /**
   * Tiles and algorithms by node, as of an earlier run (`model.stats().choices`), to repeat it bit for bit on the same adapter.
   * Default: those that the library ships for the class of adapter. `compile` throws where a node cannot follow its choice.
   */
  readonly choices?: Choices;
  /** `fast` (default), or `compact`: what the GPU holds beside the data is kept small, at the cost of speed. */
  readonly memory?: MemoryMode;
  /**
   * Whether convolutions may be computed by Winograd's algorithm, where it saves enough. It spreads what one sample's window holds
   * over its tile of outputs: a NaN or a number of 1e6 among pixels of 1 reaches neighbours whose window lacks it. With `false`,
   * each output depends on its window alone. Default true.
   */
  readonly winograd?: boolean;
  /** Chooses kernels by measurement, from `tuner()`, before a plan is first used. What `choices` names wins. Default: none. */
  readonly tune?: Tuner;
  /**
   * Told as each pipeline is ready, whenever a plan is made: for training by the first `fit`, for a larger batch or other
   * data anew. Pipelines compile in parallel, in the background. What it throws, the call throws that wanted the plan. It must not
   * await a call of the model, which may wait for the plan. `waiting` tells of pipelines that take long.
   */
  readonly onProgress?: (progress: CompileProgress) => void | Promise<void>;
}

export const COMPILE_OPTIONS = [
  ...["loss", "optimizer", "metrics", "runtime", "seed"],
  ...["choices", "memory", "winograd", "tune", "onProgress"],
] as const;

/** @throws FeaturemapError `value` for an option that is missing, unknown or wrong */
export function checkCompileOptions(options: CompileOptions): Omit<CompileSettings, "runtime" | "ownsRuntime"> {
  knownKeys(options, COMPILE_OPTIONS, "compile");
  const { optimizer, runtime, tune, onProgress } = options;
  const own = options.loss as Loss | undefined;
  const trains = own !== undefined || optimizer !== undefined;
  const loss = !trains || typeof own?.build === "function" ? checkedLoss(own) : lossNamed(options.loss);
  if (trains) checkOptimizer(optimizer);
  const metrics = Array.from(listOf(options.metrics ?? [], "compile: metrics"), (metric) =>
    oneOf(metric, METRICS, "compile: metrics"),
  );
  const known = runtime === undefined || runtime instanceof Runtime;
  madeBy(known, runtime, "compile: runtime", "await createRuntime()");
  const seed = wholeNumber(options.seed ?? 0, "compile: seed");
  const memory = oneOf(options.memory ?? "fast", ["fast", "compact"], "compile: memory");
  const winograd = flag(options.winograd ?? true, "compile: winograd");
  madeBy(tune === undefined || typeof tune?.tune === "function", tune, "compile: tune", "tuner()");
  optionalFunction(onProgress, "compile: onProgress");
  const choices = checkedChoices(options.choices ?? {});
  const withAccuracy = metrics.includes("accuracy");
  return { loss, optimizer, seed, choices, memory, winograd, tune, onProgress, withAccuracy };
}

/** A loss of the user's own, or none. */
function checkedLoss(loss: Loss | undefined): Loss | undefined {
  if (!loss) return undefined;
  aWord(loss.name, "compile: loss.name");
  for (const method of ["labels", "check"] as const) aFunction(loss[method], `compile: loss.${method}`);
  return loss;
}

function checkOptimizer(optimizer: Optimizer | undefined): asserts optimizer {
  madeBy(typeof optimizer?.step === "function", optimizer, "compile: optimizer", "sgd() and its like");
  const { name, slots, config = {}, hyperparameters } = optimizer!;
  const where = "compile: optimizer";
  aWord(name, `${where}.name`);
  optionalFunction(slots, `${where}.slots`);
  anObject(config, `${where}.config`);
  for (const [name, value] of Object.entries(anObject(hyperparameters, `${where}.hyperparameters`)))
    finiteNumber(value, `${where}: ${name}`);
}

/** A copy, since plans are made later. Whether their nodes can follow them is found then. */
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
