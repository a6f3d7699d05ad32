/** Keras's clipping of gradients in float64 by plain loops (`keras/src/optimizers/base_optimizer.py`). */

export type Clipping = "clipNorm" | "clipValue" | "globalClipNorm";

export function clipGradients(
  kind: Clipping,
  limit: number,
  gradients: readonly ArrayLike<number>[],
): readonly Float64Array[] {
  if (kind === "clipValue") return gradients.map((g) => Float64Array.from(g, (value) => clampOf(value, limit)));
  if (kind === "clipNorm") {
    return gradients.map((g) => {
      const norm = normOf([g]);
      return Float64Array.from(g, (value) => (value * limit) / Math.max(norm, limit));
    });
  }
  const norm = normOf(gradients);
  // 0 where the norm is a number, else NaN.
  const scale = limit * Math.min(1 / norm, 1 / limit) + (norm - norm);
  return gradients.map((g) => Float64Array.from(g, (value) => value * scale));
}

/** Math.min and Math.max of a NaN are NaN. */
function clampOf(value: number, limit: number): number {
  return Math.min(limit, Math.max(-limit, value));
}

/** The square is a float32's: beyond 3.4e38 it is infinite, as Keras's. */
function normOf(gradients: readonly ArrayLike<number>[]): number {
  let square = 0;
  for (const g of gradients) for (let i = 0; i < g.length; i++) square += g[i]! ** 2;
  return square > 3.4028235e38 ? Number.POSITIVE_INFINITY : Math.sqrt(square);
}
