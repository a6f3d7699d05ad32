// dy, which may come through an activation: then dy is multiplied by its derivative, by its output `activated`.
// provides: incoming
// needs: load_dy, gradient_past, load_activated
override COMES_THROUGH: bool;

fn incoming(e: u32, left: u32) -> vec4f {
  let dy = load_dy(e, left);
  if (COMES_THROUGH) {
    return gradient_past(dy, load_activated(e, left));
  } else {
    return dy;
  }
}
