import type { Runtime } from "../gpu/runtime.ts";
import type { TensorId } from "../graph/graph.ts";
import type { Asked } from "../graph/op.ts";
import type { AdapterClass, Choices } from "../graph/tile.ts";
import type { CompileProgress } from "./executable.ts";
import type { Plan } from "./plan.ts";

/** Chooses by measurement, before a plan is first used: `tuner()` makes one. */
export interface Tuner {
  tune(task: TuningTask): Promise<Tuned>;
}

export interface TuningTask {
  readonly runtime: Runtime;
  readonly adapter: AdapterClass;
  /** What runs without it. */
  readonly shipped: { readonly plan: Plan; readonly tensors: { readonly state: TensorId } };
  /** Rows of the plan's batch. */
  readonly capacity: number;
  /** What is settled: it is not measured, and comes back as it is. */
  readonly choices: Choices;
  /** Makes the plan; pure. */
  build(request: PlanRequest): Plan;
  /** @throws where the model or its device is gone meanwhile */
  assertLive(): void;
  readonly onProgress?: ((progress: CompileProgress) => void | Promise<void>) | undefined;
}

export interface PlanRequest {
  readonly choices: Choices;
  /** Keeps every node's dispatches apart, where they would be merged. Default false. */
  readonly apart?: boolean;
  /** Hears of every choice that comes up. */
  readonly asked?: (asked: Asked) => void;
}

export interface Tuned {
  /** What was settled, and what measurement chose. */
  readonly choices: Choices;
  readonly counts: TuningCounts;
}

/** Each counts questions: one for a product, or for a layer's algorithm, however often it comes up in the plan. */
export interface TuningCounts {
  /** Answered by measurement. */
  readonly measured: number;
  /** Answered by the store, or by what was measured before. */
  readonly remembered: number;
  /** Left to the shipped choice: out of time, or too short for the clock. */
  readonly skipped: number;
}
