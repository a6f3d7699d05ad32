// Stochastic gradient descent: p := p - learning_rate * g
// provides: update
// needs: Channels
@group(0) @binding(0) var<storage, read> rate: array<f32>;

fn update(p: Channels, g: Channels) -> Channels {
  return p - rate[0] * g;
}
