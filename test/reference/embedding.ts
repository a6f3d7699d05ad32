/** Rows of a table, and the gradient of the table, by plain loops. */

/** y[r, c] = table[x[r], c], x within the table. */
export function embedding(x: ArrayLike<number>, table: ArrayLike<number>, width: number): Float64Array {
  return Float64Array.from({ length: x.length * width }, (_, i) => {
    return table[Math.trunc(x[Math.floor(i / width)]!) * width + (i % width)]!;
  });
}

/** dtable[n, c] = sum of dy[r, c] over r with x[r] = n. */
export function embeddingGradient(
  x: ArrayLike<number>,
  dy: ArrayLike<number>,
  { entries, width }: { entries: number; width: number },
): Float64Array {
  const made = new Float64Array(entries * width);
  for (let r = 0; r < x.length; r++)
    for (let c = 0; c < width; c++) made[Math.trunc(x[r]!) * width + c]! += dy[r * width + c]!;
  return made;
}
