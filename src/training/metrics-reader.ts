import { inErrorScope } from "../gpu/error-scope.ts";
import type { PendingRead, ReadbackRing } from "../gpu/readback.ts";
import type { Runtime } from "../gpu/runtime.ts";
import type { Figures } from "../program/measures.ts";

/** Metrics are read back at most every so many steps and milliseconds. */
const READ_STEPS = 16;
const READ_MS = 250;

/**
 * Policy of reading metrics: with each submit, which is told once its own are read; with each submit if a buffer is free; with the first and
 * then now and then; or only now and then.
 */
export type ReadPolicy = "exact" | "always" | "at once" | "now and then";

/** Reader of a sweep's metrics. It never makes the loop wait. */
export class MetricsReader {
  latest: Figures | undefined;
  count = 0;
  readonly #runtime: Runtime;
  readonly #sources: readonly GPUBuffer[];
  readonly #ring: ReadbackRing;
  readonly #reading = new Set<Promise<Figures>>();
  #final: Promise<Figures> | undefined;
  readonly #policy: ReadPolicy;
  readonly #decode: (bytes: ArrayBuffer) => Figures;
  #lastStep = 0;
  #lastTime = performance.now();

  /** @param ring Ring whose buffers are all free. @param decode Makes figures of the bytes of all sources, one after the other. */
  constructor(
    runtime: Runtime,
    sources: readonly GPUBuffer[],
    ring: ReadbackRing,
    policy: ReadPolicy,
    decode: (bytes: ArrayBuffer) => Figures,
  ) {
    this.#runtime = runtime;
    this.#sources = sources;
    this.#ring = ring;
    this.#policy = policy;
    this.#decode = decode;
  }

  /** Resolves once something was read, if the first metrics are to be read at once. */
  async first(): Promise<void> {
    if (!this.latest && this.#policy !== "now and then") await Promise.all(this.#reading);
  }

  /** Records a copy if it is time for one, and leaves a buffer for the last. Call `start` once the encoder is submitted. */
  record(encoder: GPUCommandEncoder, steps: number): { start(): Promise<Figures> } | undefined {
    const now = performance.now();
    const soon = steps - this.#lastStep < READ_STEPS || now - this.#lastTime < READ_MS;
    const policy = this.#policy;
    const wanted = policy === "exact" || policy === "always" || (policy === "at once" && this.count === 0);
    if (soon && !wanted) return undefined;
    const pending = this.#ring.record(encoder, this.#sources, 1);
    if (!pending) return undefined;
    this.#lastStep = steps;
    this.#lastTime = now;
    return { start: () => this.#follow(pending) };
  }

  /** Records the copy that `last` returns. */
  recordLast(encoder: GPUCommandEncoder): { start(): Promise<Figures> } {
    const pending = this.#ring.record(encoder, this.#sources)!;
    return {
      start: () => {
        this.#final = this.#follow(pending);
        return this.#final;
      },
    };
  }

  /** Gives the metrics when everything submitted is done. */
  async last(): Promise<Figures> {
    if (!this.#final) {
      let read: { start(): unknown };
      const copied = inErrorScope(this.#runtime, "metrics", () => {
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

  #follow(pending: PendingRead): Promise<Figures> {
    this.count++;
    const reading = pending.read().then((bytes) => {
      this.latest = this.#decode(bytes);
      return this.latest;
    });
    this.#reading.add(reading);
    // A lost device shows in `last`; here it must not become an unhandled rejection.
    reading.catch(() => {}).then(() => this.#reading.delete(reading));
    return reading;
  }
}
