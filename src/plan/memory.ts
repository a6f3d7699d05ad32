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
