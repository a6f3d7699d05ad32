// RATE at every step
// provides: rate_at
const RATE: f32 = 0.0f;

fn rate_at(t: u32) -> f32 {
  return RATE;
}
