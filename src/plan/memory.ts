import type { MemoryMode } from "../graph/tile.ts";

/** Most bytes of all slices of one sum. Set by hand on 2026-11-24, not measured. */
const MAX_PARTIAL_BYTES: Readonly<Record<MemoryMode, number>> = { fast: Number.POSITIVE_INFINITY, compact: 512_000 };

/** Most slices of a product of m rows and n columns. */
export function maxSlices(memory: MemoryMode, { m, n }: { readonly m: number; readonly n: number }): number {
  return Math.max(1, Math.floor(MAX_PARTIAL_BYTES[memory] / (4 * m * n)));
}

/** Interval in which a buffer is needed: from one step of the plan to another, both included. */
export interface Interval {
  readonly bytes: number;
  readonly first: number;
  readonly last: number;
}

/**
 * Lets needs share buffers that are never live together. Whole buffers are shared, since WebGPU lets no dispatch read and write one
 * buffer. For the same reason a need that ends at step i cannot share with one that begins there.
 *
 * The largest needs choose first. Each takes the smallest buffer that holds it and is free while it lives: a `known` one, or one
 * made for a larger need.
 *
 * @returns the buffers' sizes, the known ones first, and for each need its buffer
 */
export function shareBuffers(
  needs: readonly Interval[],
  known: readonly number[] = [],
): { sizes: number[]; bufferOf: number[] } {
  const sizes = [...known];
  const tenants: Interval[][] = sizes.map(() => []);
  const bufferOf = new Array<number>(needs.length);
  const order = needs.map((_, i) => i).sort((a, b) => needs[b]!.bytes - needs[a]!.bytes || a - b);
  for (const i of order) {
    const need = needs[i]!;
    let best = sizes.length;
    sizes.forEach((bytes, buffer) => {
      if (
        bytes >= need.bytes &&
        !(bytes >= sizes[best]!) &&
        tenants[buffer]!.every((other) => other.last < need.first || need.last < other.first)
      )
        best = buffer;
    });
    if (best === sizes.length) {
      sizes.push(need.bytes);
      tenants.push([]);
    }
    tenants[best]!.push(need);
    bufferOf[i] = best;
  }
  return { sizes, bufferOf };
}
