// Half of 1 + cos(pi x), x from 0 to 1. WGSL's `cos` may be off by 2^-11.
// provides: half_cosine

fn half_cosine(x: f32) -> f32 {
  // The square of a sine of at most pi / 4, or 1 less such a one: no digits are lost beside 0.
  let near = min(x, 1.0f - x) * 1.57079633f;
  let square = near * near;
  let series = 1.0f - square / 6.0f * (1.0f - square / 20.0f * (1.0f - square / 42.0f * (1.0f - square / 72.0f)));
  let sine = near * series;
  return select(sine * sine, 1.0f - sine * sine, x < 0.5f);
}
