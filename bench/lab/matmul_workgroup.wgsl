// The textbook's product of matrices: c = a b, tiles staged in workgroup memory, two barriers for every 16 terms.
// a [M, K]   b [K, N]   c [M, N]; M and N are multiples of 64 R4, K of 16
// A workgroup of 16 x 16 invocations makes a tile of 64 R4 rows and columns, an invocation 4 R4 of each.
const M: u32 = 64u;
const N: u32 = 64u;
const K: u32 = 16u;
const R4: u32 = 1u;
const TILE4: u32 = 16u * R4;

@group(0) @binding(0) var<storage, read> a: array<vec4f>;
@group(0) @binding(1) var<storage, read> b: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> c: array<vec4f>;

var<workgroup> tile_a: array<vec4f, 16u * TILE4>; // [row][k / 4]
var<workgroup> tile_b: array<vec4f, 16u * TILE4>; // [k][column / 4]

@compute @workgroup_size(256)
fn matmul_workgroup(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let first_row = workgroup.y * TILE4 * 4u;
  let first_column4 = workgroup.x * TILE4;
  let row = local / 16u * 4u * R4;
  let column4 = local % 16u * R4;
  var sum: array<vec4f, 4u * R4 * R4>;
  for (var t = 0u; t < K / 16u; t++) {
    // unroll
    for (var s = 0u; s < R4; s++) {
      let at = s * 256u + local;
      tile_a[at] = a[(first_row + at / 4u) * (K / 4u) + t * 4u + at % 4u];
      tile_b[at] = b[(t * 16u + at / TILE4) * (N / 4u) + first_column4 + at % TILE4];
    }
    workgroupBarrier();
    for (var k4 = 0u; k4 < 4u; k4++) {
      var rows_b: array<mat4x4f, R4>;
      // unroll
      for (var j = 0u; j < R4; j++) {
        let at = k4 * 4u * TILE4 + column4 + j;
        rows_b[j] = mat4x4f(tile_b[at], tile_b[at + TILE4], tile_b[at + 2u * TILE4], tile_b[at + 3u * TILE4]);
      }
      // unroll
      for (var i = 0u; i < 4u * R4; i++) {
        let terms = tile_a[(row + i) * 4u + k4];
        // unroll
        for (var j = 0u; j < R4; j++) {
          sum[i * R4 + j] += rows_b[j] * terms;
        }
      }
    }
    workgroupBarrier();
  }
  // unroll
  for (var i = 0u; i < 4u * R4; i++) {
    // unroll
    for (var j = 0u; j < R4; j++) {
      c[(first_row + row + i) * (N / 4u) + first_column4 + column4 + j] = sum[i * R4 + j];
    }
  }
}
