// A pooling of one window of 4 positions in registers, right after the activation, four channels at a time.
// `bits`, which `routes` packs, has a bit for each position, row-major. It is set where the window's gradient goes: at the first maximum
// or, with AVERAGE, at every position where the activation, linear or relu, lets it through.
// provides: POOL_H, POOL_W, POOLED_H, POOLED_W, Pooled, pool, packed
// needs: exceeds, ACTIVATION, is_positive
const POOL_H: u32 = 2u;
const POOL_W: u32 = 2u;
const POOLED_H: u32 = 1u;
const POOLED_W: u32 = 1u;
const AVERAGE: bool = false;

struct Pooled {
  y: vec4f,
  bits: vec4u,
}

fn pool(a: vec4f, b: vec4f, c: vec4f, d: vec4f) -> Pooled {
  if (AVERAGE) {
    return Pooled(0.25f * (a + b + c + d), let_through(a, 1u) | let_through(b, 2u) | let_through(c, 4u) | let_through(d, 8u));
  } else {
    return larger(larger(larger(Pooled(a, vec4u(1u)), b, 2u), c, 4u), d, 8u);
  }
}

// The first of equal values wins, or the first NaN.
fn larger(best: Pooled, value: vec4f, bit: u32) -> Pooled {
  let wins = exceeds(value, best.y);
  return Pooled(select(best.y, value, wins), select(best.bits, vec4u(bit), wins));
}

fn let_through(y: vec4f, bit: u32) -> vec4u {
  if (ACTIVATION == 1u) {
    return select(vec4u(0u), vec4u(bit), is_positive(y));
  } else {
    return vec4u(bit);
  }
}

// A byte a channel.
fn packed(bits: vec4u) -> u32 {
  return dot(bits, vec4u(1u, 1u << 8u, 1u << 16u, 1u << 24u));
}
