// resample.   y[a,o,b] = sum over k of w(o,k) x[a,k,b] / sum over k of w(o,k)
// x [OUTER, IN, INNER]   y [OUTER, OUT, INNER]
// w by lib/taps.wgsl. Places of weight 0 are not read. One invocation four elements of y.

@compute @workgroup_size(64)
fn resample(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let e = linear_index(workgroup, local);
  let b = e % COLUMNS * 4u;
  let o = e / COLUMNS % OUT;
  let a = e / (COLUMNS * OUT);
  if (a >= OUTER) {
    return;
  }
  let at = center(i32(o), IN);
  let taps = places(at - BELOW, at + ABOVE, OUT, IN);
  var sum = vec4f(0.0f);
  var total = 0.0f;
  for (var k = taps.x; k <= taps.y; k++) {
    let w = weight(at, center(k, OUT));
    total += w;
    sum += w * load_x((a * IN + u32(k)) * INNER + b, INNER - b);
  }
  store_y((a * OUT + o) * INNER + b, sum / total, INNER - b);
}
