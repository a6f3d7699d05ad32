// cut_rows.   y[r,i,j,:] = x[p,i,j,:] within the box of row r, else x[r,i,j,:],   p = partners[r]
// x, y [BATCH, H, W, C]   draws [BATCH, 2], uniform in [0, 1). One invocation four elements of a pixel.
// The box has a share s = sqrt(1 - weights[r]) of each side. It begins at draws (1 - s) W and draws (1 - s) H, in pixels and parts of them;
// a pixel is within it if its left upper corner is.
override BATCH: u32;
override H: u32;
override W: u32;
override C: u32;

@group(0) @binding(0) var<storage, read> partners: array<u32>;
@group(0) @binding(0) var<storage, read> weights: array<f32>;
@group(0) @binding(0) var<storage, read> draws: array<f32>;

const BLOCKS: u32 = (C + 3u) / 4u; // of a pixel

@compute @workgroup_size(64)
fn cut_rows(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let e = linear_index(workgroup, local);
  let c = e % BLOCKS * 4u;
  let pixel = e / BLOCKS;
  let r = pixel / (H * W);
  if (r < BATCH) {
    let place = vec2f(f32(pixel % W), f32(pixel / W % H));
    let size = vec2f(f32(W), f32(H));
    let box = sqrt(1.0f - weights[r]) * size;
    let begin = vec2f(draws[2u * r], draws[2u * r + 1u]) * (size - box);
    let inside = all(place >= begin) & all(place < begin + box);
    let row = select(r, partners[r], inside);
    store_y(pixel * C + c, load_x((row * H * W + pixel % (H * W)) * C + c, C - c), C - c);
  }
}
