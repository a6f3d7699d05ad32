// rearrange.   y[i] = x[i + offset], axis by axis, or VALUE where that lies outside x
// y has up to six axes, outermost first, of SIZE_0 to SIZE_5 elements. Along axis d, element i of y is element i + OFFSET_d of x, which has
// LIMIT_d of them, STRIDE_d apart. So a transpose has strides in another order, and a padding or a crop has offsets.
// One invocation an element.
override COUNT: u32; // elements of y
const VALUE: f32 = 0.0f;
override SIZE_0: u32;
override STRIDE_0: u32;
override OFFSET_0: i32;
override LIMIT_0: i32;
override SIZE_1: u32;
override STRIDE_1: u32;
override OFFSET_1: i32;
override LIMIT_1: i32;
override SIZE_2: u32;
override STRIDE_2: u32;
override OFFSET_2: i32;
override LIMIT_2: i32;
override SIZE_3: u32;
override STRIDE_3: u32;
override OFFSET_3: i32;
override LIMIT_3: i32;
override SIZE_4: u32;
override STRIDE_4: u32;
override OFFSET_4: i32;
override LIMIT_4: i32;
override SIZE_5: u32;
override STRIDE_5: u32;
override OFFSET_5: i32;
override LIMIT_5: i32;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(0) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn rearrange(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let e = linear_index(workgroup, local);
  if (e < COUNT) {
    let rows = e / SIZE_5;
    let planes = rows / SIZE_4;
    let cubes = planes / SIZE_3;
    let outer = cubes / SIZE_2;
    let i_0 = i32(outer / SIZE_1) + OFFSET_0;
    let i_1 = i32(outer % SIZE_1) + OFFSET_1;
    let i_2 = i32(cubes % SIZE_2) + OFFSET_2;
    let i_3 = i32(planes % SIZE_3) + OFFSET_3;
    let i_4 = i32(rows % SIZE_4) + OFFSET_4;
    let i_5 = i32(e % SIZE_5) + OFFSET_5;
    let first = (i_0 >= 0) & (i_0 < LIMIT_0) & (i_1 >= 0) & (i_1 < LIMIT_1) & (i_2 >= 0) & (i_2 < LIMIT_2);
    let inside = first & (i_3 >= 0) & (i_3 < LIMIT_3) & (i_4 >= 0) & (i_4 < LIMIT_4) & (i_5 >= 0) & (i_5 < LIMIT_5);
    let outer_place = u32(i_0) * STRIDE_0 + u32(i_1) * STRIDE_1 + u32(i_2) * STRIDE_2;
    let place = outer_place + u32(i_3) * STRIDE_3 + u32(i_4) * STRIDE_4 + u32(i_5) * STRIDE_5;
    y[e] = select(VALUE, x[select(0u, place, inside)], inside);
  }
}
