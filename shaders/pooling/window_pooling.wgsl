// window_pooling.   p[n,h,w,c] = maximum or mean over a window of 4 of y, the output of an activation; windows are disjoint
// y [BATCH, OUT_H, OUT_W, OUT_C]   p [BATCH, POOLED_H, POOLED_W, OUT_C]   routes [BATCH, POOLED_H, POOLED_W, OUT_C / 4]: the places
// where the gradient of p goes, a byte a channel (pooling/lib/pooled_window.wgsl).   One invocation a window and 4 channels.
override BATCH: u32;
override OUT_H: u32;
override OUT_W: u32;
override OUT_C: u32;

@group(0) @binding(0) var<storage, read_write> routes: array<u32>;

@compute @workgroup_size(64)
fn window_pooling(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let e = linear_index(workgroup, local);
  let c = e % ((OUT_C + 3u) / 4u) * 4u;
  let window = e / ((OUT_C + 3u) / 4u);
  if (window >= BATCH * POOLED_H * POOLED_W) {
    return;
  }
  let h = window / POOLED_W % POOLED_H * POOL_H;
  let w = window % POOLED_W * POOL_W;
  let at = ((window / (POOLED_H * POOLED_W) * OUT_H + h) * OUT_W + w) * OUT_C + c;
  let pooled = pool(
    load_y(at, OUT_C - c),
    load_y(at + (1u / POOL_W * OUT_W + 1u % POOL_W) * OUT_C, OUT_C - c),
    load_y(at + (2u / POOL_W * OUT_W + 2u % POOL_W) * OUT_C, OUT_C - c),
    load_y(at + (3u / POOL_W * OUT_W + 3u % POOL_W) * OUT_C, OUT_C - c),
  );
  store_p(window * OUT_C + c, pooled.y, OUT_C - c);
  routes[window * ((OUT_C + 3u) / 4u) + c / 4u] = packed(pooled.bits);
}
