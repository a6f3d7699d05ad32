// one_hot.   y[r,c] = 1 where the class of row r is c, and c is not IGNORED, else 0
// y [ROWS, CLASSES]   class_of or t [ROWS]: class numbers, as whole numbers or as floats. One invocation an element.
override ROWS: u32;
override CLASSES: u32;
override WHOLE: bool; // the classes are in class_of
override IGNORED: u32; // CLASSES for none

@group(0) @binding(0) var<storage, read> t: array<f32>;
@group(0) @binding(0) var<storage, read> class_of: array<u32>;
@group(0) @binding(0) var<storage, read_write> y: array<f32>;

fn is_class(r: u32, c: u32) -> bool {
  if (WHOLE) {
    return class_of[r] == c;
  } else {
    return t[r] == f32(c);
  }
}

@compute @workgroup_size(64)
fn one_hot(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let e = linear_index(workgroup, local);
  if (e < ROWS * CLASSES) {
    let c = e % CLASSES;
    y[e] = select(0.0f, 1.0f, is_class(e / CLASSES, c) & (c != IGNORED));
  }
}
