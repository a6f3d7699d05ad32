// Which points the scaling bench measures, and what it says of them.

import { stepFlop } from "../arithmetic.ts";
import { NETWORKS, resized } from "../networks.ts";
import { spreadOf, spreadText } from "../statistics.ts";
import { table } from "../table.ts";
import type { PointSpec } from "./point.ts";

/** Points of which one size grows. */
export interface Series {
  readonly name: "batch size" | "filters" | "data set";
  readonly points: readonly PointSpec[];
}

const SAMPLES = 2048;

export function seriesOf(quick: boolean): Series[] {
  const [batches, filters, sizes] = quick
    ? [
        [1, 32, 256],
        [1, 2],
        [SAMPLES, 16_384],
      ]
    : [
        [1, 4, 16, 64, 128, 256, 1024],
        [1, 2, 4],
        [SAMPLES, 16_384, 60_000],
      ];
  return [
    { name: "batch size", points: batches.map((batch) => ({ batch, filters: 1, samples: SAMPLES })) },
    { name: "filters", points: filters.map((times) => ({ batch: 32, filters: times, samples: SAMPLES })) },
    { name: "data set", points: sizes.map((samples) => ({ batch: 32, filters: 1, samples })) },
  ];
}

/** All series' points, each once. */
export function pointsOf(series: readonly Series[]): PointSpec[] {
  const points = new Map(series.flatMap(({ points }) => points.map((point) => [JSON.stringify(point), point])));
  return [...points.values()];
}

/** What is measured may grow by so much faster than the arithmetic: the figures' own spread. */
export const TOLERANCE = 0.15;

export interface PointReport extends PointSpec {
  readonly stepMs: readonly number[];
  readonly stepFlop: number;
  readonly msPerMflop: number;
  /** Its ms a MFLOP / the least of the smaller points of its series; null for the smallest. */
  readonly growth: number | null;
  readonly growsNoFaster: boolean;
}

/** A series' points from small to large. */
export function scalingReport({ points }: Series, stepMsOf: (point: PointSpec) => readonly number[]): PointReport[] {
  let least = Number.POSITIVE_INFINITY;
  return points.map((point) => {
    const stepMs = stepMsOf(point);
    const flop = stepFlop(resized(NETWORKS.article, point));
    const msPerMflop = spreadOf(stepMs)!.median / (flop / 1e6);
    const growth = least === Number.POSITIVE_INFINITY ? null : msPerMflop / least;
    least = Math.min(least, msPerMflop);
    return { ...point, stepMs, stepFlop: flop, msPerMflop, growth, growsNoFaster: (growth ?? 1) <= 1 + TOLERANCE };
  });
}

export function scalingLines(name: Series["name"], points: readonly PointReport[], markdown: boolean): string[] {
  const failed = points.filter(({ growsNoFaster }) => !growsNoFaster);
  const which = { "batch size": "batch", filters: "filters", "data set": "samples" } as const;
  const named = failed.map((point) => point[which[name]]).join(", ");
  return [
    `By ${name}`,
    "",
    ...table(
      ["batch", "filters", "images", "ms a step", "useful MFLOP", "ms a MFLOP", "to the best smaller", "no faster"],
      points.map(({ batch, filters, samples, stepMs, stepFlop, msPerMflop, growth, growsNoFaster }) => [
        batch,
        `x${filters}`,
        samples,
        spreadText(spreadOf(stepMs)),
        (stepFlop / 1e6).toFixed(1),
        msPerMflop.toFixed(4),
        growth === null ? "-" : `${growth.toFixed(2)}x`,
        growsNoFaster ? "yes" : "NO",
      ]),
      markdown,
    ),
    "",
    failed.length === 0
      ? `The cost grows no faster than the arithmetic (within ${100 * TOLERANCE}%).`
      : `The cost grows FASTER than the arithmetic (by over ${100 * TOLERANCE}%) at ${name} ${named}.`,
  ];
}
