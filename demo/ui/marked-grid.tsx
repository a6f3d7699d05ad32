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

/** Grids of more columns get thinner marks. */
const FINE = 14;

/** A grid with marks over its cells. */
export function MarkedGrid({ marks = [], dots = [], ...grid }: MarkedGridProps) {
  const { rows, columns } = grid;
  return (
    <div class={columns > FINE ? "marked fine" : "marked"}>
      <PixelGrid {...grid} />
      <svg viewBox={`0 0 ${columns} ${rows}`} aria-hidden="true">
        {marks.map(({ kind, cells }) => (
          <path key={kind} class={`mark ${kind}`} d={cells.map((cell) => square(cell, columns)).join("")} />
        ))}
        <path class="dots" d={dots.map(dot).join("")} />
      </svg>
    </div>
  );
}

function square(cell: number, columns: number): string {
  return `M${(cell % columns) + 0.05} ${Math.floor(cell / columns) + 0.05}h.86v.86h-.86z`;
}

/** A line of no length with round ends, in the lower part of the middle cell, so that its number can be read. */
function dot({ row, column, rows, columns }: Frame): string {
  return `M${column + Math.floor(columns / 2) + 0.5} ${row + Math.floor(rows / 2) + 0.82}h0`;
}
