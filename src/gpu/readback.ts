import { type BufferRequest, type OwnedBuffer, STAGING } from "./buffers.ts";
import { inErrorScope } from "./error-scope.ts";
import type { Runtime } from "./runtime.ts";

/** Recorded copy. `read` maps it, after the encoder was submitted. */
export interface PendingRead {
  read(): Promise<ArrayBuffer>;
}

/**
 * Ring of staging buffers of one size, which take turns. So a copy can be recorded while earlier ones are still being read, and a
 * running loop makes no buffer.
 */
export class ReadbackRing {
  readonly #runtime: Runtime;
  readonly #bytes: number;
  readonly #free: OwnedBuffer[];
  readonly #all: readonly OwnedBuffer[];
  readonly #reading = new Set<OwnedBuffer>();
  #disposed = false;

  /** Makes a ring of the buffers that were made for `requests`. */
  constructor(runtime: Runtime, bytes: number, buffers: readonly OwnedBuffer[]) {
    this.#runtime = runtime;
    this.#bytes = bytes;
    this.#all = buffers;
    this.#free = [...buffers];
  }

  /** Gives the requests for a ring of so many buffers. */
  static requests(bytes: number, depth: number): BufferRequest[] {
    return Array.from({ length: depth }, (_, i) => ({ label: `readback ${i}`, bytes, usage: STAGING }));
  }

  /**
   * Records a copy of buffers, one after the other, or returns `undefined` where no more than `spare` staging buffers are free. The
   * last of them may be longer than what is left of the staging buffer.
   */
  record(encoder: GPUCommandEncoder, sources: readonly GPUBuffer[], spare = 0): PendingRead | undefined {
    if (this.#free.length <= spare) return undefined;
    const staging = this.#free.shift()!;
    let at = 0;
    for (const source of sources) {
      const bytes = Math.min(source.size, this.#bytes - at);
      encoder.copyBufferToBuffer(source, 0, staging.buffer, at, bytes);
      at += bytes;
    }
    return { read: () => this.#read(staging) };
  }

  /** Frees the buffers. Those that are being read are freed afterwards. */
  dispose(): void {
    this.#disposed = true;
    for (const owned of this.#all) if (!this.#reading.has(owned)) owned.release();
  }

  async #read(staging: OwnedBuffer): Promise<ArrayBuffer> {
    this.#reading.add(staging);
    try {
      await this.#runtime.completions.mapped(staging.buffer);
      const copy = staging.buffer.getMappedRange().slice(0);
      staging.buffer.unmap();
      return copy;
    } finally {
      this.#reading.delete(staging);
      this.#free.push(staging);
      if (this.#disposed) staging.release();
    }
  }
}

export interface ReadOptions {
  /** Throws if the buffers' owner is gone by then. */
  readonly assertLive?: () => void;
  /** Most bytes of the staging buffer. Larger buffers are read piece by piece, each in a submit of its own. Default: no bound. */
  readonly maxBytes?: number;
}

/** Part of a buffer on its way through the staging buffer. */
interface Piece {
  readonly source: number;
  readonly from: number;
  readonly bytes: number;
  readonly to: number;
}

/** Copies buffers back to the caller. If `maxBytes` allows it, one submit copies all of them, so that they are of one moment. */
export async function readBuffers(
  runtime: Runtime,
  sources: readonly { buffer: GPUBuffer; bytes: number; offset?: number }[],
  { assertLive = () => runtime.assertLive(), maxBytes = Number.POSITIVE_INFINITY }: ReadOptions = {},
): Promise<ArrayBuffer[]> {
  assertLive();
  if (sources.length === 0) return [];
  const most = Math.min(maxBytes, runtime.device.limits.maxBufferSize);
  const rounds = cutIntoRounds(
    sources.map(({ bytes }) => bytes),
    most,
  );
  const results = sources.map(({ bytes }) => new Uint8Array(bytes));
  const bytes = Math.max(...rounds.map((round) => round.reduce((sum, piece) => sum + piece.bytes, 0)));
  const staging = await runtime.buffers.createOne({ label: "read", bytes, usage: STAGING });
  try {
    for (const round of rounds) {
      assertLive();
      const copied = inErrorScope(runtime, "read", () => {
        const encoder = runtime.device.createCommandEncoder({ label: "read" });
        for (const { source, from, to, bytes } of round)
          encoder.copyBufferToBuffer(
            sources[source]!.buffer,
            (sources[source]!.offset ?? 0) + from,
            staging.buffer,
            to,
            bytes,
          );
        runtime.device.queue.submit([encoder.finish()]);
      });
      await Promise.all([copied, runtime.completions.mapped(staging.buffer)]);
      const mapped = staging.buffer.getMappedRange();
      for (const { source, from, to, bytes } of round) results[source]!.set(new Uint8Array(mapped, to, bytes), from);
      staging.buffer.unmap();
    }
    return results.map(({ buffer }) => buffer);
  } finally {
    staging.release();
  }
}

/** Cuts buffers of these sizes into pieces, and groups those into rounds of at most `most` bytes. All sizes are multiples of 4. */
export function cutIntoRounds(sizes: readonly number[], most: number): Piece[][] {
  const rounds: Piece[][] = [[]];
  let filled = 0;
  sizes.forEach((size, source) => {
    for (let from = 0; from < size; ) {
      if (filled + 4 > most) {
        rounds.push([]);
        filled = 0;
      }
      const bytes = Math.min(size - from, Math.floor((most - filled) / 4) * 4);
      rounds.at(-1)!.push({ source, from, bytes, to: filled });
      from += bytes;
      filled += bytes;
    }
  });
  return rounds;
}
