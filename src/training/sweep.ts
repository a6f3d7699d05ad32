import { inErrorScope } from "../gpu/error-scope.ts";
import type { Runtime } from "../gpu/runtime.ts";
import { sweepStartOffset } from "../graph/step-state.ts";
import type { BoundPlan } from "../plan/executable.ts";
import type { Figures } from "../program/measures.ts";
import type { Cursor } from "../program/variable-store.ts";
import { MetricsReader, type ReadPolicy } from "./metrics-reader.ts";
import type { Pace, Ticket } from "./pace.ts";

/** Counts of a sweep's work on the device. */
export interface SweepCounts {
  steps: number;
  submits: number;
  readbacks: number;
  /** Time from the submit of the first step to its completion, in ms. */
  firstStepMs: number | undefined;
}

export function noCounts(): SweepCounts {
  return { steps: 0, submits: 0, readbacks: 0, firstStepMs: undefined };
}

export interface SweepProgress {
  readonly done: number;
  readonly total: number;
  /** Metrics as last read from the GPU; `undefined` if the plan has none. */
  readonly metrics: Figures | undefined;
  /** Whether this was told before, with figures that may be older. */
  readonly repeated: boolean;
}

/** Part of an `AbortSignal` that is read. */
export type Stop = Pick<AbortSignal, "aborted">;

/** Pause of a sweep between two submits. */
export interface Pause {
  readonly paused: boolean;
  /** Resolves when the sweep may go on or is to end. Call it when nothing is in flight. */
  hold(): Promise<void>;
}

export interface SweepSettings {
  readonly batchSize: number;
  readonly stepsPerExecution: number | "auto";
  /** Longest time of a submit, in ms. */
  readonly submitMs: number;
  readonly signal?: Stop | undefined;
  /** Promise that resolves when the app is no longer waited for. */
  readonly ended?: Promise<unknown> | undefined;
  readonly pause?: Pause | undefined;
  /** Policy of reading metrics. Default: now and then. */
  readonly reads?: ReadPolicy;
  /** Called before each submit with the number of steps before it. With it, one submit is under way at a time. */
  readonly onBegin?: ((made: number) => void | Promise<void>) | undefined;
  /** Called after each submit, in their order. */
  readonly onProgress?: ((progress: SweepProgress) => void | Promise<void>) | undefined;
}

/** Batch of a stream, in a slot of its own. */
export interface SweepBatch {
  /** Step, bound to the slot. */
  readonly run: BoundPlan;
  /** State in which the step begins. */
  readonly start: GPUBuffer;
  /** Keeps the slot until its step is done. */
  busyUntil(done: Promise<unknown>): void;
}

export interface Sweep
  extends Pick<SweepSettings, "batchSize" | "signal" | "pause" | "reads" | "onBegin" | "onProgress"> {
  readonly runtime: Runtime;
  /** Step that is repeated. */
  readonly run: BoundPlan | undefined;
  /** Gives each step's batch in place of `run` and `start`; `undefined` at the end. Each is a submit. */
  readonly next?: () => Promise<SweepBatch | undefined>;
  readonly cursor: Cursor;
  /** Makes figures of the metrics' bytes; `undefined` if the plan adds up nothing. Metrics are cleared at the beginning. */
  readonly decode: ((bytes: ArrayBuffer) => Figures) | undefined;
  /** Throws if the sweep cannot go on. */
  readonly assertLive: () => void;
  /** Gives a promise that the next submit must wait for, if there is one. */
  readonly hold: () => Promise<unknown> | undefined;
  /** Steps that were made before. If it is not 0, the sweep goes on where it stopped. Default 0. */
  readonly from?: number | undefined;
  /** Called with the number of submitted steps, right after each submit. */
  readonly onSubmitted?: ((steps: number) => void) | undefined;
  readonly samples: number;
  /** Records further work after the last step, in its submit. */
  readonly last?: ((encoder: GPUCommandEncoder) => void) | undefined;
  /** Step to end with. Default: the one that ends the samples. */
  readonly until?: number;
  /** State in which the sweep begins (`sweepStart`): words, which are written, or a buffer, which is copied. */
  readonly start: Uint32Array<ArrayBuffer> | GPUBuffer | undefined;
  /** Counts to which the sweep's cost is added as it goes, so that they are right when a callback throws. */
  readonly counts: SweepCounts;
  readonly pace: Pace;
}

