import type { Runtime } from "../gpu/runtime.ts";
import type { OpenChoice } from "../graph/op.ts";
import type { TensorId } from "../graph/tensor.ts";
import type { AdapterClass, Choices } from "../graph/tile.ts";
import type { CompileProgress } from "./executable.ts";
import type { Plan } from "./plan.ts";

/** Tuner: it chooses by measurement, before a plan is first used. `tuner()` makes one. */
export interface Tuner {
  tune(task: TuningTask): Promise<Tuned>;
}

export interface TuningTask {
  readonly runtime: Runtime;
  readonly adapter: AdapterClass;
  /** Plan that runs without a tuner. */
  readonly shipped: { readonly plan: Plan; readonly variables: ReadonlyMap<string, TensorId> };
  /** Rows of the plan's batch. */
  readonly capacity: number;
  /** Choices that are settled: they are not measured, and come back as they are. */
  readonly choices: Choices;
  /** Makes the plan with these choices. It changes nothing. */
  build(request: PlanRequest): Plan;
  /** Throws if the model or its device is gone meanwhile. */
  assertLive(): void;
  readonly onProgress?: ((progress: CompileProgress) => void | Promise<void>) | undefined;
}

export interface PlanRequest {
  readonly choices: Choices;
  /** Whether each node keeps dispatches of its own. Otherwise they are merged for GPUs. Default false. */
  readonly unmerged?: boolean;
  /** Called with every choice that comes up. */
  readonly onOpenChoice?: (open: OpenChoice) => void;
}

export interface Tuned {
  /** Choices: the settled ones, and those by measurement. */
  readonly choices: Choices;
  readonly counts: TuningCounts;
}

/** Counts of questions. A product, or a layer's algorithm, is one question however often it comes up in the plan. */
export interface TuningCounts {
  /** Questions answered by measurement. */
  readonly measured: number;
  /** Questions answered by the store, or by an earlier measurement. */
  readonly remembered: number;
  /** Questions left to the shipped choice: out of time, or too short for the clock. */
  readonly skipped: number;
}
