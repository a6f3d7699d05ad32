// Shared by the pooling kernels, NHWC: x [BATCH, IN_H, IN_W, C], y [BATCH, OUT_H, OUT_W, C], windows of POOL_H x POOL_W.
// provides: BATCH, IN_H, IN_W, OUT_H, OUT_W, C, POOL_H, POOL_W, STRIDE_H, STRIDE_W, PAD_H, PAD_W, window_with
override BATCH: u32;
override IN_H: u32;
override IN_W: u32;
override OUT_H: u32;
override OUT_W: u32;
override C: u32;
override POOL_H: u32;
override POOL_W: u32;
override STRIDE_H: u32;
override STRIDE_W: u32;
override PAD_H: u32;
override PAD_W: u32;

// Row and column in y of the window whose cell (i, j) is (h, w) of the padded x; it is outside y if there is none.
fn window_with(h: u32, w: u32, i: u32, j: u32) -> vec2u {
  let aligned = (h >= i) & (w >= j) & ((h - i) % STRIDE_H == 0u) & ((w - j) % STRIDE_W == 0u);
  return select(vec2u(OUT_H, OUT_W), vec2u((h - i) / STRIDE_H, (w - j) / STRIDE_W), aligned);
}
