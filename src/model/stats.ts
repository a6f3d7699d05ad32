import type { Choices } from "../graph/tile.ts";
import type { Network } from "../network/network.ts";
import type { TuningCounts } from "../plan/tuning-task.ts";
import { noCounts } from "../training/sweep.ts";
import type { CompiledModel } from "./compiled.ts";

export interface ModelStats {
  readonly dispatchesPerStep: number;
  readonly steps: number;
  readonly submits: number;
  readonly readbacks: number;
  /** How many steps the next submit of `fit` takes: `stepsPerExecution`, or what `auto` has found so far. */
  readonly stepsPerSubmit: number;
  /** Wall time of compiling pipelines, in ms, all plans together. */
  readonly compileMs: number;
  /**
   * What `compile({ tune })` took, all plans together: wall time in ms, and how many choices were measured, remembered from
   * the store or an earlier plan, or left as shipped, being out of the budget's reach.
   */
  readonly tuning: TuningCounts & { readonly ms: number };
  /** From the first training step's submit to its completion, in ms; `undefined` before it. */
  readonly firstStepMs: number | undefined;
  /** The training plan's algorithms and tiles: give them to `compile` to repeat the run. */
  readonly choices: Choices;
  readonly bytes: {
    readonly parameters: number;
    /** Buffers that hold what a step computes, shared by training, evaluation and prediction. */
    readonly activations: number;
    /** The data set of the last training, its order included. */
    readonly dataset: number;
    /** Most that was live at once on the model's runtime. */
    readonly peak: number;
  };
}

export function statsOf(compiled: CompiledModel | undefined, network: Network): ModelStats {
  const plan = compiled?.plans.made("train")?.program.plan;
  return {
    dispatchesPerStep: plan?.steps.length ?? 0,
    ...(compiled?.counts ?? noCounts()),
    stepsPerSubmit: compiled?.plans.made("train")?.pace?.steps ?? 1,
    compileMs: compiled?.plans.compileMs ?? 0,
    tuning: { ...(compiled?.plans.tuning ?? { ms: 0, measured: 0, remembered: 0, skipped: 0 }) },
    choices: plan?.choices ?? {},
    bytes: {
      parameters: compiled ? network.parameterCount * 4 : 0,
      activations: compiled?.plans.scratchBytes ?? 0,
      dataset: compiled?.datasetBytes ?? 0,
      peak: compiled?.runtime.memory.peakBytes ?? 0,
    },
  };
}
