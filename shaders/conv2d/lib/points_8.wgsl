// Winograd's filtering along one axis at 8 points: 0, 1, -1, 2, -2, 1/2, -1/2 and infinity; or at 7, without infinity.
// y_i = sum over j of x_(i+j) * k_j is A' ((G k) * (B' x)), for points + 1 - taps outputs y_i.
// B' interpolates. A and, up to a factor, G evaluate polynomials at the points (polynomial.wgsl).
// Lavin and Gray, "Fast algorithms for convolutional neural networks", arXiv 1509.09308.
// provides: POINTS, INFINITE, PAIRS, PAIR, Points, interpolate, interpolate_adjoint, weighted
// needs: Channels
override POINTS: u32;
const INFINITE: bool = POINTS == 8u;
const PAIRS: u32 = 3u;
const PAIR = array<f32, PAIRS>(1.0f, 2.0f, 0.5f); // each with its negative
alias Points = array<Channels, POINTS>;

// B' x
fn interpolate(x: Points) -> Points {
  let even_1 = x[2] + x[6] - 4.25f * x[4];
  let odd_1 = x[1] + x[5] - 4.25f * x[3];
  let even_2 = x[6] + 0.25f * x[2] - 1.25f * x[4];
  let odd_2 = 0.5f * x[1] - 2.5f * x[3] + 2.0f * x[5];
  let even_3 = x[6] + 4.0f * x[2] - 5.0f * x[4];
  let odd_3 = 2.0f * x[1] - 2.5f * x[3] + 0.5f * x[5];
  var v: Points;
  v[0] = x[0] - x[6] + 5.25f * (x[4] - x[2]);
  v[1] = even_1 + odd_1;
  v[2] = even_1 - odd_1;
  v[3] = even_2 + odd_2;
  v[4] = even_2 - odd_2;
  v[5] = even_3 + odd_3;
  v[6] = even_3 - odd_3;
  if (INFINITE) {
    v[7] = x[7] - x[1] + 5.25f * (x[3] - x[5]);
  }
  return v;
}

// B v
fn interpolate_adjoint(v: Points) -> Points {
  let sum_1 = v[1] + v[2];
  let difference_1 = v[1] - v[2];
  let sum_2 = v[3] + v[4];
  let difference_2 = v[3] - v[4];
  let sum_3 = v[5] + v[6];
  let difference_3 = v[5] - v[6];
  var x: Points;
  x[0] = v[0];
  x[1] = difference_1 + 0.5f * difference_2 + 2.0f * difference_3;
  x[2] = sum_1 - 5.25f * v[0] + 0.25f * sum_2 + 4.0f * sum_3;
  x[3] = -4.25f * difference_1 - 2.5f * (difference_2 + difference_3);
  x[4] = 5.25f * v[0] - 4.25f * sum_1 - 1.25f * sum_2 - 5.0f * sum_3;
  x[5] = difference_1 + 2.0f * difference_2 + 0.5f * difference_3;
  x[6] = sum_1 - v[0] + sum_2 + sum_3;
  if (INFINITE) {
    x[1] -= v[7];
    x[3] += 5.25f * v[7];
    x[5] -= 5.25f * v[7];
    x[7] = v[7];
  }
  return x;
}

// The factors of G's rows.
fn weighted(v: Points) -> Points {
  var w = v;
  w[1] *= -2.0f / 9.0f;
  w[2] *= -2.0f / 9.0f;
  w[3] *= 1.0f / 90.0f;
  w[4] *= 1.0f / 90.0f;
  w[5] *= 32.0f / 45.0f;
  w[6] *= 32.0f / 45.0f;
  return w;
}
