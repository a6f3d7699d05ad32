// The matrix products of product/lib/blocks.wgsl with short sums. All of b that an invocation needs, STEPS * INNER blocks of 4 k for each
// of its BLOCKS_N blocks of columns, stays in registers, while it walks down BLOCKS_M blocks of rows.
// Beside what blocks.wgsl needs, the kernel says
//   BLOCKS_K               blocks of 4 k in all, INNER of them a step
//   step_of_column(t)      the step t, which is the same for all rows
// provides: WORKGROUP_M, WORKGROUP_N, WORKGROUP_Z, multiply_blocks
// needs: Column, BLOCKS_K, column_block, block_b, step_of_column, INNER, row_block, block_a, swap_y, swap_x,
//   swap_index_y, swap_index_x, store_block

override BLOCKS_M: u32;
override BLOCKS_N: u32;
override WORKGROUP_M: u32;
override WORKGROUP_N: u32;
const WORKGROUP_Z: u32 = 1u;
override TURNS: u32;
const FOLDS: u32 = 1u;
const GROUPS_M: u32 = 1u;

fn multiply_blocks(workgroup: vec3u, local: vec3u) {
  let slice = workgroup.z / FOLDS;
  let first_m4 = (workgroup.z % FOLDS * GROUPS_M + workgroup.y) * (WORKGROUP_M * BLOCKS_M) + local.y;
  var n4 = (workgroup.x * WORKGROUP_N + local.x) * BLOCKS_N;
  if (TURNS > 1u) {
    n4 = (workgroup.x * TURNS + local.y % TURNS) * BLOCKS_N;
  }
  var columns: array<Column, BLOCKS_N>;
  var b: array<mat4x4f, BLOCKS_K * BLOCKS_N>;
  // unroll
  for (var j = 0u; j < BLOCKS_N; j++) {
    columns[j] = column_block(n4 + j, slice);
    for (var k4 = 0u; k4 < BLOCKS_K; k4++) {
      b[k4 * BLOCKS_N + j] = block_b(columns[j], step_of_column(k4 / INNER), k4 % INNER);
    }
  }

  for (var r = 0u; r < BLOCKS_M; r++) {
    var m4 = first_m4 + r * WORKGROUP_M;
    let row = row_block(m4, slice);
    // Zeros are written out: SwiftShader (Chromium 156) does not clear `var c: array<...>;` again at each turn of a loop.
    var c = array<mat4x4f, TURNS * BLOCKS_N>();
    // unroll
    for (var k4 = 0u; k4 < BLOCKS_K; k4++) {
      var a = block_a(row, step_of_column(k4 / INNER), k4 % INNER);
      // unroll
      for (var turn = 0u; turn < TURNS; turn++) {
        if (turn == 2u) {
          a = swap_y(a);
        } else if (turn > 0u) {
          a = swap_x(a);
        }
        // unroll
        for (var j = 0u; j < BLOCKS_N; j++) {
          c[turn * BLOCKS_N + j] += b[k4 * BLOCKS_N + j] * a;
        }
      }
    }
    // unroll
    for (var turn = 0u; turn < TURNS; turn++) {
      if (turn == 2u) {
        m4 = swap_index_y(m4);
      } else if (turn > 0u) {
        m4 = swap_index_x(m4);
      }
      let finished = row_block(m4, slice);
      // unroll
      for (var j = 0u; j < BLOCKS_N; j++) {
        store_block(finished, columns[j], slice, c[turn * BLOCKS_N + j]);
      }
    }
  }
}
