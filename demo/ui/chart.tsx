import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type uPlot from "uplot";
import type { Line } from "./plot.ts";
import { onResize } from "./resize.ts";
import { scheme } from "./scheme.ts";

interface ChartProps {
  readonly title: string;
  readonly lines: readonly Line[];
  /** Of the x axis, which begins at 0. */
  readonly xMax: number;
  readonly xName: string;
  /** Of the y axis. Default: what the points need, from 0. */
  readonly yMax?: number;
  readonly format: (y: number) => string;
  /** Of the y axis. Default `format`. */
  readonly tick?: (y: number) => string;
}

const HEIGHT = 232;

/** Curves with their latest values in words and numbers. Its width is that of its place. */
export function Chart(props: ChartProps) {
  const { title, lines, xName, format } = props;
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const pointed = useSignal<number | undefined>(undefined);
  const latest = useRef(props);
  latest.current = props;

  useEffect(() => {
    let gone = false;
    let stopWatching = () => {};
    void import("./plot.ts").then(({ createPlot }) => {
      if (gone) return;
      const element = box.current!;
      const current = () => latest.current;
      const onPoint = (x: number | undefined) => {
        pointed.value = x;
      };
      const made = createPlot(element, { width: element.clientWidth, height: HEIGHT, current, onPoint });
      plot.current = made;
      made.setData(dataOf(latest.current.lines));
      stopWatching = onResize(element, () => made.setSize({ width: element.clientWidth, height: HEIGHT }));
    });
    return () => {
      gone = true;
      stopWatching();
      plot.current?.destroy();
      plot.current = undefined;
    };
  }, []);
  useEffect(() => plot.current?.setData(dataOf(lines)), [lines, props.xMax]);
  const drawn = scheme.value;
  useEffect(() => plot.current?.redraw(false), [drawn]);

  const at = pointed.value;
  const said = lines.map((line) => ({ ...line, shown: valueAt(line, at) }));
  return (
    <figure class="chart">
      <figcaption>
        <b>{title}</b>
        {said.map(({ name, color, shown }) => (
          <span key={name} class="legend" style={{ "--color": `var(${color})` }}>
            {name} <span class="number">{shown === undefined ? "–" : format(shown)}</span>
          </span>
        ))}
      </figcaption>
      <div
        ref={box}
        class="plot"
        style={{ height: `${HEIGHT}px` }}
        role="img"
        aria-label={`${title} by ${xName}. ${inWords(lines, format)}`}
      />
    </figure>
  );
}

function inWords(lines: readonly Line[], format: (y: number) => string): string {
  const known = lines.filter(({ points }) => points.length > 0);
  if (known.length === 0) return "No figures yet.";
  return `Latest: ${known.map(({ name, points }) => `${name} ${format(points.at(-1)!.y)}`).join(", ")}.`;
}

/** The last value, or that of the point nearest to `x`. */
function valueAt({ points }: Line, x: number | undefined): number | undefined {
  if (x === undefined) return points.at(-1)?.y;
  let best = points[0];
  for (const point of points) if (Math.abs(point.x - x) < Math.abs(best!.x - x)) best = point;
  return best?.y;
}

/** All lines over the same x, with gaps. */
function dataOf(lines: readonly Line[]): uPlot.AlignedData {
  const xs = [...new Set(lines.flatMap(({ points }) => points.map(({ x }) => x)))].sort((a, b) => a - b);
  const place = new Map(xs.map((x, i) => [x, i]));
  const columns = lines.map(({ points }) => {
    const column: (number | null)[] = xs.map(() => null);
    for (const { x, y } of points) column[place.get(x)!] = y;
    return column;
  });
  return [xs, ...columns];
}
