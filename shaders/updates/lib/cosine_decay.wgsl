// FROM ((1 - ALPHA) (1 + cos(pi t / STEPS)) / 2 + ALPHA), t from the end of the warm-up on, at most STEPS
// In the first WARMUP steps it goes from INITIAL to FROM in a straight line.
// provides: rate_at
// needs: half_cosine
const INITIAL: f32 = 0.0f;
const FROM: f32 = 0.0f;
const STEPS: f32 = 1.0f;
const ALPHA: f32 = 0.0f;
const WARMUP: f32 = 0.0f;

fn rate_at(t: u32) -> f32 {
  let at = f32(t);
  if (at < WARMUP) {
    return INITIAL + (FROM - INITIAL) * (at / WARMUP);
  }
  return FROM * ((1.0f - ALPHA) * half_cosine(min((at - WARMUP) / STEPS, 1.0f)) + ALPHA);
}
