/**
 * Keras's `_update_model_variables_moving_average` in float64, in place: average := momentum average + (1 - momentum) p, or p where no
 * update was made before. With `overwrite`, p := average where the number of this update, from 1, is a multiple of it.
 */
export function movingAverage(
  { p, average }: { readonly p: Float64Array; readonly average: Float64Array },
  { momentum, overwrite, updates }: { readonly momentum: number; readonly overwrite: number; readonly updates: number },
): void {
  for (let i = 0; i < p.length; i++) {
    average[i] = updates === 0 ? p[i]! : momentum * average[i]! + (1 - momentum) * p[i]!;
    if (overwrite > 0 && (updates + 1) % overwrite === 0) p[i] = average[i]!;
  }
}
