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
 * Largest needs choose first, and each takes the smallest buffer that is free while it lives. Returns the buffers' sizes
 * and, for each need, its buffer.
 */
export function shareBuffers(needs: readonly Interval[]): { sizes: number[]; bufferOf: number[] } {
  const sizes: number[] = [];
  const tenants: Interval[][] = [];
  const bufferOf = new Array<number>(needs.length);
  const order = needs.map((_, i) => i).sort((a, b) => needs[b]!.bytes - needs[a]!.bytes || a - b);
  for (const i of order) {
    const need = needs[i]!;
    const free = sizes
      .map((_, buffer) => buffer)
      .filter((buffer) => tenants[buffer]!.every((other) => other.last < need.first || need.last < other.first));
    const best = free.sort((a, b) => sizes[a]! - sizes[b]! || a - b)[0] ?? sizes.length;
    if (best === sizes.length) {
      sizes.push(need.bytes);
      tenants.push([]);
    }
    tenants[best]!.push(need);
    bufferOf[i] = best;
  }
  return { sizes, bufferOf };
}

/**
 * For each need of a plan, the buffer of another plan that it can use too, or `undefined` where a new one must be made: the
 * largest needs choose first, and each takes the smallest that holds it. Sizes in bytes.
 */
export function shareAcross(buffers: readonly number[], needs: readonly number[]): (number | undefined)[] {
  const free = buffers.map((_, i) => i).sort((a, b) => buffers[a]! - buffers[b]! || a - b);
  const chosen = new Array<number | undefined>(needs.length).fill(undefined);
  for (const i of needs.map((_, need) => need).sort((a, b) => needs[b]! - needs[a]! || a - b)) {
    const place = free.findIndex((buffer) => buffers[buffer]! >= needs[i]!);
    if (place >= 0) chosen[i] = free.splice(place, 1)[0];
  }
  return chosen;
}
