// 1 - e^x, x at most 0. A difference would lose what 1 - 0.999 has beyond three digits, and `pow` may be off by more.
// provides: one_minus_exp
fn one_minus_exp(x: f32) -> f32 {
  let series = x * (1.0f + x / 2.0f * (1.0f + x / 3.0f * (1.0f + x / 4.0f * (1.0f + x / 5.0f * (1.0f + x / 6.0f)))));
  return select(1.0f - exp(x), -series, x > -0.25f);
}
