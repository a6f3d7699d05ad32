/** Sizes of a tensor, outermost first, row-major; images are NHWC. */
export type Shape = readonly number[];

/** Most dimensions of a shape, with the batch axis. More are a mistake, such as lists nested in themselves. */
export const MAX_DIMENSIONS = 8;

/** Tells whether a value is an array of whole numbers of at least 1, none of them missing. */
export function isShape(value: unknown): value is Shape {
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_DIMENSIONS) return false;
  return Array.from(value).every((size) => Number.isSafeInteger(size) && size >= 1);
}

export function elements(shape: Shape): number {
  return shape.reduce((product, size) => product * size, 1);
}

export function sameShape(a: Shape, b: Shape): boolean {
  // `every` alone would skip the holes of an array.
  return a.length === b.length && Array.from(a).every((size, axis) => size === b[axis]);
}

/** Prints the shape of a sample with its batch axis: `[batch, 28, 28, 1]`. */
export function batchShape(sample: Shape): string {
  return `[${["batch", ...sample].join(", ")}]`;
}

export function showShape(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}

export function ceilDiv(a: number, b: number): number {
  return Math.ceil(a / b);
}
