/** Sizes of a tensor, outermost first, row-major; images are NHWC. */
export type Shape = readonly number[];

export function elements(shape: Shape): number {
  return shape.reduce((product, size) => product * size, 1);
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}

/** `[batch, 28, 28, 1]`: the shape of a sample with its batch axis, as error messages print it. */
export function batchShape(sample: Shape): string {
  return `[${["batch", ...sample].join(", ")}]`;
}

export function showShape(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}

export function ceilDiv(a: number, b: number): number {
  return Math.ceil(a / b);
}
