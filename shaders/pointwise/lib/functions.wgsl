// Functions of expressions that WGSL lacks, or has with few digits, or without a word for NaN: `log` may be 5e-7 off near 1, and `max`
// may drop a NaN. A NaN stays a NaN (lib/nan.wgsl). Results are within about four units in the last place; `power` within
// 1 + |b ln a| times as many.
// provides: equals, is_greater, is_at_least, is_less, is_at_most, chosen, passed, maximum_of, minimum_of, sign_of, exponential,
//   exponential_minus_one, logarithm, logarithm_one_plus, power, error_function, error_complement
// needs: is_nan, carrying_nan, exponent_of, two_to, rest_of, decay, decay_minus_one

fn equals(a: vec4f, b: vec4f) -> vec4f {
  return select(vec4f(0.0f), vec4f(1.0f), a == b);
}

fn is_greater(a: vec4f, b: vec4f) -> vec4f {
  return select(vec4f(0.0f), vec4f(1.0f), a > b);
}

fn is_at_least(a: vec4f, b: vec4f) -> vec4f {
  return select(vec4f(0.0f), vec4f(1.0f), a >= b);
}

fn is_less(a: vec4f, b: vec4f) -> vec4f {
  return select(vec4f(0.0f), vec4f(1.0f), a < b);
}

fn is_at_most(a: vec4f, b: vec4f) -> vec4f {
  return select(vec4f(0.0f), vec4f(1.0f), a <= b);
}

// a where c is not 0, b where it is. A NaN is not 0.
fn chosen(c: vec4f, a: vec4f, b: vec4f) -> vec4f {
  return select(b, a, (bitcast<vec4u>(c) << vec4u(1u)) != vec4u(0u));
}

// dy d, and 0 where dy is 0, even if d is no number.
fn passed(dy: vec4f, d: vec4f) -> vec4f {
  return select(dy * d, vec4f(0.0f), dy == vec4f(0.0f));
}

fn maximum_of(a: vec4f, b: vec4f) -> vec4f {
  return select(select(b, a, a > b), a, is_nan(a));
}

fn minimum_of(a: vec4f, b: vec4f) -> vec4f {
  return select(select(b, a, a < b), a, is_nan(a));
}

fn sign_of(x: vec4f) -> vec4f {
  return carrying_nan(x, sign(x));
}

// e^x = 2 * 2^(n - 1) (1 + rest): 2^n itself may be too large.
fn exponential(x: vec4f) -> vec4f {
  let above = min(x, vec4f(89.0f));
  let n = exponent_of(above);
  let half = two_to(n - 1.0f);
  let large = 2.0f * fma(half, rest_of(above, n), half);
  return carrying_nan(x, select(decay(min(x, vec4f(0.0f))), large, x > vec4f(0.0f)));
}

fn exponential_minus_one(x: vec4f) -> vec4f {
  return carrying_nan(x, select(decay_minus_one(min(x, vec4f(64.0f))), exponential(x), x > vec4f(64.0f)));
}

// ln x = n ln 2 + 2 artanh s, with x = 2^n m, m between sqrt(1/2) and sqrt(2), and s = (m - 1) / (m + 1).
fn logarithm(x: vec4f) -> vec4f {
  let bits = bitcast<vec4u>(x);
  let n = vec4i(bits - vec4u(0x3f3504f3u)) >> vec4u(23u);
  let m = bitcast<vec4f>(bits - bitcast<vec4u>(n << vec4u(23u)));
  return special_logarithm(x, logarithm_of_parts(m - 1.0f, vec4f(n)));
}

// ln(1 + f) + n ln 2, f between -0.3 and 0.42. ln 2 is in two parts, of which the first has few digits.
fn logarithm_of_parts(f: vec4f, n: vec4f) -> vec4f {
  let s = f / (2.0f + f);
  let z = s * s;
  let series = z * (0.666666667f + z * (0.4f + z * (0.285714286f + z * 0.232f)));
  let square = 0.5f * f * f;
  let near = f - (square - s * (square + series));
  return n * 0.693359375f + (near - n * 2.12194440e-4f);
}

// What is no positive, normal, finite number: the logarithm of 0 is -Infinity, of a negative number a NaN.
fn special_logarithm(x: vec4f, result: vec4f) -> vec4f {
  let bits = bitcast<vec4u>(x);
  let above = select(result, x, bits >= vec4u(0x7f800000u));
  let negative = select(above, bitcast<vec4f>(bits | vec4u(0x7fc00000u)), bits > vec4u(0x80000000u));
  return select(negative, bitcast<vec4f>(bits | vec4u(0xff800000u)), abs(x) < vec4f(1.17549435e-38f));
}

// ln(1 + x). Beside 0 that is the series itself; elsewhere the digits that 1 + x has lost are added to first order.
fn logarithm_one_plus(x: vec4f) -> vec4f {
  let sum = 1.0f + x;
  let lost = select(vec4f(0.0f), (x - (sum - 1.0f)) / sum, abs(x) < vec4f(16777216.0f));
  let near = logarithm_of_parts(x, vec4f(0.0f));
  let far = select(logarithm(sum) + lost, logarithm(sum), sum <= vec4f(0.0f));
  return carrying_nan(x, select(far, near, abs(x) < vec4f(0.25f)));
}

// a^b. Of a finite negative number it is one only where b is whole.
fn power(a: vec4f, b: vec4f) -> vec4f {
  let size = exponential(b * logarithm(abs(a)));
  let whole = floor(b) == b;
  let odd = floor(0.5f * b) * 2.0f != b;
  let signed = select(size, -size, whole & odd & (a < vec4f(0.0f)));
  let real = select(bitcast<vec4f>(bitcast<vec4u>(size) | vec4u(0x7fc00000u)), signed, whole | !(a < vec4f(0.0f)) | (abs(a) > vec4f(3.4e38f)));
  return select(carrying_nan(a, carrying_nan(b, real)), vec4f(1.0f), b == vec4f(0.0f));
}

// erf x = 2 / sqrt(pi) (x - x^3 / 3 + ...), by a minimax fit for |x| below 1.
fn error_near(x: vec4f) -> vec4f {
  let z = x * x;
  return x * (1.12837911f + z * (-0.37612325f + z * (0.1128018f + z * (-0.0267113112f + z * (0.0049175513f - z * 0.000563142181f)))));
}

// erfc x e^(x^2) by a minimax fit in t = 1 / (1 + x / 2), for x of at least 1. e^(-x^2) from x^2 in two parts, to keep its digits.
fn error_tail(x: vec4f) -> vec4f {
  let t = 1.0f / (1.0f + 0.5f * x);
  let late = 0.126107454f + t * (0.365739405f + t * (-0.0265185274f - t * 0.0638169125f));
  let fit = 0.000470917992f + t * (0.275339454f + t * (0.321834922f + t * late));
  let square = x * x;
  let rest = fma(x, x, -square);
  return fit * decay(-square) * (1.0f - rest);
}

fn error_function(x: vec4f) -> vec4f {
  let far = sign(x) * (1.0f - error_tail(clamp(abs(x), vec4f(1.0f), vec4f(9.0f))));
  return carrying_nan(x, select(far, error_near(x), abs(x) < vec4f(1.0f)));
}

fn error_complement(x: vec4f) -> vec4f {
  let tail = error_tail(clamp(abs(x), vec4f(1.0f), vec4f(9.3f)));
  let far = select(2.0f - tail, tail, x > vec4f(0.0f));
  return carrying_nan(x, select(far, 1.0f - error_near(x), abs(x) < vec4f(1.0f)));
}
