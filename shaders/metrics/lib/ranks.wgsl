// A value is the number of thresholds that are below it.
// provides: is_above
fn is_above(value: f32, k: u32) -> bool {
  return u32(value) > k;
}
