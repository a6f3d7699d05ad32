// What the kernels of a depthwise convolution by tiles share: kernels small enough to write out, and as many channels of y as of x.
// One invocation works on four channels of a tile of neighbouring positions. What it loads serves all taps that meet it. For
// processors: a load costs one of them several multiply-adds, and its compiler keeps the many sums.
// provides: TILE_H, TILE_W, OUT_C4, Y_IMAGE, counted
// needs: OUT_C, OUT_H, OUT_W
override TILE_H: u32;
override TILE_W: u32;
const OUT_C4: u32 = (OUT_C + 3u) / 4u;
const Y_IMAGE: u32 = OUT_H * OUT_W * OUT_C; // elements of one image in y

// A product, if what it is made of is there.
fn counted(product: vec4f, holds: bool) -> vec4f {
  return select(vec4f(0.0f), product, holds);
}
