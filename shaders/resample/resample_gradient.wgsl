// resample_gradient.   dx[a,k,b] = sum over o of w(o,k) / (sum over j of w(o,j)) dy[a,o,b]
// dy [OUTER, OUT, INNER]   dx [OUTER, IN, INNER]
// w by lib/taps.wgsl. One invocation four elements of dx. It reads each place of dy that its own has a weight in, in a fixed order.

// Sum of the weights of the places of x that make a place of y.
fn total_weight(y: i32) -> f32 {
  let taps = places(y - BELOW, y + ABOVE, OUT, IN);
  var total = 0.0f;
  for (var k = taps.x; k <= taps.y; k++) {
    total += weight(y, center(k, OUT));
  }
  return total;
}

@compute @workgroup_size(64)
fn resample_gradient(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let e = linear_index(workgroup, local);
  let b = e % COLUMNS * 4u;
  let k = e / COLUMNS % IN;
  let a = e / (COLUMNS * IN);
  if (a >= OUTER) {
    return;
  }
  let at = center(i32(k), OUT);
  let reached = places(at - ABOVE, at + BELOW, IN, OUT);
  var sum = vec4f(0.0f);
  for (var o = reached.x; o <= reached.y; o++) {
    let y = center(o, IN);
    sum += weight(y, at) / total_weight(y) * load_dy((a * OUT + u32(o)) * INNER + b, INNER - b);
  }
  store_dx((a * IN + k) * INNER + b, sum, INNER - b);
}
