import broadcastSource from "../../../shaders/pointwise/lib/broadcast_operand.wgsl";
import repeatedSource from "../../../shaders/pointwise/lib/repeated_operand.wgsl";
import { FeaturemapError } from "../../base/errors.ts";
import { elements, type Shape, showShape } from "../../base/shape.ts";
import type { Source } from "../../wgsl/specialize.ts";
import { operand } from "../access.ts";

/**
 * Gives the shape that tensors have together, by NumPy's rule: shapes are aligned at their last axes, and an axis of 1 is repeated.
 *
 * @throws FeaturemapError `shape` where two sizes of an axis differ and neither is 1
 */
export function broadcastShape(shapes: readonly Shape[], where: string): Shape {
  const rank = Math.max(...shapes.map(({ length }) => length));
  return Array.from({ length: rank }, (_, axis) => {
    const sizes = shapes.map((shape) => aligned(shape, rank)[axis]!);
    const size = sizes.find((each) => each !== 1) ?? 1;
    if (sizes.every((each) => each === 1 || each === size)) return size;
    const got = shapes.map(showShape).join(" and ");
    throw new FeaturemapError(
      "shape",
      `"${where}" combines tensors whose sizes agree or are 1, axis by axis from the last, got ${got}.`,
    );
  });
}

function aligned(shape: Shape, rank: number): Shape {
  return [...new Array<number>(rank - shape.length).fill(1), ...shape];
}

/** Gives the axes of `whole` along which a tensor of `shape` is repeated. */
export function repeatedAxes(shape: Shape, whole: Shape): number[] {
  const sizes = aligned(shape, whole.length);
  return whole.flatMap((size, axis) => (size !== 1 && sizes[axis] === 1 ? [axis] : []));
}

/** Run of neighbouring axes as one: its size, and how far apart its elements lie in the whole tensor. */
export interface Run {
  readonly size: number;
  readonly stride: number;
}

/** Most runs that shaders count in. Tensors have at most 8 axes, and runs of two kinds take turns. */
const MAX_RUNS = 4;

/** Joins the axes of a shape that are chosen, neighbours into one run, outermost first. Axes of 1 divide nothing. */
export function runsOf(whole: Shape, chosen: (axis: number) => boolean): Run[] {
  const runs: Run[] = [];
  let stride = elements(whole);
  let before = false;
  whole.forEach((size, axis) => {
    stride /= size;
    if (size === 1) return;
    const last = runs.at(-1);
    if (!chosen(axis)) before = false;
    else if (last && before) runs[runs.length - 1] = { size: last.size * size, stride };
    else runs.push({ size, stride });
    if (chosen(axis)) before = true;
  });
  return runs;
}

/** Gives runs as constants of a shader, `PREFIX_SIZE_0` and so on, filled up in front with runs of one element. */
export function runConstants(prefix: string, runs: readonly Run[]): Record<string, number> {
  const none: Run = { size: 1, stride: 0 };
  const all = [...new Array<Run>(MAX_RUNS - runs.length).fill(none), ...runs];
  return Object.fromEntries(
    all.flatMap(({ size, stride }, i) => [
      [`${prefix}_SIZE_${i}`, size],
      [`${prefix}_STRIDE_${i}`, stride],
    ]),
  );
}

/**
 * Gives the library by which a kernel reads a tensor at elements e to e + 3 of the whole that it is broadcast to. `row` is the length of
 * the rows that the kernel goes along in fours.
 */
export function broadcastOperand(letter: string, shape: Shape, whole: Shape, row: number): Source {
  const count = elements(shape);
  const vectors = row % 4 === 0 && count % 4 === 0;
  if (count === elements(whole)) return operand(letter, vectors ? 4 : 1);
  const axes = repeatedAxes(shape, whole);
  const rename = { operand: letter };
  const isRepeated = runsOf(whole, (axis) => axes.includes(axis)).every(
    ({ size, stride }) => size * stride === elements(whole),
  );
  if (isRepeated && vectors) return { ...repeatedSource, rename, given: { [`${letter}_LENGTH`]: count } };
  return {
    ...broadcastSource,
    rename,
    given: runConstants(
      letter,
      runsOf(whole, (axis) => !axes.includes(axis)),
    ),
  };
}

/** Elements of all runs together. */
export function countOf(runs: readonly Run[]): number {
  return elements(runs.map(({ size }) => size));
}
