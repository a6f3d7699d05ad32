import { wholeNumber, wrong } from "../base/errors.ts";
import { shortList } from "./options.ts";

/** Copies an axis, or a list of them. @throws FeaturemapError `value` where one is no whole number */
export function axesOption(given: number | readonly number[], where: string): readonly number[] {
  const list = Array.isArray(given) ? shortList<number>(given, where) : [given as number];
  return list.map((each) => wholeNumber(each, where));
}

/** Gives axes of a tensor counted from the front, in order. */
export function sortedAxes(axes: readonly number[], rank: number): readonly number[] {
  return axes.map((each) => (each < 0 ? rank + each : each)).sort((a, b) => a - b);
}

/** The same of an input's `rank`, the batch's axis counted. @throws FeaturemapError `value` where one is the batch's, or there is no such */
export function sampleAxes(axes: readonly number[], rank: number, where: string): readonly number[] {
  const sorted = sortedAxes(axes, rank);
  const known = sorted.length > 0 && sorted.every((each, i) => each >= 1 && each < rank && each !== sorted[i - 1]);
  if (known) return sorted;
  throw wrong(where, `name one or more of ${rank} axes, not the batch's`, axes);
}
