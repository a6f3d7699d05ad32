// INITIAL / (1 + RATE p), p = t / STEPS, rounded down if STAIRCASE
// provides: rate_at
const INITIAL: f32 = 0.0f;
const STEPS: f32 = 1.0f;
const RATE: f32 = 0.0f;
const STAIRCASE: bool = false;

fn rate_at(t: u32) -> f32 {
  let p = f32(t) / STEPS;
  return INITIAL / (1.0f + RATE * select(p, floor(p), STAIRCASE));
}
