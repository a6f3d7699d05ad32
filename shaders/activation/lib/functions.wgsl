// Activations, and their gradients as functions of the output y. 0 linear, 1 relu, 2 sigmoid, 3 tanh,
// 4 elu, 5 leakyRelu, 6 softplus, by the formulas of test/reference/activation.ts. A NaN stays a NaN (lib/nan.wgsl), and small
// results keep their digits (activation/lib/elementary.wgsl): no form subtracts nearly equal numbers.
// provides: ACTIVATION, GRADIENT_ACTIVATION, activate, gradient_through
// needs: positive_part, sigmoid, tanh_of, elu, leaky_relu, softplus, is_positive, carrying_nan, decay_minus_one
const ACTIVATION: u32 = 0u;
const GRADIENT_ACTIVATION: u32 = 0u;

fn activate(x: vec4f) -> vec4f {
  if (ACTIVATION == 1u) {
    return positive_part(x);
  } else if (ACTIVATION == 2u) {
    return sigmoid(x);
  } else if (ACTIVATION == 3u) {
    return tanh_of(x);
  } else if (ACTIVATION == 4u) {
    return elu(x);
  } else if (ACTIVATION == 5u) {
    return leaky_relu(x);
  } else if (ACTIVATION == 6u) {
    return softplus(x);
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
