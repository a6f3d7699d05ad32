import type { MemoryMode } from "../graph/tile.ts";

/** What the slices of one sum may hold together, in bytes. */
const MOST_PARTIAL_BYTES: Readonly<Record<MemoryMode, number>> = { fast: Number.POSITIVE_INFINITY, compact: 512_000 };

/** The most slices of a product of m rows and n columns. */
export function mostSlices(memory: MemoryMode, { m, n }: { readonly m: number; readonly n: number }): number {
  return Math.max(1, Math.floor(MOST_PARTIAL_BYTES[memory] / (4 * m * n)));
}

/** A buffer-sized need within a step: written and read between two steps of the plan, both included. */
export interface Interval {
  readonly bytes: number;
  readonly first: number;
  readonly last: number;
}

/**
 * Lets needs that are never live together share whole buffers. Whole ones, since WebGPU lets no dispatch read and write
 * one buffer: a need that ends at step i cannot share with one that begins there.
 *
 * Largest needs choose first, and each takes the smallest buffer that holds it and is free while it lives: one that is `known`,
 * or one made for a larger need. Returns the buffers' sizes, the known ones first, and, for each need, its buffer.
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
