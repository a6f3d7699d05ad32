/** Matrix products and the dense layer in float64 by plain loops. Row-major. */

export interface MatmulSizes {
  /** Rows of the result. */
  readonly m: number;
  /** Columns of the result. */
  readonly n: number;
  /** Products per sum. */
  readonly k: number;
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
}

export interface DenseSizes {
  readonly rows: number;
  readonly inputs: number;
  readonly units: number;
}

/**
 * y[i,j] = sum over p of A[i,p] * B[p,j], with y [m,n], A [m,k] and B [k,n].
 * `a` holds A, or its transpose [k,m] with transposeA; `b` holds B, or its transpose [n,k] with transposeB.
 */
export function matmul(a: ArrayLike<number>, b: ArrayLike<number>, sizes: MatmulSizes): Float64Array {
  const { m, n, k, transposeA = false, transposeB = false } = sizes;
  checkLength("a", a, m * k);
  checkLength("b", b, k * n);
  const y = new Float64Array(m * n);
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let p = 0; p < k; p++) {
        const aAt = transposeA ? p * m + i : i * k + p;
        const bAt = transposeB ? j * k + p : p * n + j;
        sum += a[aAt]! * b[bAt]!;
      }
      y[i * n + j] = sum;
    }
  return y;
}

/** y[r,u] = b[u] + sum over i of x[r,i] * w[i,u], with x [rows,inputs], w [inputs,units], b [units] or undefined. */
export function dense(
  x: ArrayLike<number>,
  w: ArrayLike<number>,
  b: ArrayLike<number> | undefined,
  sizes: DenseSizes,
): Float64Array {
  const { rows, inputs, units } = sizes;
  const y = matmul(x, w, { m: rows, n: units, k: inputs });
  if (b) {
    checkLength("bias", b, units);
    for (let at = 0; at < y.length; at++) y[at] = y[at]! + b[at % units]!;
  }
  return y;
}

/**
 * dX[r,i] = sum over u of dY[r,u] * w[i,u];  dW[i,u] = sum over r of x[r,i] * dY[r,u];  dB[u] = sum over r of dY[r,u].
 * Sums over the rows, no mean: dY already holds the 1/rows of the loss.
 */
export function denseGradients(
  x: ArrayLike<number>,
  w: ArrayLike<number>,
  dY: ArrayLike<number>,
  sizes: DenseSizes,
): { dX: Float64Array; dW: Float64Array; dB: Float64Array } {
  const { rows, inputs, units } = sizes;
  const dX = matmul(dY, w, { m: rows, n: inputs, k: units, transposeB: true });
  const dW = matmul(x, dY, { m: inputs, n: units, k: rows, transposeA: true });
  const dB = new Float64Array(units);
  for (let at = 0; at < dY.length; at++) dB[at % units] = dB[at % units]! + dY[at]!;
  return { dX, dW, dB };
}

function checkLength(name: string, values: ArrayLike<number>, want: number): void {
  if (values.length !== want) throw new Error(`matmul: ${name} has ${values.length} values, its sizes need ${want}.`);
}
