// winograd_patch_sum.   dx[n,y,x,c] = act'(in[n,y,x,c]) * sum over the tiles whose patch holds (y,x) of patches[t,i,j,c]
// patches [TILES, POINTS, POINTS, IN_C]   dx and in [BATCH, IN_H, IN_W, IN_C]
// One invocation 4 channels of a pixel: it asks the last tile that begins before the pixel, and those up to REACH - 1 before
// that one, along each axis. GRADIENT_ACTIVATION: `in` is the output of the activation that made x.
const REACH: u32 = (POINTS + OUTPUTS - 1u) / OUTPUTS;

@compute @workgroup_size(64)
fn winograd_patch_sum(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let e = linear_index(workgroup, local);
  let c = e % ((IN_C + 3u) / 4u) * 4u;
  let pixel = e / ((IN_C + 3u) / 4u);
  if (pixel >= BATCH * IN_H * IN_W) {
    return;
  }
  let image = pixel / (IN_H * IN_W);
  let y = pixel / IN_W % IN_H + PAD_H;
  let x = pixel % IN_W + PAD_W;
  var sum = vec4f(0.0f);
  // unroll
  for (var up = 0u; up < REACH; up++) {
    // unroll
    for (var left = 0u; left < REACH; left++) {
      // As unsigned numbers, those before the first are larger than any.
      let h = y / OUTPUTS - up;
      let w = x / OUTPUTS - left;
      let i = y % OUTPUTS + up * OUTPUTS;
      let j = x % OUTPUTS + left * OUTPUTS;
      let t = (image * TILES_H + h) * TILES_W + w;
      let value = load_patches(((t * POINTS + i) * POINTS + j) * IN_C + c, IN_C - c);
      sum += select(vec4f(0.0f), value, h < TILES_H && w < TILES_W && i < POINTS && j < POINTS);
    }
  }
  let at = pixel * IN_C + c;
  if (GRADIENT_ACTIVATION != 0u) {
    sum = gradient_through(sum, load_in(at, IN_C - c));
  }
  store_dx(at, sum, IN_C - c);
}
