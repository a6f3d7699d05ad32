import stateSource from "../../shaders/lib/state.wgsl";
import { type Struct, structOf } from "../wgsl/struct.ts";

/** Layout of the step's state, as the kernels see it. */
export function stepState(): Struct<"step" | "position" | "samples" | "rows" | "batch"> {
  return structOf(stateSource, "StepState");
}

/** State in which a sweep over samples begins: `batch` rows a step, the first of them at sample 0. */
export function sweepState(sweep: { step: number; samples: number; batch: number }): Uint32Array<ArrayBuffer> {
  return stepState().write({ ...sweep, position: 0, rows: Math.min(sweep.batch, sweep.samples) });
}

/** Part of that state from `sweepStartOffset` on: all but the number of the step, which the device counts. */
export function sweepStart(sweep: { samples: number; batch: number }): Uint32Array<ArrayBuffer> {
  return sweepState({ ...sweep, step: 0 }).slice(sweepStartOffset() / 4);
}

/** Offset of `sweepStart` in the state, in bytes: it follows the number of the step. */
export function sweepStartOffset(): number {
  return stepState().fields.position.word * 4;
}
