// uPlot in the page's colours. Loaded by the first chart, not with the page.

import uPlot from "uplot";

export interface Line {
  readonly name: string;
  /** A colour of the style sheet: `--training`. */
  readonly color: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
  /** Dots, joined: for few points. */
  readonly dots?: boolean;
}

interface PlotOptions {
  readonly width: number;
  readonly height: number;
  /** Asked whenever it draws: how many lines there are and their colours stay. */
  readonly current: () => {
    readonly lines: readonly Line[];
    readonly xMax: number;
    readonly yMax?: number;
    readonly format: (y: number) => string;
    readonly tick?: (y: number) => string;
  };
  /** The x that is pointed at. */
  readonly onPoint: (x: number | undefined) => void;
}

export function createPlot(element: HTMLElement, { width, height, current, onPoint }: PlotOptions): uPlot {
  const color = (name: string) => getComputedStyle(element).getPropertyValue(name);
  const axis = {
    stroke: () => color("--soft"),
    font: "13px system-ui, sans-serif",
    grid: { stroke: () => color("--line"), width: 1 },
    ticks: { show: false },
  };
  const options: uPlot.Options = {
    width,
    height,
    padding: [8, 12, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
    scales: {
      x: { time: false, range: () => [0, current().xMax] },
      y: { range: (_, __, most) => [0, current().yMax ?? Math.max(most ?? 2.4, 0.1) * 1.05] },
    },
    axes: [
      { ...axis, size: 28, incrs: [1, 2, 5, 10, 20, 50], grid: { show: false } },
      { ...axis, size: 46, values: (_, ticks) => ticks.map((tick) => (current().tick ?? current().format)(tick)) },
    ],
    series: [
      {},
      ...current().lines.map(
        (line): uPlot.Series => ({
          stroke: () => color(line.color),
          width: line.dots ? 1.5 : 2,
          spanGaps: true,
          points: line.dots
            ? { show: true, size: 8, fill: () => color(line.color) }
            : { show: (_, __, from, to) => to - from < 2 },
        }),
      ),
    ],
    hooks: {
      setCursor: [(plot) => onPoint(plot.cursor.left! < 0 ? undefined : plot.posToVal(plot.cursor.left!, "x"))],
    },
  };
  return new uPlot(options, [[], ...current().lines.map(() => [])] as unknown as uPlot.AlignedData, element);
}
