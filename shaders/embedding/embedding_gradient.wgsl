// embedding_gradient.   dtable[n, c] = sum of dy[r, c] over the rows r in use with x[r] = n, in their order
// x [BATCH, SAMPLE_ROWS]   dy [BATCH, SAMPLE_ROWS, OUT]   dtable [ENTRIES, OUT]
// One invocation four c of an n. It looks at each x, and reads dy only of those that name it. So no two invocations add to one number.
override BATCH: u32;
override SAMPLE_ROWS: u32;
override ENTRIES: u32;
override OUT: u32;

@group(0) @binding(0) var<storage, read> state: StepState;
@group(0) @binding(0) var<storage, read> x: array<f32>;

@compute @workgroup_size(64)
fn embedding_gradient(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let e = linear_index(workgroup, local);
  let n = e / ((OUT + 3u) / 4u);
  let c = e % ((OUT + 3u) / 4u) * 4u;
  if (n < ENTRIES) {
    var sum = vec4f(0.0f);
    let in_use = min(state.rows, BATCH) * SAMPLE_ROWS;
    for (var r = 0u; r < in_use; r++) {
      if (entry_of(x[r]) == n) {
        sum += load_dy(r * OUT + c, OUT - c);
      }
    }
    store_dtable(n * OUT + c, sum, OUT - c);
  }
}
