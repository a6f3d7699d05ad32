// What becomes of a sum before it is stored: act(sum + bias).
// provides: finish
// needs: activate, load_bias, OUT_C
override HAS_BIAS: bool;

fn finish(sum: vec4f, o: u32) -> vec4f {
  if (HAS_BIAS) {
    return activate(sum + load_bias(o, OUT_C - o));
  } else {
    return activate(sum);
  }
}
