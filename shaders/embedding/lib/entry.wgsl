// The row of a table that a number names.
// provides: entry_of
// needs: scalar_is_nan, ENTRIES

// The whole part of x, and ENTRIES if it is no row.
fn entry_of(x: f32) -> u32 {
  let is_row = !scalar_is_nan(x) & (x > -1.0f) & (x < f32(ENTRIES));
  return select(ENTRIES, u32(max(x, 0.0f)), is_row);
}
