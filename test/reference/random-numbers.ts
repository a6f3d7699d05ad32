import { seedOf, uniform } from "../../src/base/random.ts";

/** Draws of the op `random`: `size` numbers of a node in a step, counted from 0. */
export function draws(
  size: number,
  call: { distribution: "uniform" | "normal"; seed: number; node: string; step: number },
): Float64Array {
  const { distribution, seed, node, step } = call;
  const stream = seedOf(seed, ...Array.from(node, (sign) => sign.codePointAt(0)!), step);
  // 24 bits of each hash.
  const of = (part: number, i: number) => Math.floor(uniform(part, i) * 2 ** 24) / 2 ** 24;
  // `seedOf` goes on from a seed that it has made: mix(mix(seed + 0x9e3779b9) ^ 1).
  const second = mixed(stream, 1);
  return Float64Array.from({ length: size }, (_, i) => {
    if (distribution === "uniform") return of(stream, i);
    return Math.sqrt(-2 * Math.log(1 - of(stream, i))) * Math.cos(2 * Math.PI * of(second, i));
  });
}

function mix(x: number): number {
  let h = x >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
  h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
  return (h ^ (h >>> 16)) >>> 0;
}

/** Seed of a seed that `seedOf` has made and one more part. */
export function mixed(seed: number, part: number): number {
  return mix(mix(seed + 0x9e3779b9) ^ part);
}
