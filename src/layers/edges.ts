import { wholeNumber, wrong } from "../base/errors.ts";

/** Rows and columns at the edges of images: one number, [height, width], or [[top, bottom], [left, right]]. */
export type EdgesOption =
  | number
  | readonly [number, number]
  | readonly [readonly [number, number], readonly [number, number]];

export type Edges = readonly [readonly [top: number, bottom: number], readonly [left: number, right: number]];

/** @throws FeaturemapError `value` for what is none of the three forms */
export function edgesOption(value: unknown, where: string): Edges {
  const must = "be a whole number of at least 0, [height, width] or [[top, bottom], [left, right]]";
  const both = (of: unknown): readonly [unknown, unknown] => {
    if (!Array.isArray(of)) return [of, of];
    if (of.length !== 2) throw wrong(where, must, value);
    return [of[0], of[1]];
  };
  const sizes = (axis: unknown) => {
    const pair = both(axis);
    if (pair.some((size) => wholeNumber(size, where) < 0)) throw wrong(where, must, value);
    return pair as readonly [number, number];
  };
  const [rows, columns] = both(value);
  return [sizes(rows), sizes(columns)];
}

/** Steps at the ends of sequences: one number, or [before, after]. */
export type EndsOption = number | readonly [number, number];

/** @throws FeaturemapError `value` for what is neither of the two forms */
export function endsOption(value: unknown, where: string): readonly [before: number, after: number] {
  const both: readonly unknown[] = Array.isArray(value) ? value : [value, value];
  const wanted = both.length === 2 && both.every((size) => Number.isInteger(size) && (size as number) >= 0);
  if (wanted) return [both[0] as number, both[1] as number];
  throw wrong(where, "be a whole number of at least 0 or [before, after]", value);
}
