/**
 * Winograd's filtering in float64, out of nothing but the points: a second oracle beside the plain loops.
 *
 * Both x and k are taken as polynomials. A product of polynomials is known from its values at as many points as it has
 * coefficients (infinity counts as one: the last coefficient), and a correlation is the adjoint of such a product:
 *
 *   y[i] = sum over j of x[i+j] * k[j] = (A' ((G k) * (B' x)))[i]      i < points + 1 - taps
 *
 *   A[p][i] = point_p^i     G[p][j] = point_p^j / product over q != p of (point_p - point_q)
 *   B[i][p] = coefficient i of the product over q != p of (z - point_q)
 *
 * (Lavin and Gray, arXiv 1509.09308; the construction is Toom's and Cook's.)
 */

export type Matrix = readonly (readonly number[])[];

export type PointCount = 6 | 7 | 8;

/** The finite points; where there is one fewer than the count, infinity is the last one. */
export const FINITE_POINTS: Readonly<Record<PointCount, readonly number[]>> = {
  6: [0, 1, -1, 2, -2],
  7: [0, 1, -1, 2, -2, 1 / 2, -1 / 2],
  8: [0, 1, -1, 2, -2, 1 / 2, -1 / 2],
};

export interface Transforms {
  /** [points][points]: x at the points. */
  readonly bT: Matrix;
  /** [points][taps]: k at the points. */
  readonly g: Matrix;
  /** [outputs][points]: y from the points. */
  readonly aT: Matrix;
}

export function winogradTransforms(points: PointCount, taps: number): Transforms {
  const finite = FINITE_POINTS[points];
  const others = (p: number) => finite.filter((_, q) => q !== p);
  const scale = finite.map((point, p) => others(p).reduce((product, other) => product * (point - other), 1));
  const powers = (point: number, count: number) => Array.from({ length: count }, (_, i) => point ** i);
  const last = (count: number) => Array.from({ length: count }, (_, i) => (i === count - 1 ? 1 : 0));
  const outputs = points + 1 - taps;
  const b = finite.map((_, p) => withRoots(others(p)));
  const g = finite.map((point, p) => powers(point, taps).map((power) => power / scale[p]!));
  const a = finite.map((point) => powers(point, outputs));
  if (finite.length === points) return { bT: b, g, aT: transpose(a) };
  return {
    bT: [...b.map((row) => [...row, 0]), withRoots(finite)],
    g: [...g, last(taps)],
    aT: transpose([...a, last(outputs)]),
  };
}

/** Coefficients, the constant one first, of the polynomial that has these roots and begins with 1. */
function withRoots(roots: readonly number[]): number[] {
  let c = [1];
  for (const root of roots) c = Array.from({ length: c.length + 1 }, (_, i) => (c[i - 1] ?? 0) - root * (c[i] ?? 0));
  return c;
}

export function transpose(a: Matrix): Matrix {
  return a[0]!.map((_, j) => a.map((row) => row[j]!));
}

export function multiply(a: Matrix, b: Matrix): Matrix {
  return a.map((row) => b[0]!.map((_, j) => row.reduce((sum, value, k) => sum + value * b[k]![j]!, 0)));
}

/** One tile of y out of a patch of x, [points][points], by a kernel, [taps][taps]. */
export function winogradTile(points: PointCount, patch: Matrix, kernel: Matrix): Matrix {
  const { bT, g, aT } = winogradTransforms(points, kernel.length);
  const v = multiply(multiply(bT, patch), transpose(bT));
  const u = multiply(multiply(g, kernel), transpose(g));
  const m = v.map((row, p) => row.map((value, q) => value * u[p]![q]!));
  return multiply(multiply(aT, m), transpose(aT));
}
