import { type PendingRead, ReadbackRing } from "../gpu/readback.ts";
import type { Runtime } from "../gpu/runtime.ts";
import { sweepState } from "../graph/graph.ts";
import type { BoundPlan } from "../plan/executable.ts";
import { METRIC_WORDS } from "./programs.ts";

/** Running figures of a sweep. */
export interface SweepMetrics {
  /** Mean over the samples so far. */
  readonly loss: number;
  readonly accuracy: number;
  readonly samples: number;
}

/** What a sweep asked of the device. */
export interface SweepCounts {
  steps: number;
  submits: number;
  readbacks: number;
  /** From the submit of the first step to its completion, in ms. */
  firstStepMs: number | undefined;
}

export interface SweepProgress {
  readonly done: number;
  readonly total: number;
  /** As last read from the GPU; `undefined` before the first read. */
  readonly metrics: SweepMetrics | undefined;
}

export interface Sweep {
  readonly runtime: Runtime;
  readonly run: BoundPlan;
  readonly state: GPUBuffer;
  /** Cleared at the start; read a few times and at the end. None where the plan adds up none, as a prediction does not. */
  readonly metrics: GPUBuffer | undefined;
  /** Throws where the sweep cannot go on. */
  readonly assertLive: () => void;
  readonly samples: number;
  readonly batchSize: number;
  /** Optimizer steps made before. */
  readonly step: number;
  /** What the sweep costs is added here as it goes, so that it is known where a callback throws, too. */
  readonly counts: SweepCounts;
  readonly stepsPerExecution: number | "auto";
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: SweepProgress) => void | Promise<void>) | undefined;
}

/** Submits that may wait on the device: one runs while the next is recorded. */
const IN_FLIGHT = 2;
/** Metrics are read back at most every so many steps and milliseconds. */
const READ_STEPS = 16;
const READ_MS = 250;
/** What one submit should take, in ms: short enough to leave frames to a page. */
const SUBMIT_MS = { least: 15, most: 40 };
const MOST_STEPS = 64;

/**
 * Runs a plan over all samples: records several steps into one pass, submits, and goes on while the device works. The
 * device keeps the place in the data, the number of the step and the metrics, so a step writes and makes nothing.
 *
 * @returns the metrics over all samples (those done, where `signal` stopped it)
 */
export async function sweep(options: Sweep): Promise<SweepMetrics | undefined> {
  const { runtime, run, samples, batchSize, counts, signal } = options;
  const { queue } = runtime.device;
  const total = Math.ceil(samples / batchSize);
  const pace = new Pace(options.stepsPerExecution);
  const reader = options.metrics && (await MetricsReader.create(runtime, options.metrics));
  const waiting: Promise<void>[] = [];
  let made = 0;
  let done = 0;
  try {
    options.assertLive();
    queue.writeBuffer(options.state, 0, sweepState({ step: options.step, samples, batch: batchSize }));
    if (options.metrics) queue.writeBuffer(options.metrics, 0, new Uint32Array(METRIC_WORDS));
    while (made < total && !signal?.aborted) {
      options.assertLive();
      const steps = Math.min(pace.steps, total - made);
      const encoder = runtime.device.createCommandEncoder({ label: run.plan.name });
      const pass = encoder.beginComputePass({ label: run.plan.name });
      for (let i = 0; i < steps; i++) run.encode(pass);
      pass.end();
      made += steps;
      counts.steps += steps;
      const read = made < total ? reader?.record(encoder, made) : undefined;
      const submitted = performance.now();
      queue.submit([encoder.finish()]);
      counts.submits++;
      read?.start();
      waiting.push(
        queue.onSubmittedWorkDone().then(() => {
          done += steps;
          counts.firstStepMs ??= performance.now() - submitted;
          pace.finished(steps);
        }),
      );
      if (waiting.length >= IN_FLIGHT) {
        await waiting.shift();
        await options.onProgress?.({ done, total, metrics: reader?.latest });
      }
    }
    await Promise.all(waiting);
    options.assertLive();
    const metrics = await reader?.last();
    await options.onProgress?.({ done, total, metrics });
    return metrics;
  } finally {
    await Promise.allSettled(waiting);
    counts.readbacks += reader?.count ?? 0;
    await reader?.dispose();
  }
}

/** How many steps go into one submit: a fixed number, or what takes about as long as `SUBMIT_MS`. */
class Pace {
  steps: number;
  readonly #fixed: boolean;
  #last = performance.now();
  #warm = false;

  constructor(stepsPerExecution: number | "auto") {
    this.#fixed = stepsPerExecution !== "auto";
    this.steps = stepsPerExecution === "auto" ? 1 : stepsPerExecution;
  }

  finished(steps: number): void {
    const now = performance.now();
    const elapsed = now - this.#last;
    this.#last = now;
    // The first submit's time holds the driver's own warming up.
    if (!this.#fixed && this.#warm && steps === this.steps) {
      if (elapsed < SUBMIT_MS.least) this.steps = Math.min(MOST_STEPS, this.steps * 2);
      if (elapsed > SUBMIT_MS.most) this.steps = Math.max(1, Math.floor(this.steps / 2));
    }
    this.#warm = true;
  }
}

/** Reads the running metrics now and then, without ever making the loop wait. */
class MetricsReader {
  latest: SweepMetrics | undefined;
  count = 0;
  readonly #runtime: Runtime;
  readonly #source: GPUBuffer;
  readonly #ring: ReadbackRing;
  readonly #reading = new Set<Promise<void>>();
  #lastStep = 0;
  #lastTime = performance.now();

  private constructor(runtime: Runtime, source: GPUBuffer, ring: ReadbackRing) {
    this.#runtime = runtime;
    this.#source = source;
    this.#ring = ring;
  }

  static async create(runtime: Runtime, source: GPUBuffer): Promise<MetricsReader> {
    return new MetricsReader(runtime, source, await ReadbackRing.create(runtime, METRIC_WORDS * 4, IN_FLIGHT + 1));
  }

  /** Records a copy where it is time for one; `start` it once the encoder is submitted. */
  record(encoder: GPUCommandEncoder, steps: number): { start(): void } | undefined {
    const now = performance.now();
    if (steps - this.#lastStep < READ_STEPS || now - this.#lastTime < READ_MS) return undefined;
    const pending = this.#ring.record(encoder, this.#source);
    if (!pending) return undefined;
    this.#lastStep = steps;
    this.#lastTime = now;
    return { start: () => this.#follow(pending) };
  }

  /** The metrics as they are when everything submitted is done. */
  async last(): Promise<SweepMetrics> {
    await Promise.all(this.#reading);
    const encoder = this.#runtime.device.createCommandEncoder({ label: "metrics" });
    const pending = this.#ring.record(encoder, this.#source)!;
    this.#runtime.device.queue.submit([encoder.finish()]);
    await this.#follow(pending);
    return this.latest!;
  }

  async dispose(): Promise<void> {
    await Promise.allSettled(this.#reading);
    this.#ring.dispose();
  }

  #follow(pending: PendingRead): Promise<void> {
    this.count++;
    const reading = pending.read().then((bytes) => {
      this.latest = decode(bytes);
    });
    this.#reading.add(reading);
    // A lost device shows in `last`; here it must not become an unhandled rejection.
    reading.catch(() => {}).then(() => this.#reading.delete(reading));
    return reading;
  }
}

function decode(bytes: ArrayBuffer): SweepMetrics {
  const [lossSum] = new Float32Array(bytes, 0, 1);
  const [, hits, samples] = new Uint32Array(bytes);
  return { loss: lossSum! / samples!, accuracy: hits! / samples!, samples: samples! };
}
