// winograd_patch_sum.   dx[n,y,x,c] = act'(in[n,y,x,c]) * sum over the rows of tiles h that reach y of strips[n,h,i,x,c]
// strips [BATCH, TILES_H, POINTS, STRIP_W, IN_C] (winograd_input_gradient)   dx and in [BATCH, IN_H, IN_W, IN_C]
// One invocation 4 channels of a pixel. It reads the last row of tiles that begins before the pixel, and up to REACH - 1 rows before
// that one. GRADIENT_ACTIVATION: `in` is the output of the activation that made x.
const REACH: u32 = (POINTS + OUTPUTS - 1u) / OUTPUTS;
const STRIP_W: u32 = TILES_W * OUTPUTS + POINTS - OUTPUTS;

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
    // As an unsigned number, a row before the first is larger than any size.
    let h = y / OUTPUTS - up;
    let i = y % OUTPUTS + up * OUTPUTS;
    let value = load_strips((((image * TILES_H + h) * POINTS + i) * STRIP_W + x) * IN_C + c, IN_C - c);
    sum += select(vec4f(0.0f), value, (h < TILES_H) & (i < POINTS));
  }
  let at = pixel * IN_C + c;
  if (GRADIENT_ACTIVATION != 0u) {
    sum = gradient_through(sum, load_in(at, IN_C - c));
  }
  store_dx(at, sum, IN_C - c);
}
