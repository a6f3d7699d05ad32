/** Batch normalization in float64 by plain loops. x is [positions, channels]; positions from `used` on count for nothing. */

export interface Moments {
  readonly mean: Float64Array;
  /** Biased: the sum of squares is divided by the number of positions. */
  readonly variance: Float64Array;
}

export interface Scaling {
  /** Default: ones. */
  readonly gamma?: ArrayLike<number> | undefined;
  /** Default: zeros. */
  readonly beta?: ArrayLike<number> | undefined;
  readonly epsilon: number;
}

export interface NormalizationGradients {
  readonly dX: Float64Array;
  readonly dGamma: Float64Array;
  readonly dBeta: Float64Array;
}

/** mean[c] = (sum over p of x[p,c]) / used;  variance[c] = (sum over p of (x[p,c] - mean[c])²) / used */
export function batchMoments(x: ArrayLike<number>, channels: number, used = x.length / channels): Moments {
  const mean = new Float64Array(channels);
  const variance = new Float64Array(channels);
  for (let c = 0; c < channels; c++) {
    let sum = 0;
    for (let p = 0; p < used; p++) sum += x[p * channels + c]!;
    mean[c] = sum / used;
    let squares = 0;
    for (let p = 0; p < used; p++) squares += (x[p * channels + c]! - mean[c]!) ** 2;
    variance[c] = squares / used;
  }
  return { mean, variance };
}

/** y[p,c] = gamma[c] (x[p,c] - mean[c]) / sqrt(variance[c] + epsilon) + beta[c] */
export function normalization(x: ArrayLike<number>, { mean, variance }: Moments, scaling: Scaling): Float64Array {
  const { gamma, beta, epsilon } = scaling;
  return Float64Array.from(x, (value, at) => {
    const c = at % mean.length;
    return ((gamma?.[c] ?? 1) * (value - mean[c]!)) / Math.sqrt(variance[c]! + epsilon) + (beta?.[c] ?? 0);
  });
}

/** moving[c] momentum + batch[c] (1 - momentum), as `BatchNormalization.call` of keras/src/layers/normalization has it. */
export function moved(moving: ArrayLike<number>, batch: ArrayLike<number>, momentum: number): Float64Array {
  return Float64Array.from(moving, (value, c) => value * momentum + batch[c]! * (1 - momentum));
}

/** By statistics that are given: dX[p,c] = dY[p,c] gamma[c] / sqrt(variance[c] + epsilon). */
export function normalizationGradient(
  x: ArrayLike<number>,
  dY: ArrayLike<number>,
  { mean, variance }: Moments,
  { gamma, epsilon }: Scaling,
  used = x.length / mean.length,
): NormalizationGradients {
  const channels = mean.length;
  const [dX, dGamma, dBeta] = [x.length, channels, channels].map((length) => new Float64Array(length)) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  for (let p = 0; p < x.length / channels; p++) {
    for (let c = 0; c < channels; c++) {
      const at = p * channels + c;
      const deviation = Math.sqrt(variance[c]! + epsilon);
      dX[at] = (dY[at]! * (gamma?.[c] ?? 1)) / deviation;
      if (p >= used) continue;
      dGamma[c] = dGamma[c]! + (dY[at]! * (x[at]! - mean[c]!)) / deviation;
      dBeta[c] = dBeta[c]! + dY[at]!;
    }
  }
  return { dX, dGamma, dBeta };
}

/**
 * By the batch's own moments, whose gradients are derived one by one: of y by the variance, by the mean, and of both by x.
 * dX is 0 in positions that are not in use.
 */
export function batchNormalizationGradient(
  x: ArrayLike<number>,
  dY: ArrayLike<number>,
  channels: number,
  scaling: Scaling,
  used = x.length / channels,
): NormalizationGradients {
  const moments = batchMoments(x, channels, used);
  const { dX, dGamma, dBeta } = normalizationGradient(x, dY, moments, scaling, used);
  const { mean, variance } = moments;
  for (let c = 0; c < channels; c++) {
    const deviation = Math.sqrt(variance[c]! + scaling.epsilon);
    let dVariance = 0;
    let dMean = 0;
    for (let p = 0; p < used; p++) {
      const at = p * channels + c;
      const dNormalized = dY[at]! * (scaling.gamma?.[c] ?? 1);
      dVariance -= (dNormalized * (x[at]! - mean[c]!)) / (2 * deviation ** 3);
      dMean -= dNormalized / deviation;
    }
    for (let p = 0; p < x.length / channels; p++) {
      const at = p * channels + c;
      if (p >= used) dX[at] = 0;
      else dX[at] = dX[at]! + dMean / used + (dVariance * 2 * (x[at]! - mean[c]!)) / used;
    }
  }
  return { dX, dGamma, dBeta };
}
