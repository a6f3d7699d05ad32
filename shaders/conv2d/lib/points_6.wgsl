// Winograd's filtering along one axis at 6 points: 0, 1, -1, 2, -2 and infinity. See points_8.wgsl.
// provides: POINTS, INFINITE, PAIRS, PAIR, Points, interpolate, interpolate_adjoint, weighted
// needs: Channels
override POINTS: u32;
const INFINITE: bool = true;
const PAIRS: u32 = 2u;
const PAIR = array<f32, PAIRS>(1.0f, 2.0f); // each with its negative
alias Points = array<Channels, POINTS>;

// B' x
fn interpolate(x: Points) -> Points {
  let even_1 = x[4] - 4.0f * x[2];
  let odd_1 = x[3] - 4.0f * x[1];
  let even_2 = x[4] - x[2];
  let odd_2 = 2.0f * (x[3] - x[1]);
  return Points(
    4.0f * x[0] - 5.0f * x[2] + x[4],
    even_1 + odd_1,
    even_1 - odd_1,
    even_2 + odd_2,
    even_2 - odd_2,
    4.0f * x[1] - 5.0f * x[3] + x[5],
  );
}

// B v
fn interpolate_adjoint(v: Points) -> Points {
  let sum_1 = v[1] + v[2];
  let difference_1 = v[1] - v[2];
  let sum_2 = v[3] + v[4];
  let difference_2 = v[3] - v[4];
  return Points(
    4.0f * v[0],
    4.0f * (v[5] - difference_1) - 2.0f * difference_2,
    -5.0f * v[0] - 4.0f * sum_1 - sum_2,
    difference_1 + 2.0f * difference_2 - 5.0f * v[5],
    v[0] + sum_1 + sum_2,
    v[5],
  );
}

// The factors of G's rows.
fn weighted(v: Points) -> Points {
  return Points(
    v[0] * 0.25f,
    v[1] * (-1.0f / 6.0f),
    v[2] * (-1.0f / 6.0f),
    v[3] * (1.0f / 24.0f),
    v[4] * (1.0f / 24.0f),
    v[5],
  );
}
