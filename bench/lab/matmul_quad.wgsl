// A product of matrices by quads: c = a b. The lanes of a quad hold 4 sets of TM rows of a and 4 sets of TN groups of
// 4 columns of b, and pass their rows around, so (TM + 4 TN) loads feed 16 TM TN multiply-adds. No workgroup memory.
// a [M, K]   b [K, N]   c [M, N]; M is a multiple of 4 TM, N of 16 TN, K of 4
enable subgroups;

const M: u32 = 4u;
const N: u32 = 16u;
const K: u32 = 4u;
const TM: u32 = 1u;
const TN: u32 = 1u;
const QUADS_N: u32 = N / (16u * TN);
const QUADS: u32 = M / (4u * TM) * QUADS_N;

@group(0) @binding(0) var<storage, read> a: array<vec4f, (M * K / 4u)>;
@group(0) @binding(1) var<storage, read> b: array<vec4f, (K * N / 4u)>;
@group(0) @binding(2) var<storage, read_write> c: array<vec4f, (M * N / 4u)>;

@compute @workgroup_size(64)
fn matmul_quad(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  // Quads past the last do its work once more: all lanes stay active.
  let quad = min(workgroup.x * 16u + local / 4u, QUADS - 1u);
  let lane = local % 4u;
  let first_row = quad / QUADS_N * 4u * TM;
  let column4 = (quad % QUADS_N * 4u + lane) * TN;
  var sum: array<vec4f, 4u * TM * TN>;
  for (var k4 = 0u; k4 < K / 4u; k4++) {
    var rows_b: array<mat4x4f, TN>;
    // unroll
    for (var j = 0u; j < TN; j++) {
      let at = k4 * N + column4 + j;
      rows_b[j] = mat4x4f(b[at], b[at + N / 4u], b[at + N / 2u], b[at + N / 4u * 3u]);
    }
    // unroll
    for (var i = 0u; i < TM; i++) {
      let own = a[(first_row + lane * TM + i) * (K / 4u) + k4];
      let across = quadSwapX(own);
      let down = quadSwapY(own);
      let opposite = quadSwapDiagonal(own);
      // unroll
      for (var j = 0u; j < TN; j++) {
        sum[i * TN + j] += rows_b[j] * own;
        sum[TM * TN + i * TN + j] += rows_b[j] * across;
        sum[2u * TM * TN + i * TN + j] += rows_b[j] * down;
        sum[3u * TM * TN + i * TN + j] += rows_b[j] * opposite;
      }
    }
  }
  // unroll
  for (var r = 0u; r < 4u; r++) {
    // unroll
    for (var i = 0u; i < TM; i++) {
      // unroll
      for (var j = 0u; j < TN; j++) {
        c[(first_row + (lane ^ r) * TM + i) * (N / 4u) + column4 + j] = sum[r * TM * TN + i * TN + j];
      }
    }
  }
}
