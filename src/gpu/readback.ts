import { type OwnedBuffer, STAGING } from "./buffers.ts";
import type { Runtime } from "./runtime.ts";

/** A copy that was recorded; `read` maps it, after the encoder was submitted. */
export interface PendingRead {
  read(): Promise<ArrayBuffer>;
}

/**
 * Staging buffers of one size that take turns, so that a copy can be recorded while earlier ones are still being read
 * and no buffer is made in a running loop.
 */
export class ReadbackRing {
  readonly #bytes: number;
  readonly #free: OwnedBuffer[];
  readonly #all: readonly OwnedBuffer[];

  private constructor(bytes: number, buffers: readonly OwnedBuffer[]) {
    this.#bytes = bytes;
    this.#all = buffers;
    this.#free = [...buffers];
  }

  static async create(runtime: Runtime, bytes: number, depth: number): Promise<ReadbackRing> {
    const requests = Array.from({ length: depth }, (_, i) => ({ label: `readback ${i}`, bytes, usage: STAGING }));
    return new ReadbackRing(bytes, await runtime.buffers.create(requests));
  }

  /** Records a copy, or returns `undefined` where all buffers are still being read. */
  record(encoder: GPUCommandEncoder, source: GPUBuffer): PendingRead | undefined {
    const staging = this.#free.shift();
    if (!staging) return undefined;
    encoder.copyBufferToBuffer(source, 0, staging.buffer, 0, this.#bytes);
    return {
      read: async () => {
        await staging.buffer.mapAsync(1); // GPUMapMode.READ
        const copy = staging.buffer.getMappedRange().slice(0);
        staging.buffer.unmap();
        this.#free.push(staging);
        return copy;
      },
    };
  }

  dispose(): void {
    for (const owned of this.#all) owned.release();
  }
}

/** Copies buffers back to the caller, all in one submit. `assertLive` throws where their owner is gone by then. */
export async function readBuffers(
  runtime: Runtime,
  sources: readonly { buffer: GPUBuffer; bytes: number }[],
  assertLive: () => void = () => runtime.assertLive(),
): Promise<ArrayBuffer[]> {
  assertLive();
  const staging = await runtime.buffers.create(
    sources.map(({ bytes }, i) => ({ label: `read ${i}`, bytes, usage: STAGING })),
  );
  try {
    assertLive();
    const encoder = runtime.device.createCommandEncoder({ label: "read" });
    sources.forEach(({ buffer, bytes }, i) => {
      encoder.copyBufferToBuffer(buffer, 0, staging[i]!.buffer, 0, bytes);
    });
    runtime.device.queue.submit([encoder.finish()]);
    await Promise.all(staging.map(({ buffer }) => buffer.mapAsync(1)));
    return staging.map(({ buffer }) => buffer.getMappedRange().slice(0));
  } finally {
    for (const owned of staging) owned.release();
  }
}
