// INITIAL ((1 - ALPHA) M^i (1 + cos(pi x)) / 2 + ALPHA), x the share of period i that has passed. Period 0 has STEPS steps, each
// further one STRETCH times as many, STRETCH at least 1; LOG_M = ln M
// provides: rate_at
// needs: power_of, half_cosine
const INITIAL: f32 = 0.0f;
const STEPS: f32 = 1.0f;
const STRETCH: f32 = 2.0f;
const LOG_M: f32 = 0.0f;
const ALPHA: f32 = 0.0f;

fn rate_at(t: u32) -> f32 {
  var at = f32(t);
  var period_steps = STEPS;
  var period = 0.0f;
  if (STRETCH == 1.0f) {
    period = floor(at / period_steps);
    at -= period * period_steps;
  } else {
    // Whole periods are counted, not computed by a logarithm: a rounding would move a restart by a step.
    while (at >= period_steps) {
      at -= period_steps;
      period_steps *= STRETCH;
      period += 1.0f;
    }
  }
  let x = clamp(at / period_steps, 0.0f, 1.0f);
  return INITIAL * ((1.0f - ALPHA) * power_of(LOG_M, period) * half_cosine(x) + ALPHA);
}
