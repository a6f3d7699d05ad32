import type { ComponentProps } from "preact";
import { type Frame, PixelGrid } from "./pixel-grid.tsx";

/** Cells of a kind: how they look is the style sheet's (`.mark.padding`, `.mark.kept`). */
export interface Mark {
  readonly kind: "padding" | "kept";
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
          <path key={kind} class={`mark ${kind}`} d={cells.map((cell) => square(cell, columns)).join("")} />
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

/** Leaves the gaps between cells alone. */
function square(cell: number, columns: number): string {
  return `M${(cell % columns) + 0.05} ${Math.floor(cell / columns) + 0.05}h0.86v0.86h-0.86z`;
}

/** A line of no length with round ends; where cells have numbers, below the number. */
function dot({ row, column, rows, columns }: Frame, fine: boolean): string {
  const [x, y] = [column + Math.floor(columns / 2) + 0.5, row + Math.floor(rows / 2) + (fine ? 0.5 : 0.82)];
  return `M${x} ${y}h0`;
}
