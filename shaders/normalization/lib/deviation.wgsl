// provides: inverse_deviation
// needs: carrying_nan
const EPSILON: f32 = 0.001f;

fn inverse_deviation(variance: vec4f) -> vec4f {
  return carrying_nan(variance, inverseSqrt(variance + EPSILON));
}
