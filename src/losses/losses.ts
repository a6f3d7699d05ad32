import { oneOf } from "../base/errors.ts";
import { softmaxClasses, softmaxRows } from "./cross-entropy.ts";
import type { Loss } from "./loss.ts";

/** Losses by Keras's names, which every app ships. All others are functions that an app imports. */
const LOSSES = { categoricalCrossentropy: softmaxRows, sparseCategoricalCrossentropy: softmaxClasses } as const;
export type LossName = keyof typeof LOSSES;

/** @throws FeaturemapError `value` for a name that is no loss */
export function lossNamed(name: unknown, where = "compile: loss"): Loss {
  return LOSSES[oneOf(name, Object.keys(LOSSES) as LossName[], where, OTHERS)]();
}

/** What an app does for another loss or metric. */
export const OTHERS = "Others are functions to import, or words for byName().";

/** Tells whether a word is the name of a loss of the library. */
export function isLossName(name: string): name is LossName {
  return Object.hasOwn(LOSSES, name);
}
