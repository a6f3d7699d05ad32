// Stochastic gradient descent: p := p - learning_rate * g
@group(0) @binding(0) var<storage, read> rate: array<f32>;

fn update(p: vec4f, g: vec4f) -> vec4f {
  return p - rate[0] * g;
}
