// Activations, and their gradients as functions of the output y. 0 linear, 1 relu, 2 sigmoid, 3 tanh,
// 4 elu, 5 leakyRelu, 6 softplus, by the formulas of test/reference/activation.ts. A NaN stays a NaN (lib/nan.wgsl), and small
// results keep their digits (activation/lib/elementary.wgsl): no form subtracts nearly equal numbers.
// provides: ACTIVATION, GRADIENT_ACTIVATION, activate, gradient_through
// needs: positive_part, decay, carrying_nan, small_tanh, decay_minus_one, log_one_plus, is_positive
const ACTIVATION: u32 = 0u;
const GRADIENT_ACTIVATION: u32 = 0u;

fn activate(x: vec4f) -> vec4f {
  if (ACTIVATION == 1u) {
    return positive_part(x);
  } else if (ACTIVATION == 2u) {
    let small = decay(-abs(x));
    let lower = small / (1.0f + small);
    return carrying_nan(x, select(lower, 1.0f - lower, x > vec4f(0.0f)));
  } else if (ACTIVATION == 3u) {
    let small = decay(-2.0f * min(abs(x), vec4f(50.0f)));
    let far = sign(x) * (1.0f - 2.0f * small / (1.0f + small));
    return carrying_nan(x, select(far, small_tanh(x), abs(x) < vec4f(0.625f)));
  } else if (ACTIVATION == 4u) {
    return carrying_nan(x, select(decay_minus_one(min(x, vec4f(0.0f))), x, x > vec4f(0.0f)));
  } else if (ACTIVATION == 5u) {
    return select(x, 0.2f * x, x <= vec4f(0.0f));
  } else if (ACTIVATION == 6u) {
    return carrying_nan(x, max(x, vec4f(0.0f)) + log_one_plus(decay(-abs(x))));
  } else {
    return x;
  }
}

fn gradient_through(dy: vec4f, y: vec4f) -> vec4f {
  if (GRADIENT_ACTIVATION == 1u) {
    return select(vec4f(0.0f), dy, is_positive(y));
  } else if (GRADIENT_ACTIVATION == 2u) {
    return dy * (y * (1.0f - y));
  } else if (GRADIENT_ACTIVATION == 3u) {
    return dy * ((1.0f - y) * (1.0f + y));
  } else if (GRADIENT_ACTIVATION == 4u) {
    return dy * select(y + 1.0f, vec4f(1.0f), is_positive(y));
  } else if (GRADIENT_ACTIVATION == 5u) {
    return dy * select(vec4f(0.2f), vec4f(1.0f), is_positive(y));
  } else if (GRADIENT_ACTIVATION == 6u) {
    return dy * carrying_nan(y, -decay_minus_one(-y));
  } else {
    return dy;
  }
}
