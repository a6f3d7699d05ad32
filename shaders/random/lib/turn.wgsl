// The cosine of a turn as a polynomial of what is left of a quarter. WGSL's `cos` may be 5e-4 off.
// provides: cosine_of_turn

// cos(2 pi u), |u| below 2^20.
fn cosine_of_turn(u: vec4f) -> vec4f {
  let quarter = round(u * 4.0f);
  let a = (u * 4.0f - quarter) * 1.57079633f;
  let square = a * a;
  let sine = a + a * square * (-0.166666667f + square * (8.33333333e-3f + square * (-1.98412698e-4f + square * 2.75573192e-6f)));
  let cosine = 1.0f + square * (-0.5f + square * (0.0416666667f + square * (-1.38888889e-3f + square * 2.48015873e-5f)));
  let turn = vec4u(vec4i(quarter)) & vec4u(3u);
  let value = select(cosine, sine, (turn & vec4u(1u)) == vec4u(1u));
  return select(value, -value, (turn == vec4u(1u)) | (turn == vec4u(2u)));
}
