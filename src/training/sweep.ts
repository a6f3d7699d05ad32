import { checked } from "../gpu/checked.ts";
import type { ReadbackRing } from "../gpu/readback.ts";
import type { Runtime } from "../gpu/runtime.ts";
import { sweepStartAt } from "../graph/step-state.ts";
import type { BoundPlan } from "../plan/executable.ts";
import { MetricsReader, type SweepMetrics, type When } from "./metrics-reader.ts";
import type { Pace, Ticket } from "./pace.ts";

/** Where a sweep keeps its place in the data and its metrics, and how it reads them. */
export interface SweepPlace {
  readonly state: GPUBuffer;
  readonly metrics: GPUBuffer;
  readonly ring: ReadbackRing;
}

/** What a sweep asked of the device. */
export interface SweepCounts {
  steps: number;
  submits: number;
  readbacks: number;
  /** From the submit of the first step to its completion, in ms. */
  firstStepMs: number | undefined;
}

export function noCounts(): SweepCounts {
  return { steps: 0, submits: 0, readbacks: 0, firstStepMs: undefined };
}

export interface SweepProgress {
  readonly done: number;
  readonly total: number;
  /** As last read from the GPU; `undefined` where the plan has none. */
  readonly metrics: SweepMetrics | undefined;
}

/** An `AbortSignal`, or as much of one as is asked. */
export type Stop = Pick<AbortSignal, "aborted">;

/** What stops a sweep between two submits. */
export interface Pause {
  readonly paused: boolean;
  /** Resolves when the sweep may go on or is to end; nothing of it is in flight. */
  hold(): Promise<void>;
}

export interface SweepSettings {
  readonly batchSize: number;
  /** What samples are multiplied by. */
  readonly scale: number;
  readonly stepsPerExecution: number | "auto";
  /** The longest that a submit should take, in ms. */
  readonly submitMs: number;
  readonly signal?: Stop | undefined;
  /** Resolves when nobody is to wait for the app any more. */
  readonly ended?: Promise<unknown> | undefined;
  readonly pause?: Pause | undefined;
  /** Default: now and then. */
  readonly reads?: When;
  readonly onProgress?: ((progress: SweepProgress) => void | Promise<void>) | undefined;
}

export interface Sweep extends Pick<SweepSettings, "batchSize" | "signal" | "pause" | "reads" | "onProgress"> {
  readonly runtime: Runtime;
  readonly run: BoundPlan;
  readonly place: SweepPlace;
  /** Whether the plan adds up metrics, as a prediction does not. They are cleared, read a few times, and at the end. */
  readonly withMetrics: boolean;
  /** Throws where the sweep cannot go on. */
  readonly assertLive: () => void;
  /** What the next submit must wait for. */
  readonly hold: () => Promise<unknown> | undefined;
  /** Steps that were made before, and what is made from now on: where it is not 0, the sweep goes on where it stopped. */
  readonly at?: { steps: number } | undefined;
  readonly samples: number;
  /** Records what is to follow the last step in its submit. */
  readonly last?: ((encoder: GPUCommandEncoder) => void) | undefined;
  /** The step to end with. Default: the one that ends the samples. */
  readonly until?: number;
  /** The state in which the sweep begins (`sweepStart`): words, which are written, or a buffer, which is copied. */
  readonly start: Uint32Array<ArrayBuffer> | GPUBuffer;
  /** What the sweep costs is added here as it goes, so that it is known where a callback throws, too. */
  readonly counts: SweepCounts;
  readonly pace: Pace;
}

/**
 * Runs a plan over all samples: records several steps into one pass, submits, and goes on while the device works. The
 * device keeps the place in the data, the number of the step and the metrics, so a step writes and makes nothing.
 *
 * @returns the metrics over all samples (those done, where `signal` stopped it)
 */
export async function sweep(options: Sweep): Promise<SweepMetrics | undefined> {
  const { runtime, run, place, counts, pace, pause, signal, at = { steps: 0 } } = options;
  const { device } = runtime;
  const { until: total = Math.ceil(options.samples / options.batchSize) } = options;
  const { withMetrics, reads = "now and then" } = options;
  const reader = withMetrics ? new MetricsReader(runtime, place.metrics, place.ring, reads) : undefined;
  /** Submits under way, each with the steps that are done when it is. */
  const waiting: Promise<number>[] = [];
  let made = at.steps;
  const first = async () => {
    const done = (await waiting.shift())!;
    await reader?.first();
    await options.onProgress?.({ done, total, metrics: reader?.latest });
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
      const held = options.hold();
      if (held) {
        await held;
        continue;
      }
      options.assertLive();
      const steps = Math.min(pace.steps, total - made);
      const after = made + steps;
      let read: { start(): void } | undefined;
      let ticket: Ticket;
      const submitted = checked(runtime, run.plan.name, () => {
        const encoder = device.createCommandEncoder({ label: run.plan.name });
        if (made === 0) begin(options, encoder);
        const pass = encoder.beginComputePass({ label: run.plan.name });
        for (let i = 0; i < steps; i++) run.encode(pass);
        pass.end();
        read = after < total ? reader?.record(encoder, after) : reader?.recordLast(encoder);
        if (after === total) options.last?.(encoder);
        ticket = pace.submitted(steps);
        device.queue.submit([encoder.finish()]);
      });
      made = after;
      at.steps = made;
      counts.steps += steps;
      counts.submits++;
      read?.start();
      const completed = Promise.all([runtime.completions.submitted(), submitted]).then(() => {
        counts.firstStepMs ??= performance.now() - ticket.time;
        pace.completed(ticket);
        return after;
      });
      // Awaited in its turn; a callback may keep the loop from it for long.
      completed.catch(() => {});
      waiting.push(completed);
      while (waiting.length >= pace.inFlight) await first();
    }
    await Promise.all(waiting);
    options.assertLive();
    const metrics = made > 0 ? await reader?.last() : undefined;
    await options.onProgress?.({ done: made, total, metrics });
    return metrics;
  } finally {
    await Promise.allSettled(waiting);
    counts.readbacks += reader?.count ?? 0;
    await reader?.settled();
  }
}

function begin({ runtime, place, start, withMetrics }: Sweep, encoder: GPUCommandEncoder): void {
  const at = sweepStartAt();
  if (start instanceof Uint32Array) runtime.device.queue.writeBuffer(place.state, at, start);
  else encoder.copyBufferToBuffer(start, 0, place.state, at, start.size);
  if (withMetrics) encoder.clearBuffer(place.metrics);
}