/**
 * Runs a plan over all samples: records several steps into one pass, submits, and goes on while the device works. The device keeps the
 * place in the data, the number of the step and the metrics. So a step writes and makes nothing.
 *
 * @returns the metrics over all samples, or over those that were done when `signal` stopped it
 */
export async function sweep(options: Sweep): Promise<Figures | undefined> {
  const { runtime, cursor, decode, counts, pace, pause, signal, next, from = 0 } = options;
  const { device } = runtime;
  const { until: total = Math.ceil(options.samples / options.batchSize) } = options;
  const { reads = "now and then", onBegin } = options;
  const reader = decode && new MetricsReader(runtime, cursor.metrics, cursor.ring, reads, decode);
  /** Submits under way, each with the steps that are done when it is, and the read of its metrics if they are to be its own. */
  const waiting: { readonly completed: Promise<number>; readonly own: Promise<Figures> | undefined }[] = [];
  let made = from;
  let batch: SweepBatch | undefined;
  let [begun, told] = [from - 1, from];
  const tell = async (done: number, metrics: Figures | undefined) => {
    const repeated = done === told;
    told = done;
    await options.onProgress?.({ done, total, metrics, repeated });
  };
  const first = async () => {
    const { completed, own } = waiting.shift()!;
    const done = await completed;
    const exact = await own;
    await reader?.first();
    await tell(done, exact ?? reader?.latest);
  };
  try {
    while (made < total && !signal?.aborted) {
      if (pause?.paused) {
        while (waiting.length > 0) await first();
        if (signal?.aborted) continue;
        await pause.hold();
        options.assertLive();
        continue;
      }
      if (next && !batch) {
        batch = await next();
        if (!batch) break;
        continue;
      }
      if (onBegin && begun < made) {
        while (waiting.length > 0) await first();
        if (signal?.aborted) continue;
        await onBegin(made);
        begun = made;
        continue;
      }
      const held = options.hold();
      if (held) {
        await held;
        continue;
      }
      options.assertLive();
      const run = batch?.run ?? options.run!;
      const start = batch ? batch.start : made === 0 && options.start;
      const steps = Math.min(pace.steps, total - made);
      const after = made + steps;
      let read: { start(): Promise<Figures> } | undefined;
      let ticket: Ticket;
      const submitted = inErrorScope(runtime, run.plan.name, () => {
        const encoder = device.createCommandEncoder({ label: run.plan.name });
        if (start) begin(options, encoder, start, made === 0);
        const pass = encoder.beginComputePass({ label: run.plan.name });
        for (let i = 0; i < steps; i++) run.encode(pass);
        pass.end();
        read = after < total ? reader?.record(encoder, after) : reader?.recordLast(encoder);
        if (after === total) options.last?.(encoder);
        ticket = pace.submitted(steps);
        device.queue.submit([encoder.finish()]);
      });
      made = after;
      options.onSubmitted?.(made);
      counts.steps += steps;
      counts.submits++;
      const figures = read?.start();
      const completed = Promise.all([runtime.completions.submitted(), submitted]).then(() => {
        counts.firstStepMs ??= performance.now() - ticket.time;
        pace.completed(ticket);
        return after;
      });
      // It is awaited in its turn, from which a callback may keep the loop for long.
      completed.catch(() => {});
      batch?.busyUntil(completed);
      batch = undefined;
      waiting.push({ completed, own: reads === "exact" ? figures : undefined });
      while (waiting.length >= pace.inFlight && made < total) await first();
    }
    // The last one is told with the figures of all.
    while (waiting.length > 1) await first();
    await waiting[0]?.completed;
    options.assertLive();
    const metrics = made > 0 ? await reader?.last() : undefined;
    if (made > from) await tell(made, metrics);
    return metrics;
  } finally {
    await Promise.allSettled(waiting.map(({ completed }) => completed));
    counts.readbacks += reader?.count ?? 0;
    await reader?.settled();
  }
}

function begin(
  { runtime, cursor, decode }: Sweep,
  encoder: GPUCommandEncoder,
  start: Uint32Array<ArrayBuffer> | GPUBuffer,
  first: boolean,
): void {
  const at = sweepStartOffset();
  if (start instanceof Uint32Array) runtime.device.queue.writeBuffer(cursor.state, at, start);
  else encoder.copyBufferToBuffer(start, 0, cursor.state, at, start.size);
  if (decode && first) for (const metric of cursor.metrics) encoder.clearBuffer(metric);
}
