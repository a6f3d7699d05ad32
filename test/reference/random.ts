/** Seeded test data: the same seed gives the same values on every machine. */

/** mulberry32 (Tommy Ettinger, public domain): uniform in [0, 1) by steps of 2^-32. */
function mulberry32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/**
 * Uniform values between `low` and `high`, each rounded to float32 and widened again: a GPU buffer can hold exactly
 * what the reference computes with, so a difference is the kernel's and not the upload's.
 */
export function randomArray(length: number, seed: number, low = -1, high = 1): Float64Array {
  const next = mulberry32(seed);
  return Float64Array.from({ length }, () => Math.fround(low + (high - low) * next()));
}

/** Uniform whole numbers from 0 to below - 1: class labels, row indices. */
export function randomIntegers(length: number, seed: number, below: number): Int32Array {
  const next = mulberry32(seed);
  return Int32Array.from({ length }, () => Math.floor(next() * below));
}
