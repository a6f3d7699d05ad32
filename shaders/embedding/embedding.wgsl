// embedding.   y[r, c] = table[x[r], c], and NaN where x[r] is no row of the table
// x [ROWS], numbers whose whole part counts   table [ENTRIES, OUT]   y [ROWS, OUT]. One invocation four c of a row.
override ROWS: u32;
override ENTRIES: u32;
override OUT: u32;

@group(0) @binding(0) var<storage, read> x: array<f32>;

@compute @workgroup_size(64)
fn embedding(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let e = linear_index(workgroup, local);
  let r = e / ((OUT + 3u) / 4u);
  let c = e % ((OUT + 3u) / 4u) * 4u;
  if (r < ROWS) {
    let entry = entry_of(x[r]);
    let row = load_table(min(entry, ENTRIES - 1u) * OUT + c, OUT - c);
    store_y(r * OUT + c, select(vec4f(nan_of(x[r])), row, entry < ENTRIES), OUT - c);
  }
}
