// Activations one by one, by the formulas of test/reference/activation.ts. A NaN stays a NaN (lib/nan.wgsl), and small results keep their
// digits (activation/lib/elementary.wgsl): no form subtracts nearly equal numbers.
// provides: sigmoid, tanh_of, elu, leaky_relu, softplus
// needs: decay, carrying_nan, small_tanh, decay_minus_one, log_one_plus

fn sigmoid(x: vec4f) -> vec4f {
  let small = decay(-abs(x));
  let lower = small / (1.0f + small);
  return carrying_nan(x, select(lower, 1.0f - lower, x > vec4f(0.0f)));
}

fn tanh_of(x: vec4f) -> vec4f {
  let small = decay(-2.0f * min(abs(x), vec4f(50.0f)));
  let far = sign(x) * (1.0f - 2.0f * small / (1.0f + small));
  return carrying_nan(x, select(far, small_tanh(x), abs(x) < vec4f(0.625f)));
}

fn elu(x: vec4f) -> vec4f {
  return carrying_nan(x, select(decay_minus_one(min(x, vec4f(0.0f))), x, x > vec4f(0.0f)));
}

fn leaky_relu(x: vec4f) -> vec4f {
  return select(x, 0.2f * x, x <= vec4f(0.0f));
}

fn softplus(x: vec4f) -> vec4f {
  return carrying_nan(x, max(x, vec4f(0.0f)) + log_one_plus(decay(-abs(x))));
}
