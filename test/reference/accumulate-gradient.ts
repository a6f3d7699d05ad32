/** The sum of gradients in float64, in place, and what is stepped by: its mean over `steps`. `t` counts the steps made before. */
export function accumulateGradient(sum: Float64Array, g: ArrayLike<number>, steps: number, t: number): Float64Array {
  const due = (t + 1) % steps === 0;
  return sum.map((before, i) => {
    const all = before + g[i]!;
    sum[i] = due ? 0 : all;
    return all / steps;
  });
}
