// `npm run bench:scaling`: what a step of the article's network costs as batch size, filters and data set grow.

import { runCommand } from "./lab/command.ts";
import type { PointSpec } from "./lab/point.ts";
import { pointsOf, scalingLines, scalingReport, seriesOf } from "./lab/scaling-points.ts";

await runCommand(
  {
    name: "bench:scaling",
    does: "Times a training step against batch size, filters and size of the data set: is it as costly as its arithmetic?",
    takes: ["quick", "host", "markdown", "json", "help"],
    host: "browser",
  },
  async ({ lab }, { quick, markdown }) => {
    const series = seriesOf(quick);
    const points = pointsOf(series);
    for (const [i, point] of points.entries()) {
      console.error(`compiling point ${i + 1} of ${points.length}: ${textOf(point)}`);
      await lab.addPoint(point);
    }
    const times = points.map((): number[] => []);
    const rounds = quick ? 3 : 5;
    for (let round = 1; round <= rounds; round++) {
      console.error(`round ${round} of ${rounds}`);
      for (const [i, ms] of times.entries()) ms.push(await lab.timePoint(i, quick ? 300 : 1000));
    }
    const timesOf = (point: PointSpec) => times[points.findIndex((each) => textOf(each) === textOf(point))]!;
    const reports = series.map((each) => ({ name: each.name, points: scalingReport(each, timesOf) }));
    const lines = reports.flatMap((each) => [...scalingLines(each.name, each.points, markdown), ""]);
    return { lines: lines.slice(0, -1), report: { series: reports } };
  },
);

function textOf({ batch, filters, samples }: PointSpec): string {
  return `batch ${batch}, filters x${filters}, ${samples} images`;
}
