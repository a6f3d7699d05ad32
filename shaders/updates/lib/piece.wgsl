// RATE up to the step BOUNDARY, that step with it, then what another piece says
// provides: rate_at
// needs: rest_at
const RATE: f32 = 0.0f;
const BOUNDARY: u32 = 0u;

fn rate_at(t: u32) -> f32 {
  if (t <= BOUNDARY) {
    return RATE;
  }
  return rest_at(t);
}
