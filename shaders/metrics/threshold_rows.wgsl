// threshold_rows.   y[r, label, is, k] = how many numbers of row r are above the threshold k   one invocation a number of y
// x [BATCH, SIZE]   y [BATCH, LABELS, 2, COUNT + 1]: of each label, numbers whose label is 0, then the others; the last counts all, above a
// threshold or not. Labels take turns along a row. With LABELS 1 all numbers count together.
// Labels t [BATCH, SIZE]; or, where SPARSE, class_of [BATCH].
override BATCH: u32;
override SIZE: u32;
override LABELS: u32;
override COUNT: u32;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(0) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn threshold_rows(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let e = linear_index(workgroup, local);
  if (e < BATCH * LABELS * 2u * (COUNT + 1u)) {
    let k = e % (COUNT + 1u);
    let row = e / (COUNT + 1u);
    let first = row / 2u / LABELS * SIZE;
    var count = 0u;
    for (var i = row / 2u % LABELS; i < SIZE; i += LABELS) {
      let counts = (is_wanted(first + i) == (row % 2u == 1u)) & ((k == COUNT) | is_above(x[first + i], min(k, COUNT - 1u)));
      count += select(0u, 1u, counts);
    }
    y[e] = f32(count);
  }
}
