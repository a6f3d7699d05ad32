// END + (INITIAL - END) (1 - t / steps)^POWER, t at most STEPS; CYCLE: steps is the least multiple of STEPS that t does not exceed
// SPAN = INITIAL - END
// provides: rate_at
// needs: fraction_power
const SPAN: f32 = 0.0f;
const END: f32 = 0.0f;
const STEPS: f32 = 1.0f;
const POWER: f32 = 1.0f;
const CYCLE: bool = false;

fn rate_at(t: u32) -> f32 {
  var at = f32(t);
  var steps = STEPS;
  if (CYCLE) {
    steps *= max(ceil(at / STEPS), 1.0f);
  }
  at = min(at, steps);
  return END + SPAN * fraction_power((steps - at) / steps, POWER);
}
