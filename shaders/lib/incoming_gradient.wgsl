// The gradient dy [BATCH, OUT_H, OUT_W, OUT_C] that reaches a convolution, read in fours of channels.
// UNPOOL: it comes through a pooling by windows of 4 that do not overlap; then `dy` and `routes` hold the pooled
// [BATCH, POOLED_H, POOLED_W, OUT_C]. A position whose bit in `routes` is not set reads as 0 (lib/pooled_window.wgsl);
// where AVERAGE, one whose bit is set has a fourth of its window's gradient.
const UNPOOL: bool = false;
const POOL_H: u32 = 2u;
const POOL_W: u32 = 2u;
const POOLED_H: u32 = 1u;
const POOLED_W: u32 = 1u;
const DY_IMAGE: u32 = select(OUT_H * OUT_W, POOLED_H * POOLED_W, UNPOOL) * OUT_C; // elements of one image in `dy`
const AVERAGE: bool = false;
const NO_PLACE: u32 = 8u; // past the bits of every window
@group(0) @binding(0) var<storage, read> routes: array<u32>;

// Where (h, w) lies: the offset of its first channel in an image of `dy`, and its place in the window, if any.
struct Position {
  at: u32,
  place: u32,
}

fn position_of(h: u32, w: u32) -> Position {
  if (UNPOOL) {
    let pooled = h < POOLED_H * POOL_H && w < POOLED_W * POOL_W;
    let place = h % POOL_H * POOL_W + w % POOL_W;
    return Position((h / POOL_H * POOLED_W + w / POOL_W) * OUT_C, select(NO_PLACE, place, pooled));
  } else {
    return Position((h * OUT_W + w) * OUT_C, 0u);
  }
}

// The bits of the four channels from `at`, an offset in `dy`.
fn routes_at(at: u32, o: u32) -> vec4u {
  var word = at / 4u;
  if (OUT_C % 4u != 0u) {
    word = at / OUT_C * ((OUT_C + 3u) / 4u) + o / 4u;
  }
  // Not unpack4xU8: it is a language feature that not every browser has.
  return (vec4u(routes[word]) >> vec4u(0u, 8u, 16u, 24u)) & vec4u(255u);
}

// What a position has of its window's gradient.
fn routed(dy: vec4f, bits: vec4u, place: u32) -> vec4f {
  let reached = (bits & vec4u(1u << place)) != vec4u(0u);
  if (AVERAGE) {
    return select(vec4f(0.0f), 0.25f * dy, reached);
  } else {
    return select(vec4f(0.0f), dy, reached);
  }
}

fn load_incoming(image_at: u32, position: Position, o: u32) -> vec4f {
  let at = image_at + position.at + o;
  if (UNPOOL) {
    return routed(load_dy(at, OUT_C - o), routes_at(at, o), position.place);
  } else {
    return load_dy(at, OUT_C - o);
  }
}

// The positions (h, w) to (h, w + 3), one a column; w is a multiple of 4.
fn load_incoming_4(image_at: u32, h: u32, w: u32, o: u32) -> mat4x4f {
  if (UNPOOL && POOL_W == 2u) {
    // They are two pairs, and the two of a pair share a window.
    let left = position_of(h, w);
    let right = position_of(h, w + 2u);
    let left_at = image_at + left.at + o;
    let right_at = image_at + right.at + o;
    let left_value = load_dy(left_at, OUT_C - o);
    let right_value = load_dy(right_at, OUT_C - o);
    let left_bits = routes_at(left_at, o);
    let right_bits = routes_at(right_at, o);
    return mat4x4f(
      routed(left_value, left_bits, left.place),
      routed(left_value, left_bits, left.place + 1u),
      routed(right_value, right_bits, right.place),
      routed(right_value, right_bits, right.place + 1u),
    );
  } else {
    return mat4x4f(
      load_incoming(image_at, position_of(h, w), o),
      load_incoming(image_at, position_of(h, w + 1u), o),
      load_incoming(image_at, position_of(h, w + 2u), o),
      load_incoming(image_at, position_of(h, w + 3u), o),
    );
  }
}
