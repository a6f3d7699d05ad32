// A walk whose places are those of a window over an image.

import { computed, type ReadonlySignal } from "@preact/signals";
import type { Cell, Frame } from "../ui/pixel-grid.tsx";
import { createWalk, type Walk } from "./walk.ts";

export interface WindowPlaces {
  /** Of the map. */
  readonly rows: number;
  readonly columns: number;
  readonly size: number;
  readonly stride: number;
}

export interface WindowWalk extends Walk {
  readonly places: ReadonlySignal<WindowPlaces>;
  /** On the map. */
  readonly cell: ReadonlySignal<Cell>;
  /** The same as a frame around it. */
  readonly mapFrame: ReadonlySignal<Frame>;
  /** The window, on the image with its padding. */
  readonly frame: ReadonlySignal<Frame>;
  /** Puts the middle of the window as near a cell of the image, with its padding, as it gets. */
  overInput(cell: Cell): void;
  overMap(cell: Cell): void;
}

export function createWindowWalk(places: ReadonlySignal<WindowPlaces>): WindowWalk {
  const walk = createWalk(computed(() => Math.max(0, places.value.rows) * Math.max(0, places.value.columns)));
  const cell = computed(() => {
    const columns = Math.max(1, places.value.columns);
    return { row: Math.floor(walk.at.value / columns), column: walk.at.value % columns };
  });
  function overMap({ row, column }: Cell): void {
    const { rows, columns } = places.peek();
    if (rows < 1 || columns < 1) return;
    walk.goTo(within(row, rows) * columns + within(column, columns));
  }
  return {
    ...walk,
    places,
    cell,
    mapFrame: computed(() => ({ ...cell.value, rows: 1, columns: 1 })),
    frame: computed(() => windowAt(cell.value, places.value)),
    overMap,
    overInput(pointed) {
      const { size, stride } = places.peek();
      const { row, column } = cell.peek();
      const along = (to: number, place: number) => {
        const off = to - (place * stride + Math.floor(size / 2));
        // An arrow key's single pixel moves the window too, by a whole stride.
        return off === 0 ? place : place + Math.sign(off) * Math.max(1, Math.round(Math.abs(off) / stride));
      };
      overMap({ row: along(pointed.row, row), column: along(pointed.column, column) });
    },
  };
}

export function windowAt({ row, column }: Cell, { size, stride }: WindowPlaces): Frame {
  return { row: row * stride, column: column * stride, rows: size, columns: size };
}

function within(place: number, count: number): number {
  return Math.min(count - 1, Math.max(0, place));
}
