// The least time that a card could take for a training step: its roofline.

import { stepFlop } from "../arithmetic.ts";
import { NETWORKS, type NetworkName } from "../networks.ts";

interface Card {
  /** Of the adapter's device. */
  readonly named: RegExp;
  /** float32 without tensor cores, and memory. */
  readonly tflops: number;
  readonly terabytes: number;
}

const CARDS: readonly Card[] = [
  // 132 multiprocessors of 128 lanes, a multiply-add each at 1,980 MHz; NVIDIA's data sheets round it to 67.
  { named: /h100-80gb-hbm3/i, tflops: 66.9, terabytes: 3.35 },
  { named: /h200/i, tflops: 66.9, terabytes: 4.8 },
];

/** Megabytes and MFLOP of each kernel of the article's step, batch 128, as few kernels as can be. */
const ARTICLE = [
  [2.61, 118],
  [3.12, 838.9],
  [5.14, 262.1],
  [1.07, 5.1],
  [5.14, 262.1],
  [9.24, 262.1],
  [0.6, 2.6],
  [6, 838.9],
  [6.72, 838.9],
  [3.03, 118],
  [4.12, 0],
] as const;

/** Undefined for a card of which no peak is known here. */
export function cardLimits(device: string): Card | undefined {
  return CARDS.find(({ named }) => named.test(device));
}

/**
 * Milliseconds of a training step by the direct algorithm. The article's: for each kernel its arithmetic or its memory, what takes longer.
 * Another network's: its arithmetic alone.
 */
export function limitMs(device: string, network: NetworkName): number | undefined {
  const card = cardLimits(device);
  if (!card) return undefined;
  // A megabyte at a terabyte a second is a microsecond, as a MFLOP at a TFLOP/s.
  if (network !== "article") return stepFlop(NETWORKS[network]) / card.tflops / 1e9;
  const us = ARTICLE.map(([megabytes, mflop]) => Math.max(megabytes / card.terabytes, mflop / card.tflops));
  return us.reduce((sum, each) => sum + each, 0) / 1000;
}

export function limitText(device: string): string {
  const card = cardLimits(device);
  if (!card) return "No peak of this card is known here, so no figure is set beside its limit.";
  return (
    `The limit is this card's roofline for the direct algorithm, at ${card.tflops} TFLOP/s of float32 and ${card.terabytes} TB/s. ` +
    'For "article" every kernel counts by its arithmetic or its memory, whichever takes longer. For "second" only the arithmetic counts.'
  );
}
