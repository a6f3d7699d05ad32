// Powers for schedules, within a few units in the last place. WGSL's `pow` may be off by many more.
// provides: power_of, fraction_power
// needs: decay, log_one_plus

// e^(log_base t), where log_base is the logarithm of a base.
fn power_of(log_base: f32, t: f32) -> f32 {
  let x = log_base * t;
  let shrunk = decay(vec4f(-abs(x))).x;
  return select(shrunk, 1.0f / shrunk, x > 0.0f);
}

// q^exponent, q from 0 to 1, exponent at least 0. 0^0 is 1.
fn fraction_power(q: f32, exponent: f32) -> f32 {
  if (exponent == 0.0f) {
    return 1.0f;
  }
  if (q <= 0.0f) {
    return 0.0f;
  }
  if (q < 0.5f) {
    return decay(vec4f(exponent * log(q))).x;
  }
  return decay(vec4f(-exponent * log_one_plus(vec4f((1.0f - q) / q)).x)).x;
}
