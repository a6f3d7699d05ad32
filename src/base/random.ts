/**
 * Randomness without state: each number is a hash of a seed and a place. So any of them can be made again, in any order, on any
 * machine.
 */

/** Mixes the bits of a 32-bit number (Chris Wellons' lowbias32, https://nullprogram.com/blog/2018/07/31/). */
function mix(x: number): number {
  let h = x >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
  h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
  return (h ^ (h >>> 16)) >>> 0;
}

/** Makes one seed out of several whole numbers: `seedOf(seed, layer, parameter)`. */
export function seedOf(...parts: readonly number[]): number {
  return parts.reduce((seed, part) => mix(mix(seed + 0x9e3779b9) ^ part), 0);
}

/** Gives what `shaders/lib/hash.wgsl` makes a step's seed of: the seed of a seed and a name, plus what `seedOf` adds before a part. */
export function keyOf(seed: number, name: string): number {
  return (seedOf(seed, ...Array.from(name, (sign) => sign.codePointAt(0)!)) + 0x9e3779b9) >>> 0;
}

/** Gives the number at a place of a seed's stream, uniform in [0, 1). */
export function uniform(seed: number, index: number): number {
  return mix(mix(index) ^ seed) / 2 ** 32;
}

/** Gives the numbers from 0 to n - 1 in a random order (Fisher and Yates). */
export function permutation(n: number, seed: number): Uint32Array<ArrayBuffer> {
  const order = Uint32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor(uniform(seed, i) * (i + 1));
    const swapped = order[i]!;
    order[i] = order[j]!;
    order[j] = swapped;
  }
  return order;
}
