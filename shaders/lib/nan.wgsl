// NaN and infinity, found by bits. WGSL lets a compiler assume that there are none. Then `max`, `min` and `clamp` give the other operand,
// and a comparison or `x != x` may be folded away. If a NaN must arrive in the result, use this file for a maximum, a choice by a
// comparison, or a function that is not plain arithmetic.
// provides: is_nan, carrying_nan, is_positive, positive_part, exceeds, scalar_exceeds, scalar_is_nan, scalar_is_finite, nan_of

fn is_nan(x: vec4f) -> vec4<bool> {
  return (bitcast<vec4u>(x) & vec4u(0x7fffffffu)) > vec4u(0x7f800000u);
}

// `result`, which was computed from x, or a NaN if x is one.
fn carrying_nan(x: vec4f, result: vec4f) -> vec4f {
  return select(result, x, is_nan(x));
}

// Whether x is above 0, and no NaN.
fn is_positive(x: vec4f) -> vec4<bool> {
  return bitcast<vec4u>(x) - vec4u(1u) < vec4u(0x7f800000u);
}

// x if it is above 0 or a NaN, else 0.
fn positive_part(x: vec4f) -> vec4f {
  return select(x, vec4f(0.0f), bitcast<vec4u>(x) - vec4u(0x80000000u) <= vec4u(0x7f800000u));
}

// Whether `value`, met after `best`, is the new maximum. The first of equal values stays, and so does the first NaN.
fn exceeds(value: vec4f, best: vec4f) -> vec4<bool> {
  return !is_nan(best) & (is_nan(value) | (value > best));
}

fn scalar_exceeds(value: f32, best: f32) -> bool {
  return !scalar_is_nan(best) & (scalar_is_nan(value) | (value > best));
}

fn scalar_is_nan(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
}

fn scalar_is_finite(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7f800000u) != 0x7f800000u;
}

// A NaN, of x that is not finite.
fn nan_of(x: f32) -> f32 {
  return bitcast<f32>(bitcast<u32>(x) | 0x7fc00000u);
}
