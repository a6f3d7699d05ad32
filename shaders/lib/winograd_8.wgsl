// Winograd's filtering along one axis at 8 points: 0, 1, -1, 2, -2, 1/2, -1/2 and infinity.
// The y_i = sum over j of x_(i+j) * k_j, as many as there are points less the taps k_j but one, are A' ((G k) * (B' x)).
// B' interpolates; A and, but for a factor, G evaluate polynomials at the points (polynomial.wgsl).
// Lavin and Gray, "Fast algorithms for convolutional neural networks", arXiv 1509.09308.
const POINTS: u32 = 8u;
const PAIRS: u32 = 3u;
const PAIR = array<f32, PAIRS>(1.0f, 2.0f, 0.5f); // each with its negative
alias Points = array<vec4f, POINTS>;

// B' x
fn interpolate(x: Points) -> Points {
  let even_1 = x[2] + x[6] - 4.25f * x[4];
  let odd_1 = x[1] + x[5] - 4.25f * x[3];
  let even_2 = x[6] + 0.25f * x[2] - 1.25f * x[4];
  let odd_2 = 0.5f * x[1] - 2.5f * x[3] + 2.0f * x[5];
  let even_3 = x[6] + 4.0f * x[2] - 5.0f * x[4];
  let odd_3 = 2.0f * x[1] - 2.5f * x[3] + 0.5f * x[5];
  return Points(
    x[0] - x[6] + 5.25f * (x[4] - x[2]),
    even_1 + odd_1,
    even_1 - odd_1,
    even_2 + odd_2,
    even_2 - odd_2,
    even_3 + odd_3,
    even_3 - odd_3,
    x[7] - x[1] + 5.25f * (x[3] - x[5]),
  );
}

// B v
fn interpolate_adjoint(v: Points) -> Points {
  let sum_1 = v[1] + v[2];
  let difference_1 = v[1] - v[2];
  let sum_2 = v[3] + v[4];
  let difference_2 = v[3] - v[4];
  let sum_3 = v[5] + v[6];
  let difference_3 = v[5] - v[6];
  return Points(
    v[0],
    difference_1 - v[7] + 0.5f * difference_2 + 2.0f * difference_3,
    sum_1 - 5.25f * v[0] + 0.25f * sum_2 + 4.0f * sum_3,
    5.25f * v[7] - 4.25f * difference_1 - 2.5f * (difference_2 + difference_3),
    5.25f * v[0] - 4.25f * sum_1 - 1.25f * sum_2 - 5.0f * sum_3,
    difference_1 - 5.25f * v[7] + 2.0f * difference_2 + 0.5f * difference_3,
    sum_1 - v[0] + sum_2 + sum_3,
    v[7],
  );
}

// The factors of G's rows.
fn weighted(v: Points) -> Points {
  return Points(
    v[0],
    v[1] * (-2.0f / 9.0f),
    v[2] * (-2.0f / 9.0f),
    v[3] * (1.0f / 90.0f),
    v[4] * (1.0f / 90.0f),
    v[5] * (32.0f / 45.0f),
    v[6] * (32.0f / 45.0f),
    v[7],
  );
}
