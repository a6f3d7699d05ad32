// concatenate.   y[n, :] = a[n, :], b[n, :], ... one after the other: up to seven tensors of N rows
// a [N, END_A], b [N, END_B - END_A], and so on; y [N, ROW]. One invocation an element. Tensors that are not there end where the row does.
override COUNT: u32; // elements of y
override ROW: u32;
override END_A: u32;
override END_B: u32;
override END_C: u32;
override END_D: u32;
override END_E: u32;
override END_F: u32;

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(0) var<storage, read> b: array<f32>;
@group(0) @binding(0) var<storage, read> c: array<f32>;
@group(0) @binding(0) var<storage, read> d: array<f32>;
@group(0) @binding(0) var<storage, read> e: array<f32>;
@group(0) @binding(0) var<storage, read> f: array<f32>;
@group(0) @binding(0) var<storage, read> g: array<f32>;
@group(0) @binding(0) var<storage, read_write> y: array<f32>;

// Element `at` of row n.
fn piece(n: u32, at: u32) -> f32 {
  if (at < END_A) {
    return a[n * END_A + at];
  }
  if (END_A < ROW) {
    if (at < END_B) {
      return b[n * (END_B - END_A) + at - END_A];
    }
  }
  if (END_B < ROW) {
    if (at < END_C) {
      return c[n * (END_C - END_B) + at - END_B];
    }
  }
  if (END_C < ROW) {
    if (at < END_D) {
      return d[n * (END_D - END_C) + at - END_C];
    }
  }
  if (END_D < ROW) {
    if (at < END_E) {
      return e[n * (END_E - END_D) + at - END_D];
    }
  }
  if (END_E < ROW) {
    if (at < END_F) {
      return f[n * (END_F - END_E) + at - END_E];
    }
  }
  if (END_F < ROW) {
    return g[n * (ROW - END_F) + at - END_F];
  }
  return 0.0f;
}

@compute @workgroup_size(64)
fn concatenate(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let i = linear_index(workgroup, local);
  if (i < COUNT) {
    y[i] = piece(i / ROW, i % ROW);
  }
}
