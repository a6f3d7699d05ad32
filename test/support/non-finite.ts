import { randomArray } from "../reference/random.ts";

/** NaN with its sign clear and set, as processors make them of inf - inf, and both infinities. */
export const NON_FINITE = {
  NaN: 0x7fc00000,
  "negative NaN": 0xffc00000,
  Infinity: 0x7f800000,
  "-Infinity": 0xff800000,
} as const;

export type NonFinite = keyof typeof NON_FINITE;

export const nonFinite = Object.keys(NON_FINITE) as NonFinite[];

/** Numbers as float32, with those bits at the given places. Nothing but bits is moved, so that a NaN keeps its sign. */
export function withBits(values: ArrayLike<number>, kind: NonFinite, places: readonly number[]): Float32Array {
  const made = Float32Array.from(values);
  const words = new Uint32Array(made.buffer);
  for (const at of places) words[at] = NON_FINITE[kind];
  return made;
}

/** The first, a middle and the last place of a row, which are all places of a vec4 where rows are long enough. */
export function placesOf(length: number): number[] {
  return [...new Set([0, 1, 2, 3, Math.floor(length / 2), length - 2, length - 1])].filter(
    (at) => at >= 0 && at < length,
  );
}

/** `size` random numbers, one kind of non-finite ones at the places of a row. */
export function sprinkled(size: number, seed: number, kind: NonFinite): Float32Array {
  return withBits(randomArray(size, seed), kind, placesOf(size));
}
