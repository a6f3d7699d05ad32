// INITIAL rate^p, p = t / STEPS, rounded down if STAIRCASE; LOG_RATE = ln rate
// provides: rate_at
// needs: power_of
const INITIAL: f32 = 0.0f;
const STEPS: f32 = 1.0f;
const LOG_RATE: f32 = 0.0f;
const STAIRCASE: bool = false;

fn rate_at(t: u32) -> f32 {
  let p = f32(t) / STEPS;
  return INITIAL * power_of(LOG_RATE, select(p, floor(p), STAIRCASE));
}
