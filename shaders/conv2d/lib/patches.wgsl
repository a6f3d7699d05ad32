// Shared by the kernels of a convolution: its sizes, and how patches of x [BATCH, IN_H, IN_W, IN_C] are read.
// Its channels may be cut into GROUPS, each with kernels of its own that see GROUP_IN channels of x and make GROUP_OUT of y.
// provides: BATCH, IN_H, IN_W, IN_C, K_H, K_W, OUT_H, OUT_W, OUT_C, STRIDE_H, STRIDE_W, DILATION_H, DILATION_W, PAD_H, PAD_W,
//   PADDED, GROUPS, GROUP_IN, GROUP_OUT, X_IMAGE, first_input, first_output, Positions, positions_of_window, Patches,
//   patches_of, inside, load_channels, load_channel
// needs: POOL_H, POOL_W, load_x, rows_where, element_x
override BATCH: u32;
override IN_H: u32;
override IN_W: u32;
override IN_C: u32;
override K_H: u32;
override K_W: u32;
override OUT_H: u32;
override OUT_W: u32;
override OUT_C: u32;
override STRIDE_H: u32;
override STRIDE_W: u32;
const DILATION_H: u32 = 1u; // from tap to tap
const DILATION_W: u32 = 1u;
override PAD_H: u32;
override PAD_W: u32;
override PADDED: bool; // some patch reaches outside x, on whichever side
const GROUPS: u32 = 1u;
const GROUP_IN: u32 = IN_C / GROUPS;
const GROUP_OUT: u32 = OUT_C / GROUPS;
const X_IMAGE: u32 = IN_H * IN_W * IN_C; // elements of one image in x

// The first channel of a group in x.
fn first_input(group: u32) -> u32 {
  if (GROUPS > 1u) {
    return group * GROUP_IN;
  } else {
    return 0u;
  }
}

// The first channel of a group in y.
fn first_output(group: u32) -> u32 {
  if (GROUPS > 1u) {
    return group * GROUP_OUT;
  } else {
    return 0u;
  }
}

// Four positions of the output.
struct Positions {
  h: vec4u,
  w: vec4u,
}

// The four positions of a pooling window, row-major.
fn positions_of_window(h: u32, w: u32) -> Positions {
  return Positions(h * POOL_H + vec4u(0u, 1u, 2u, 3u) / POOL_W, w * POOL_W + vec4u(0u, 1u, 2u, 3u) % POOL_W);
}

// The first element of each of four patches, which padding may put outside x.
struct Patches {
  h: vec4i,
  w: vec4i,
  at: vec4i, // offset in x
}

fn patches_of(positions: Positions, image_at: vec4i) -> Patches {
  let h = vec4i(positions.h * STRIDE_H) - i32(PAD_H);
  let w = vec4i(positions.w * STRIDE_W) - i32(PAD_W);
  return Patches(h, w, image_at + (h * i32(IN_W) + w) * i32(IN_C));
}

fn inside(h: vec4i, w: vec4i) -> vec4<bool> {
  // As unsigned numbers, places before the first are larger than any size.
  return (vec4u(h) < vec4u(IN_H)) & (vec4u(w) < vec4u(IN_W));
}

// Four channels of x from each of the four places (h, w). Places outside x read as 0.
fn load_channels(at: vec4i, h: vec4i, w: vec4i) -> mat4x4f {
  let i = vec4u(at);
  let x = mat4x4f(load_x(i.x, 4u), load_x(i.y, 4u), load_x(i.z, 4u), load_x(i.w, 4u));
  if (PADDED) {
    return rows_where(inside(h, w), x);
  } else {
    return x;
  }
}

// One channel of x from each of four places.
fn load_channel(at: vec4i, h: vec4i, w: vec4i) -> vec4f {
  let i = vec4u(at);
  let x = vec4f(element_x(i.x), element_x(i.y), element_x(i.z), element_x(i.w));
  if (PADDED) {
    return select(vec4f(0.0f), x, inside(h, w));
  } else {
    return x;
  }
}
