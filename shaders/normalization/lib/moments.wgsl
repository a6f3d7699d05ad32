// Where the moments of a batch go.   variance [C] is the biased one, as Keras's
// moments [3, C]: mean; 1 / sqrt(variance + EPSILON); gamma / sqrt(variance + EPSILON)
// moving_mean := moving_mean MOMENTUM + mean REST     moving_variance likewise;   REST = 1 - MOMENTUM
// provides: corrected, put_moments
// needs: is_nan, C, inverse_deviation, store_moments, load_gamma, store_moving_mean, load_moving_mean, store_moving_variance, load_moving_variance
override HAS_GAMMA: bool;
const MOMENTUM: f32 = 0.99f;
const REST: f32 = 0.01f;

// A mean with what it lost by its roundings: the mean of the deviations from it, which is a NaN where it is infinite.
fn corrected(mean: vec4f, lost: vec4f) -> vec4f {
  return mean + select(lost, vec4f(0.0f), is_nan(lost));
}

fn put_moments(c: u32, mean: vec4f, variance: vec4f) {
  let left = C - c;
  let inverse = inverse_deviation(variance);
  store_moments(c, mean, left);
  store_moments(C + c, inverse, left);
  if (HAS_GAMMA) {
    store_moments(2u * C + c, inverse * load_gamma(c, left), left);
  } else {
    store_moments(2u * C + c, inverse, left);
  }
  store_moving_mean(c, load_moving_mean(c, left) * MOMENTUM + mean * REST, left);
  store_moving_variance(c, load_moving_variance(c, left) * MOMENTUM + variance * REST, left);
}
