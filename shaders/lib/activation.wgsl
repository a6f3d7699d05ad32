// Activations, and their gradients as functions of the output y. 0 linear, 1 relu, 2 sigmoid, 3 tanh.
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
  } else {
    return dy;
  }
}
