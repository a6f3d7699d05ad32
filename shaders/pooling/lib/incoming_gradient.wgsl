// The gradient dy [BATCH, OUT_H, OUT_W, OUT_C] that reaches a convolution, read in fours of channels.
// UNPOOL: it comes through a pooling by disjoint windows of 4. Then `dy` and `routes` are pooled, [BATCH, POOLED_H, POOLED_W, OUT_C]. A
// position whose bit in `routes` is not set reads as 0 (pooling/lib/pooled_window.wgsl). With AVERAGE, one whose bit is set has a fourth
// of its window's gradient.
// provides: UNPOOL, POOL_H, POOL_W, POOLED_H, POOLED_W, DY_IMAGE, Position, position_of, load_incoming, load_window
// needs: OUT_H, OUT_W, OUT_C, load_dy
override UNPOOL: bool;
const POOL_H: u32 = 2u;
const POOL_W: u32 = 2u;
const POOLED_H: u32 = 1u;
const POOLED_W: u32 = 1u;
const DY_IMAGE: u32 = select(OUT_H * OUT_W, POOLED_H * POOLED_W, UNPOOL) * OUT_C; // elements of one image in `dy`
const AVERAGE: bool = false;
@group(0) @binding(0) var<storage, read> routes: array<u32>;

// Place of (h, w): the offset of its first channel in an image of `dy`, and its bit in each of four channels' routes.
struct Position {
  at: u32,
  bits: vec4u,
}

fn position_of(h: u32, w: u32) -> Position {
  if (UNPOOL) {
    let pooled = (h < POOLED_H * POOL_H) & (w < POOLED_W * POOL_W);
    let bit = select(0u, 1u << (h % POOL_H * POOL_W + w % POOL_W), pooled);
    return Position((h / POOL_H * POOLED_W + w / POOL_W) * OUT_C, vec4u(bit) << vec4u(0u, 8u, 16u, 24u));
  } else {
    return Position((h * OUT_W + w) * OUT_C, vec4u(0u));
  }
}

// The routes of the four channels from `at`, an offset in `dy`.
fn routes_at(at: u32, o: u32) -> u32 {
  if (OUT_C % 4u == 0u) {
    return routes[at / 4u];
  } else {
    return routes[at / OUT_C * ((OUT_C + 3u) / 4u) + o / 4u];
  }
}

// Share of a position in its window's gradient.
fn routed(dy: vec4f, word: u32, bits: vec4u) -> vec4f {
  let reached = (vec4u(word) & bits) != vec4u(0u);
  if (AVERAGE) {
    return select(vec4f(0.0f), 0.25f * dy, reached);
  } else {
    return select(vec4f(0.0f), dy, reached);
  }
}

fn load_incoming(image_at: u32, position: Position, o: u32) -> vec4f {
  let at = image_at + position.at + o;
  if (UNPOOL) {
    return routed(load_dy(at, OUT_C - o), routes_at(at, o), position.bits);
  } else {
    return load_dy(at, OUT_C - o);
  }
}

// The 4 positions of a window, row-major, one a column.
fn load_window(image_at: u32, h: u32, w: u32, o: u32) -> mat4x4f {
  let at = image_at + (h * POOLED_W + w) * OUT_C + o;
  let dy = load_dy(at, OUT_C - o);
  let word = routes_at(at, o);
  return mat4x4f(
    routed(dy, word, vec4u(1u) << vec4u(0u, 8u, 16u, 24u)),
    routed(dy, word, vec4u(2u) << vec4u(0u, 8u, 16u, 24u)),
    routed(dy, word, vec4u(4u) << vec4u(0u, 8u, 16u, 24u)),
    routed(dy, word, vec4u(8u) << vec4u(0u, 8u, 16u, 24u)),
  );
}
