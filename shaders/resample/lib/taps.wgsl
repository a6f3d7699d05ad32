// Shared by the kernels of a resampled axis: which places of x make a place of y, and with which weights.
// On an axis of 2 IN OUT units, place k of x lies at (2k + 1) OUT, place o of y at (2o + 1) IN. So places and weights are whole numbers.
// provides: OUTER, IN, OUT, INNER, BELOW, ABOVE, COLUMNS, center, places, weight
override OUTER: u32; // product of the axes before
override IN: u32;
override OUT: u32;
override INNER: u32; // product of the axes behind
override LINEAR: bool; // else the nearest place
override BELOW: i32; // how far below a place of y those of x lie that make it
override ABOVE: i32; // and above
const COLUMNS: u32 = (INNER + 3u) / 4u; // of 4

fn center(place: i32, spacing: u32) -> i32 {
  return (2 * place + 1) * i32(spacing);
}

// The first and the last of `count` places, `spacing` from center to edge, whose centers are not outside of low and high.
fn places(low: i32, high: i32, spacing: u32, count: u32) -> vec2i {
  let half = i32(spacing);
  let first = (max(low - half, 0) + 2 * half - 1) / (2 * half);
  let last = select(-1, (high - half) / (2 * half), high >= half);
  return vec2i(first, min(last, i32(count) - 1));
}

// Of a place of x for one of y, by their centers. It falls to 0 at both ends.
fn weight(y: i32, x: i32) -> f32 {
  if (LINEAR) {
    return f32(ABOVE + 1 - abs(y - x));
  } else {
    return 1.0f;
  }
}
