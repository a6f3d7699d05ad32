import { seedOf, uniform } from "../../src/base/random.ts";
import { mixed } from "./random-numbers.ts";

interface DrawsCall {
  readonly batch: number;
  /** Rows in use. */
  readonly rows: number;
  readonly low: number;
  readonly high: number;
  readonly seed: number;
  readonly node: string;
  readonly step: number;
}

/** Draws of the op `mixDraws`. Partners are ranked by sorting, and weights are made of Student's t with 2 a degrees of freedom. */
export function mixDraws({ batch, rows, low, high, seed, node, step }: DrawsCall) {
  const stream = seedOf(seed, ...Array.from(node, (sign) => sign.codePointAt(0)!), step);
  const bits = (of: number, i: number) => Math.floor(uniform(of, i) * 2 ** 24) / 2 ** 24;
  const order = Array.from({ length: rows }, (_, r) => r).sort((a, b) => uniform(stream, a) - uniform(stream, b));
  const partners = Array.from({ length: batch }, (_, r) => (r < rows ? order.indexOf(r) : r));
  const a = low + (high - low) * bits(mixed(stream, 1), 0);
  const weights = Array.from({ length: batch }, (_, r) => {
    const [u, c] = [1 - bits(mixed(stream, 2), r), Math.cos(2 * Math.PI * bits(mixed(stream, 3), r))];
    const t = Math.sqrt(2 * a * (u ** (-1 / a) - 1)) * c;
    const share = Number.isFinite(t) ? t / Math.sqrt(2 * a + t * t) : Math.sign(t);
    return 0.5 + share / 2;
  });
  return { partners, weights };
}

/** Rows of the op `mixRows`. */
export function mixRows(x: ArrayLike<number>, partners: readonly number[], weights: readonly number[]): number[] {
  const size = x.length / partners.length;
  return Array.from({ length: x.length }, (_, e) => {
    const [r, at] = [Math.floor(e / size), e % size];
    return weights[r]! * x[e]! + (1 - weights[r]!) * x[partners[r]! * size + at]!;
  });
}

/** Images of the op `cutRows`, pixel by pixel. */
export function cutRows(
  x: ArrayLike<number>,
  [batch, height, width, channels]: readonly [number, number, number, number],
  { partners, weights, draws }: Readonly<Record<"partners" | "weights" | "draws", readonly number[]>>,
): number[] {
  const made: number[] = [];
  for (let r = 0; r < batch; r++) {
    const share = Math.sqrt(1 - weights[r]!);
    const [left, top] = [draws[2 * r]! * (1 - share) * width, draws[2 * r + 1]! * (1 - share) * height];
    for (let i = 0; i < height; i++)
      for (let j = 0; j < width; j++) {
        const inside = j >= left && j < left + share * width && i >= top && i < top + share * height;
        const row = inside ? partners[r]! : r;
        for (let c = 0; c < channels; c++) made.push(x[((row * height + i) * width + j) * channels + c]!);
      }
  }
  return made;
}
