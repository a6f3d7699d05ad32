// What channels c to c + 3 are normalized by: with OF_BATCH the moments [3, C] of the batch (normalization/lib/moments.wgsl), else
// a mean and a variance [C] that are given, and gamma [C] if there is one.
// provides: OF_BATCH, statistics
// needs: C, load_moments, inverse_deviation, load_variance, load_gamma, load_mean
override OF_BATCH: bool;
override HAS_GAMMA: bool;

struct Statistics {
  center: vec4f, // the mean
  inverse: vec4f, // 1 / sqrt(variance + EPSILON)
  scale: vec4f, // gamma times that
}

fn statistics(c: u32) -> Statistics {
  let left = C - c;
  if (OF_BATCH) {
    return Statistics(load_moments(c, left), load_moments(C + c, left), load_moments(2u * C + c, left));
  } else {
    let inverse = inverse_deviation(load_variance(c, left));
    var scale = inverse;
    if (HAS_GAMMA) {
      scale *= load_gamma(c, left);
    }
    return Statistics(load_mean(c, left), inverse, scale);
  }
}
