// winograd_patch_sum.   dx[n,y,x,c] = act'(in[n,y,x,c]) * sum over the tiles whose patch holds (y,x) of patches[t,i,j,c]
// patches [TILES, POINTS, POINTS, IN_C]   dx and in [BATCH, IN_H, IN_W, IN_C]
// One invocation 4 channels of a pixel. GRADIENT_ACTIVATION: `in` is the output of the activation that made x.

// The tiles along one axis whose patch holds a place of the padded input: the first, and the last + 1.
fn tiles_over(place: u32, tiles: u32) -> vec2u {
  let first = (max(place + 1u, POINTS) - POINTS + OUTPUTS - 1u) / OUTPUTS;
  return vec2u(first, min(place / OUTPUTS + 1u, tiles));
}

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
  let down = tiles_over(y, TILES_H);
  let across = tiles_over(x, TILES_W);
  var sum = vec4f(0.0f);
  for (var h = down.x; h < down.y; h++) {
    for (var w = across.x; w < across.y; w++) {
      let t = (image * TILES_H + h) * TILES_W + w;
      sum += load_patches(((t * POINTS + y - h * OUTPUTS) * POINTS + x - w * OUTPUTS) * IN_C + c, IN_C - c);
    }
  }
  let at = pixel * IN_C + c;
  if (GRADIENT_ACTIVATION != 0u) {
    sum = gradient_through(sum, load_in(at, IN_C - c));
  }
  store_dx(at, sum, IN_C - c);
}
