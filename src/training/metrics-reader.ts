import { checked } from "../gpu/checked.ts";
import type { PendingRead, ReadbackRing } from "../gpu/readback.ts";
import type { Runtime } from "../gpu/runtime.ts";
import { metricsLayout } from "./metrics-layout.ts";

/** Running figures of a sweep. */
export interface SweepMetrics {
  /** Mean over the samples so far. */
  readonly loss: number;
  readonly accuracy: number;
  readonly samples: number;
  /** The first step, counted from 1, whose loss is a NaN or infinite; 0 where there is none. */
  readonly badStep: number;
}

/** Metrics are read back at most every so many steps and milliseconds. */
const READ_STEPS = 16;
const READ_MS = 250;

/** When metrics are read: with each submit as long as a buffer is free, with the first and then now and then, or only so. */
export type When = "always" | "at once" | "now and then";

/** Reads the running metrics now and then, without ever making the loop wait. */
export class MetricsReader {
  latest: SweepMetrics | undefined;
  count = 0;
  readonly #runtime: Runtime;
  readonly #source: GPUBuffer;
  readonly #ring: ReadbackRing;
  readonly #reading = new Set<Promise<void>>();
  #final: Promise<void> | undefined;
  readonly #when: When;
  #lastStep = 0;
  #lastTime = performance.now();

  /** The ring's buffers are all free. */
  constructor(runtime: Runtime, source: GPUBuffer, ring: ReadbackRing, when: When) {
    this.#runtime = runtime;
    this.#source = source;
    this.#ring = ring;
    this.#when = when;
  }

  /** Resolves once something was read, where the first is to be read at once. */
  async first(): Promise<void> {
    if (!this.latest && this.#when !== "now and then") await Promise.all(this.#reading);
  }

  /** Records a copy where it is time for one, and leaves a buffer for the last; `start` it once the encoder is submitted. */
  record(encoder: GPUCommandEncoder, steps: number): { start(): void } | undefined {
    const now = performance.now();
    const soon = steps - this.#lastStep < READ_STEPS || now - this.#lastTime < READ_MS;
    const wanted = this.#when === "always" || (this.#when === "at once" && this.count === 0);
    if (soon && !wanted) return undefined;
    const pending = this.#ring.record(encoder, this.#source, 1);
    if (!pending) return undefined;
    this.#lastStep = steps;
    this.#lastTime = now;
    return { start: () => void this.#follow(pending) };
  }

  /** Records the copy that `last` returns. */
  recordLast(encoder: GPUCommandEncoder): { start(): void } {
    const pending = this.#ring.record(encoder, this.#source)!;
    return {
      start: () => {
        this.#final = this.#follow(pending);
      },
    };
  }

  /** The metrics as they are when everything submitted is done. */
  async last(): Promise<SweepMetrics> {
    if (!this.#final) {
      let read: { start(): void };
      const copied = checked(this.#runtime, "metrics", () => {
        const encoder = this.#runtime.device.createCommandEncoder({ label: "metrics" });
        read = this.recordLast(encoder);
        this.#runtime.device.queue.submit([encoder.finish()]);
      });
      read!.start();
      await copied;
    }
    await Promise.all(this.#reading);
    await this.#final;
    return this.latest!;
  }

  async settled(): Promise<void> {
    await Promise.allSettled(this.#reading);
  }

  #follow(pending: PendingRead): Promise<void> {
    this.count++;
    const reading = pending.read().then((bytes) => {
      this.latest = decodeMetrics(bytes);
    });
    this.#reading.add(reading);
    // A lost device shows in `last`; here it must not become an unhandled rejection.
    reading.catch(() => {}).then(() => this.#reading.delete(reading));
    return reading;
  }
}

/** Running figures, out of the metrics' bytes. */
export function decodeMetrics(bytes: ArrayBuffer): SweepMetrics {
  const { loss_high, loss_low, hits, samples, bad_step } = metricsLayout().read(bytes);
  return { loss: (loss_high + loss_low) / samples, accuracy: hits / samples, samples, badStep: bad_step };
}
