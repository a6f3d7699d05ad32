// mix_rows.   y[r,:] = w x[r,:] + (1 - w) x[p,:],   w = weights[r], p = partners[r]
// x, y [BATCH, SIZE]. One invocation four elements of a row.
override BATCH: u32;
override SIZE: u32;

@group(0) @binding(0) var<storage, read> partners: array<u32>;
@group(0) @binding(0) var<storage, read> weights: array<f32>;

const BLOCKS: u32 = (SIZE + 3u) / 4u; // of a row

@compute @workgroup_size(64)
fn mix_rows(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let e = linear_index(workgroup, local);
  let r = e / BLOCKS;
  if (r < BATCH) {
    let at = e % BLOCKS * 4u;
    let w = weights[r];
    let value = w * load_x(r * SIZE + at, SIZE - at) + (1.0f - w) * load_x(partners[r] * SIZE + at, SIZE - at);
    store_y(r * SIZE + at, value, SIZE - at);
  }
}
