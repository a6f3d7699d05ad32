import type { Image, PoolingRequest } from "../../engine/lab.ts";

/**
 * The cells of an image that a maximum pooling keeps: in each window the first one that equals what came out of it.
 * In ascending order, each once, however many windows it is in.
 */
export function keptCells({ image, size, stride }: Omit<PoolingRequest, "kind">, pooled: Image): readonly number[] {
  const cells = new Set<number>();
  for (const [i, value] of pooled.values.entries()) {
    const place = { row: Math.floor(i / pooled.columns), column: i % pooled.columns };
    const window = windowCells(image.columns, place, size, stride);
    const cell = window.find((each) => image.values[each] === value);
    if (cell !== undefined) cells.add(cell);
  }
  return [...cells].sort((a, b) => a - b);
}

/** Numbers of the cells under a window, row by row. */
export function windowCells(
  columns: number,
  place: { readonly row: number; readonly column: number },
  size: number,
  stride: number,
): readonly number[] {
  const first = place.row * stride * columns + place.column * stride;
  return Array.from({ length: size * size }, (_, i) => first + Math.floor(i / size) * columns + (i % size));
}
