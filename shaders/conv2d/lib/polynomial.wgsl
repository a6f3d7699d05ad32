// Polynomials of LENGTH coefficients at the points of points_8.wgsl or points_6.wgsl. At infinity, if that is one of the points, a
// polynomial is its last coefficient. `terms` and `LENGTH` are renamed: they stand for the outputs of a tile or the taps of a kernel.
// provides: Coefficients_terms, evaluate_terms, evaluate_adjoint_terms
// needs: Channels, LENGTH, Points, PAIRS, PAIR, INFINITE, POINTS
alias Coefficients_terms = array<Channels, LENGTH>;

// The values at the points.
fn evaluate_terms(c: Coefficients_terms) -> Points {
  var v: Points;
  v[0] = c[0];
  // unroll
  for (var i = 0u; i < PAIRS; i++) {
    var even = Channels(0.0f);
    var odd = Channels(0.0f);
    // unroll
    for (var j = 0u; j < LENGTH; j++) {
      // Horner's rule in the square of the point, from the last coefficient.
      if ((LENGTH - 1u - j) % 2u == 0u) {
        if (j < 2u) {
          even = c[LENGTH - 1u - j];
        } else {
          even = even * (PAIR[i] * PAIR[i]) + c[LENGTH - 1u - j];
        }
      } else {
        if (j < 2u) {
          odd = c[LENGTH - 1u - j];
        } else {
          odd = odd * (PAIR[i] * PAIR[i]) + c[LENGTH - 1u - j];
        }
      }
    }
    v[1u + 2u * i] = even + odd * PAIR[i];
    v[2u + 2u * i] = even - odd * PAIR[i];
  }
  if (INFINITE) {
    v[POINTS - 1u] = c[LENGTH - 1u];
  }
  return v;
}

// The adjoint: for each coefficient the sum over the points of v times the point's power.
fn evaluate_adjoint_terms(v: Points) -> Coefficients_terms {
  var c: Coefficients_terms;
  // unroll
  for (var j = 0u; j < LENGTH; j++) {
    c[j] = Channels(0.0f);
  }
  // unroll
  for (var i = 0u; i < PAIRS; i++) {
    var even = v[1u + 2u * i] + v[2u + 2u * i];
    var odd = (v[1u + 2u * i] - v[2u + 2u * i]) * PAIR[i];
    // unroll
    for (var j = 0u; j < LENGTH; j++) {
      if (j % 2u == 0u) {
        c[j] += even;
        even *= PAIR[i] * PAIR[i];
      } else {
        c[j] += odd;
        odd *= PAIR[i] * PAIR[i];
      }
    }
  }
  c[0] += v[0];
  if (INFINITE) {
    c[LENGTH - 1u] += v[POINTS - 1u];
  }
  return c;
}
