// `npm run train:parity`: one epoch from Keras's own weights in file order must end at Keras's own test accuracy.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { CliError, firstLine } from "./errors.ts";
import type { TrainOptions } from "./options.ts";

const GOLDEN = fileURLToPath(new URL("./keras/epoch.json", import.meta.url));

/**
 * Half a point, as a fraction. The same sums in another order drift apart over 469 steps, by a tenth of this; a wrong
 * gradient or a wrong rate moves the accuracy by several points.
 */
export const TOLERANCE = 0.005;

/** The part of cli/keras/epoch.json that is used; make_golden.py writes it. */
export interface GoldenEpoch {
  readonly keras: string;
  readonly backend: string;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly train: { readonly samples: number };
  readonly test: { readonly samples: number; readonly accuracy: number };
}

/** Throws a CliError (exit 1) where the file cannot be read. */
export function readGolden(path = GOLDEN): GoldenEpoch {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as GoldenEpoch;
  } catch (error) {
    throw new CliError(1, `Keras's figures could not be read: ${firstLine(error)}.`, { cause: error });
  }
}

/** The options that Keras's epoch was made with. */
export function parityOptions(options: TrainOptions, golden: GoldenEpoch): TrainOptions {
  const { batchSize, learningRate, train, test } = golden;
  return { ...options, epochs: 1, batchSize, learningRate, trainSize: train.samples, testSize: test.samples };
}

export interface Comparison {
  readonly line: string;
  readonly passed: boolean;
}

/** Compares a test accuracy (a fraction) with Keras's. NaN does not pass. */
export function compareWithKeras(accuracy: number, golden: GoldenEpoch): Comparison {
  const difference = Math.abs(accuracy - golden.test.accuracy);
  const passed = difference <= TOLERANCE;
  const line =
    `Keras ${golden.keras} on ${golden.backend}: ${points(golden.test.accuracy)} %, featuremap: ${points(accuracy)} %, ` +
    `${points(difference)} points apart (at most ${points(TOLERANCE)}): ${passed ? "the same" : "NOT the same"}.`;
  return { line, passed };
}

function points(fraction: number): string {
  return (fraction * 100).toFixed(2);
}
