import type { Choices } from "../graph/tile.ts";
import type { TuningCounts } from "../plan/tuning-task.ts";
import { noCounts } from "../training/sweep.ts";
import type { CompiledModel } from "./compiled.ts";

export interface ModelStats {
  readonly dispatchesPerStep: number;
  readonly steps: number;
  readonly submits: number;
  readonly readbacks: number;
  /** Steps of the next submit of `fit`: `stepsPerExecution`, or the number that `auto` has found so far. */
  readonly stepsPerSubmit: number;
  /** Wall time of compiling pipelines, in ms, all plans together. */
  readonly compileMs: number;
  /**
   * Cost of `compile({ tune })`, all plans together: wall time in ms, and the choices that were measured, remembered from the store or
   * an earlier plan, or skipped: left as shipped, since the budget did not reach.
   */
  readonly tuning: TuningCounts & { readonly ms: number };
  /** Time from the first training step's submit to its completion, in ms; `undefined` before it. */
  readonly firstStepMs: number | undefined;
  /** Algorithms and tiles of the training plan. Give them to `compile` to repeat the run. */
  readonly choices: Choices;
  readonly bytes: {
    readonly parameters: number;
    /** Buffers that hold what a step computes, shared by training, evaluation and prediction. */
    readonly activations: number;
    /** Bytes of the last training's data set, its order included. */
    readonly dataset: number;
    /** Most bytes that were live at once on the model's runtime. */
    readonly peak: number;
  };
}

export function statsOf(compiled: CompiledModel | undefined, weights: number): ModelStats {
  const ready = compiled?.plans.existing("train");
  const plan = ready?.program.plan;
  return {
    dispatchesPerStep: plan?.steps.length ?? 0,
    ...(compiled?.counts ?? noCounts()),
    stepsPerSubmit: compiled?.sweeper.stepsPerSubmit(ready) ?? 1,
    compileMs: compiled?.plans.compileMs ?? 0,
    tuning: { ...(compiled?.plans.tuning ?? { ms: 0, measured: 0, remembered: 0, skipped: 0 }) },
    choices: plan?.choices ?? {},
    bytes: {
      parameters: compiled ? weights * 4 : 0,
      activations: compiled?.plans.scratchBytes ?? 0,
      dataset: compiled?.datasetBytes ?? 0,
      peak: compiled?.settings.runtime.memory.peakBytes ?? 0,
    },
  };
}
