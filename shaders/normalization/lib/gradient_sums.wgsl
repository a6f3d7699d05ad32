// Where the sums over the n positions in use go, sums[0] of dy and sums[1] of dy normalized(x).
// dbeta [C] = sums[0]   dgamma [C] = sums[1]   means [2, C] = sums / n
// provides: put_sums
// needs: C, store_dbeta, store_dgamma, positions_in_use, store_means
override HAS_DBETA: bool;
override HAS_DGAMMA: bool;
override HAS_MEANS: bool;

fn put_sums(c: u32, sums: mat2x4f) {
  let left = C - c;
  if (HAS_DBETA) {
    store_dbeta(c, sums[0], left);
  }
  if (HAS_DGAMMA) {
    store_dgamma(c, sums[1], left);
  }
  if (HAS_MEANS) {
    let n = f32(positions_in_use());
    store_means(c, sums[0] / n, left);
    store_means(C + c, sums[1] / n, left);
  }
}
