// Exponential and logarithm that keep their digits when a result is small. WGSL's exp may be 3 + 2|x| units in the last place off, and
// 1 - exp(x) and log(1 + x) lose digits beside the 1. The functions here are within two units (2.4e-7, relatively). The polynomials are
// minimax fits. Below -87.7 the exponential, which is no normal number there, is 0.
// provides: exponent_of, rest_of, two_to, decay, decay_minus_one, log_one_plus, small_tanh

// e^x = 2^n (1 + rest), for x at most 0: n is whole, rest between -0.3 and 0.42.
fn exponent_of(x: vec4f) -> vec4f {
  return round(max(x, vec4f(-104.0f)) * 1.44269504f);
}

fn rest_of(x: vec4f, n: vec4f) -> vec4f {
  // ln 2 in two parts. The first has so few digits that its product with n is exact. Mesa would add up the parts if it saw the same n
  // twice. The mask, which changes no whole number below 2^16, hides that from it.
  let same = bitcast<vec4f>(bitcast<vec4u>(n) & vec4u(0xffffff00u));
  let near = fma(same, vec4f(2.12194440e-4f), fma(n, vec4f(-0.693359375f), max(x, vec4f(-104.0f))));
  let series = 0.499999996f + near * (0.166665773f + near * (0.0416668534f + near * (0.00836314502f + near * 0.0013901287f)));
  return fma(near * near, series, near);
}

// 2^n, and 0 where n is below -126.
fn two_to(n: vec4f) -> vec4f {
  return bitcast<vec4f>(vec4u(max(vec4i(n) + 127, vec4i(0))) << vec4u(23u));
}

// e^x, x at most 0.
fn decay(x: vec4f) -> vec4f {
  let n = exponent_of(x);
  return fma(two_to(n), rest_of(x, n), two_to(n));
}

// e^x - 1, x at most 0.
fn decay_minus_one(x: vec4f) -> vec4f {
  let n = exponent_of(x);
  return fma(two_to(n), rest_of(x, n), two_to(n) - 1.0f);
}

// log(1 + x), x between 0 and 1.
fn log_one_plus(x: vec4f) -> vec4f {
  let last = 0.115924198f + x * (-0.0671121551f + x * (0.0254386292f - x * 0.00451910776f));
  let series = 0.333328667f + x * (-0.249870236f + x * (0.198579468f + x * (-0.158622328f + x * last)));
  return fma(x * x, x * series - 0.499999972f, x);
}

// tanh(x), |x| at most 0.625.
fn small_tanh(x: vec4f) -> vec4f {
  let square = x * x;
  let series = 0.133327681f + square * (-0.0538506534f + square * (0.0209959332f - square * 0.00609486907f));
  return fma(x * square, square * series - 0.333333289f, x);
}
