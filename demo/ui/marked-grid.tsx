import type { ComponentProps } from "preact";
import { type Frame, PixelGrid } from "./pixel-grid.tsx";

/** Cells of a kind: how they look is the style sheet's (`.mark.padding`, `.mark.dimmed`, `.mark.kept`). */
export interface Mark {
  readonly kind: "padding" | "dimmed" | "kept";
  /** Numbers of cells, row by row. */
  readonly cells: readonly number[];
}

interface MarkedGridProps extends ComponentProps<typeof PixelGrid> {
  readonly marks?: readonly Mark[];
  /** A dot in the middle cell of each. */
  readonly dots?: readonly Frame[];
}

/** Grids of more columns have no room for numbers: their marks are thinner, their dots larger. */
const FINE = 14;

/** A grid with marks over its cells. */
export function MarkedGrid({ marks = [], dots = [], ...grid }: MarkedGridProps) {
  const { rows, columns, frame } = grid;
  const fine = columns > FINE;
  return (
    <div class={fine ? "marked fine" : "marked"}>
      <PixelGrid {...grid} />
      <svg viewBox={`0 0 ${columns} ${rows}`} aria-hidden="true">
        {marks.map(({ kind, cells }) => (
          <path key={kind} class={`mark ${kind}`} d={cells.map((cell) => square(cell, columns, kind)).join("")} />
        ))}
        {frame && <FrameMark {...frame} />}
        <path class="dots" d={dots.map((each) => dot(each, fine)).join("")} />
      </svg>
    </div>
  );
}

/** The grid's own frame lies below the marks. */
function FrameMark({ row, column, rows, columns }: Frame) {
  return <rect class="mark frame" x={column} y={row} width={columns} height={rows} />;
}

/** What is dimmed is so in full; other marks leave the gaps between cells alone. */
function square(cell: number, columns: number, kind: Mark["kind"]): string {
  const inset = kind === "dimmed" ? 0 : 0.05;
  const side = kind === "dimmed" ? 1 : 0.86;
  return `M${(cell % columns) + inset} ${Math.floor(cell / columns) + inset}h${side}v${side}h-${side}z`;
}

/** A line of no length with round ends; where cells have numbers, below the number. */
function dot({ row, column, rows, columns }: Frame, fine: boolean): string {
  const [x, y] = [column + Math.floor(columns / 2) + 0.5, row + Math.floor(rows / 2) + (fine ? 0.5 : 0.82)];
  return `M${x} ${y}h0`;
}
