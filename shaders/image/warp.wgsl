// warp.   y[n, i, j, c] = x at the place (a0 j + a1 i + a2, b0 j + b1 i + b2) of its image n, with a, b = m[n % MATRICES]
// x [BATCH, IN_H, IN_W, C]   m [MATRICES, 6]   y [BATCH, OUT_H, OUT_W, C]. One invocation four c of a pixel.
// Between pixels x is interpolated linearly or, unless LINEAR, is the nearest pixel; halves go away from 0. Beyond its edges FILL says what
// it is: 0, reflected (d c b a | a b c d | d c b a); 1, wrapped; 2, FILL_VALUE; 3, the pixel at the edge. A pixel of weight 0 adds nothing.
override BATCH: u32;
override IN_H: u32;
override IN_W: u32;
override OUT_H: u32;
override OUT_W: u32;
override C: u32;
override MATRICES: u32;
override LINEAR: bool;
override FILL: u32;
override FILL_VALUE: f32;

@group(0) @binding(0) var<storage, read> m: array<f32>;

fn remainder(i: i32, size: i32) -> i32 {
  return ((i % size) + size) % size;
}

// The pixel that stands for one beyond an edge.
fn folded(i: i32, size: i32) -> u32 {
  if (FILL == 0u) {
    let at = remainder(i, 2 * size);
    return u32(min(at, 2 * size - 1 - at));
  }
  if (FILL == 1u) {
    return u32(remainder(i, size));
  }
  return u32(clamp(i, 0, size - 1));
}

fn pixel(n: u32, i: i32, j: i32, c: u32) -> vec4f {
  let place = (n * IN_H + folded(i, i32(IN_H))) * IN_W + folded(j, i32(IN_W));
  let value = load_x(place * C + c, C - c);
  let inside = (i >= 0) & (i < i32(IN_H)) & (j >= 0) & (j < i32(IN_W));
  return select(vec4f(FILL_VALUE), value, (FILL != 2u) | inside);
}

fn share(weight: f32, value: vec4f) -> vec4f {
  return select(vec4f(0.0f), weight * value, weight != 0.0f);
}

@compute @workgroup_size(64)
fn warp(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let e = linear_index(workgroup, local);
  let c = e % ((C + 3u) / 4u) * 4u;
  let p = e / ((C + 3u) / 4u);
  let n = p / (OUT_H * OUT_W);
  if (n < BATCH) {
    let i = f32(p / OUT_W % OUT_H);
    let j = f32(p % OUT_W);
    let row = n % MATRICES * 6u;
    let at = vec2f(m[row] * j + m[row + 1u] * i + m[row + 2u], m[row + 3u] * j + m[row + 4u] * i + m[row + 5u]);
    if (LINEAR) {
      let low = floor(at);
      let weight = at - low;
      let corner = vec2i(low);
      let above = share(1.0f - weight.x, pixel(n, corner.y, corner.x, c)) + share(weight.x, pixel(n, corner.y, corner.x + 1, c));
      let below = share(1.0f - weight.x, pixel(n, corner.y + 1, corner.x, c)) + share(weight.x, pixel(n, corner.y + 1, corner.x + 1, c));
      store_y(p * C + c, share(1.0f - weight.y, above) + share(weight.y, below), C - c);
    } else {
      let nearest = vec2i(sign(at) * floor(abs(at) + 0.5f));
      store_y(p * C + c, pixel(n, nearest.y, nearest.x, c), C - c);
    }
  }
}
