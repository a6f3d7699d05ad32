// The gradient dy [BATCH, OUT_H, OUT_W, OUT_C] that reaches a convolution, read in fours of channels.
// UNPOOL: it comes through a max pooling whose windows do not overlap; then `dy` and `argmax` hold the pooled
// [BATCH, POOLED_H, POOLED_W, OUT_C], and every position that did not win its window reads as 0.
// `argmax` has one byte a channel: the winner's place in its window, row-major.
const UNPOOL: bool = false;
const POOL_H: u32 = 2u;
const POOL_W: u32 = 2u;
const POOLED_H: u32 = 1u;
const POOLED_W: u32 = 1u;
@group(0) @binding(0) var<storage, read> argmax: array<u32>;

fn load_incoming(image: u32, h: u32, w: u32, o: u32) -> vec4f {
  if (UNPOOL) {
    let pixel = (image * POOLED_H + h / POOL_H) * POOLED_W + w / POOL_W;
    let winner = unpack4xU8(argmax[pixel * ((OUT_C + 3u) / 4u) + o / 4u]);
    let place = (h % POOL_H) * POOL_W + w % POOL_W;
    let pooled = h < POOLED_H * POOL_H && w < POOLED_W * POOL_W;
    let won = (winner == vec4u(place)) & vec4<bool>(pooled);
    return select(vec4f(0.0f), load_dy(pixel * OUT_C + o, OUT_C - o), won);
  } else {
    return load_dy(((image * OUT_H + h) * OUT_W + w) * OUT_C + o, OUT_C - o);
  }
}
