import { seedOf, uniform } from "../../src/base/random.ts";

/** What dropout multiplies each of `size` numbers by in a step, counted from 0: 1 / (1 - rate), or 0 for a share `rate`. */
export function dropoutMask(
  size: number,
  call: { rate: number; seed: number; layer: string; step: number },
): Float64Array {
  const { rate, seed, layer, step } = call;
  const stream = seedOf(seed, ...Array.from(layer, (sign) => sign.codePointAt(0)!), step);
  return Float64Array.from({ length: size }, (_, i) => (uniform(stream, i) < rate ? 0 : 1 / (1 - rate)));
}
