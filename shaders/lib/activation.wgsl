// Activations, and their gradients as functions of the output y. 0 linear, 1 relu, 2 sigmoid, 3 tanh,
// 4 elu, 5 leakyRelu, 6 softplus, by the formulas of test/reference/activation.ts.
// `select` and not `max` in relu: a NaN stays a NaN instead of becoming a quiet 0.
const ACTIVATION: u32 = 0u;
const GRADIENT_ACTIVATION: u32 = 0u;

fn activate(x: vec4f) -> vec4f {
  if (ACTIVATION == 1u) {
    return select(x, vec4f(0.0f), x <= vec4f(0.0f));
  } else if (ACTIVATION == 2u) {
    return 1.0f / (1.0f + exp(-x));
  } else if (ACTIVATION == 3u) {
    return tanh(clamp(x, vec4f(-20.0f), vec4f(20.0f)));
  } else if (ACTIVATION == 4u) {
    return select(x, exp(x) - 1.0f, x <= vec4f(0.0f));
  } else if (ACTIVATION == 5u) {
    return select(x, 0.2f * x, x <= vec4f(0.0f));
  } else if (ACTIVATION == 6u) {
    return max(x, vec4f(0.0f)) + log(1.0f + exp(-abs(x)));
  } else {
    return x;
  }
}

fn gradient_through(dy: vec4f, y: vec4f) -> vec4f {
  if (GRADIENT_ACTIVATION == 1u) {
    return select(vec4f(0.0f), dy, y > vec4f(0.0f));
  } else if (GRADIENT_ACTIVATION == 2u) {
    return dy * y * (1.0f - y);
  } else if (GRADIENT_ACTIVATION == 3u) {
    return dy * (1.0f - y * y);
  } else if (GRADIENT_ACTIVATION == 4u) {
    return dy * select(vec4f(1.0f), y + 1.0f, y <= vec4f(0.0f));
  } else if (GRADIENT_ACTIVATION == 5u) {
    return dy * select(vec4f(1.0f), vec4f(0.2f), y <= vec4f(0.0f));
  } else if (GRADIENT_ACTIVATION == 6u) {
    return dy * (1.0f - exp(-y));
  } else {
    return dy;
  }
}
