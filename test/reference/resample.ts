/**
 * Another number of places along the middle axis of [outer, length, inner], in float64 by plain loops, as jax.image.resize does it:
 *
 *   y[a,o,b] = sum over k of w(o,k) x[a,k,b] / sum over k of w(o,k)
 *
 * Place o of y lies at s = (o + 0.5) length / size - 0.5 of x. Linear weights are w = max(0, 1 - |s - k| / reach), where reach is 1
 * or, with antialias, length / size if that is more. The nearest place is floor((o + 0.5) length / size), of weight 1.
 */
export interface Resampling {
  readonly size: number;
  readonly interpolation: "bilinear" | "nearest";
  readonly antialias?: boolean;
}

export function weights(length: number, { size, interpolation, antialias }: Resampling): number[][] {
  const reach = antialias ? Math.max(1, length / size) : 1;
  return Array.from({ length: size }, (_, o) => {
    const at = ((o + 0.5) * length) / size;
    const row = Array.from({ length }, (_, k) => {
      if (interpolation === "nearest") return k === Math.floor(at) ? 1 : 0;
      return Math.max(0, 1 - Math.abs(at - 0.5 - k) / reach);
    });
    const total = row.reduce((a, b) => a + b, 0);
    return row.map((weight) => weight / total);
  });
}

export function resample(
  x: ArrayLike<number>,
  [outer, length, inner]: readonly [number, number, number],
  options: Resampling,
): Float64Array {
  const rows = weights(length, options);
  const y = new Float64Array(outer * options.size * inner);
  for (let a = 0; a < outer; a++)
    for (let o = 0; o < options.size; o++)
      for (let k = 0; k < length; k++)
        for (let b = 0; b < inner; b++) {
          // A place of weight 0 is not read: not even a NaN in it counts.
          if (rows[o]![k] === 0) continue;
          y[(a * options.size + o) * inner + b]! += rows[o]![k]! * x[(a * length + k) * inner + b]!;
        }
  return y;
}

export function resampleGradient(
  dY: ArrayLike<number>,
  [outer, length, inner]: readonly [number, number, number],
  options: Resampling,
): Float64Array {
  const rows = weights(length, options);
  const dX = new Float64Array(outer * length * inner);
  for (let a = 0; a < outer; a++)
    for (let o = 0; o < options.size; o++)
      for (let k = 0; k < length; k++)
        for (let b = 0; b < inner; b++) {
          if (rows[o]![k] === 0) continue;
          dX[(a * length + k) * inner + b]! += rows[o]![k]! * dY[(a * options.size + o) * inner + b]!;
        }
  return dX;
}
