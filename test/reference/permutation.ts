/** The order of an epoch that `begin_step.wgsl` makes, with numbers beyond 32 bits in mind: every product is a BigInt's. */

const WORD = (1n << 32n) - 1n;

function scramble(x: bigint): bigint {
  let h = x & WORD;
  h = ((h ^ (h >> 16n)) * 0x7feb352dn) & WORD;
  h = ((h ^ (h >> 15n)) * 0x846ca68bn) & WORD;
  return h ^ (h >> 16n);
}

/** Samples 0 to n - 1 in the order of a key: six Feistel rounds over the least power of 4 that is not below n. */
export function feistelOrder(n: number, key: number): number[] {
  let halfBits = 0n;
  while (4n ** halfBits < BigInt(n)) halfBits++;
  const mask = (1n << halfBits) - 1n;
  const once = (x: bigint) => {
    let [left, right] = [x >> halfBits, x & mask];
    for (let round = 0n; round < 6n; round++) {
      const hash = scramble(scramble(right + round * 0x9e3779b9n) ^ BigInt(key >>> 0));
      [left, right] = [right, left ^ (hash & mask)];
    }
    return (left << halfBits) | right;
  };
  return Array.from({ length: n }, (_, i) => {
    let x = once(BigInt(i));
    while (x >= n) x = once(x);
    return Number(x);
  });
}
