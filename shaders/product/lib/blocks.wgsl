// Every matrix product of the library: c[m,n] = sum over k of a[m,k] * b[k,n], in blocks of 4 x 4.
//
// One invocation makes BLOCKS_M x BLOCKS_N blocks of c in registers. A block of a holds 4 rows x 4 k, one column of the
// mat4x4f a row of a; a block of b holds 4 k x 4 columns, one column of the mat4x4f a row of b; so b * a is a block
// of c, one column of the mat4x4f a row of c. No workgroup memory and no barrier: neighbours share through the cache.
//
// TURNS 4, with product/lib/quad.wgsl: a workgroup is one quad, whose invocations load 4 x the rows and 4 x the columns and pass
// their blocks of a around, so that each multiplies those of all four with its own columns: a quarter of the loads.
// TURNS 2: two pairs do so, which have other rows (WORKGROUP_M 4) or another slice (WORKGROUP_M 2, WORKGROUP_Z 2).
//
// The kernel that calls this says what the operands are:
//   Row, Column          what is known of 4 rows, of 4 columns, before the loop:     row_block(m4, slice), column_block(n4, slice)
//   Step                 what is known of one step of the outer loop:                step_at(t, row)
//   steps(slice, row)    first and last + 1 of the outer loop; the slices lie in z
//   INNER                blocks of 4 k in each step
//   block_a, block_b     one block;   store_block    what becomes of a finished block of c
// provides: WORKGROUP_M, WORKGROUP_N, WORKGROUP_Z, ROWS_TOGETHER, multiply_blocks
// needs: Row, row_block, Column, column_block, steps, step_at, INNER, block_b, block_a, swap_y, swap_x, swap_index_y,
//   swap_index_x, store_block

override BLOCKS_M: u32;
override BLOCKS_N: u32;
override WORKGROUP_M: u32;
override WORKGROUP_N: u32;
const WORKGROUP_Z: u32 = 1u; // slices, or products of a batch, of which there are
const ALL_SLICES: u32 = 1u;
override TURNS: u32;
const ROWS_TOGETHER: u32 = TURNS * BLOCKS_M; // blocks of rows that must take the same steps
// More rows than one dispatch dimension holds: they are cut into FOLDS of GROUPS_M workgroups, one after another in z.
const FOLDS: u32 = 1u;
const GROUPS_M: u32 = 1u;

fn multiply_blocks(workgroup: vec3u, local: vec3u) {
  let slice = workgroup.z / FOLDS * WORKGROUP_Z + local.z;
  if (ALL_SLICES % WORKGROUP_Z != 0u) {
    if (slice >= ALL_SLICES) {
      return;
    }
  }
  let m4 = ((workgroup.z % FOLDS * GROUPS_M + workgroup.y) * WORKGROUP_M + local.y) * BLOCKS_M;
  var n4 = (workgroup.x * WORKGROUP_N + local.x) * BLOCKS_N;
  if (TURNS > 1u) {
    n4 = (workgroup.x * TURNS + local.y % TURNS) * BLOCKS_N;
  }
  var rows: array<Row, BLOCKS_M>;
  // unroll
  for (var i = 0u; i < BLOCKS_M; i++) {
    rows[i] = row_block(m4 + i, slice);
  }
  var columns: array<Column, BLOCKS_N>;
  // unroll
  for (var j = 0u; j < BLOCKS_N; j++) {
    columns[j] = column_block(n4 + j, slice);
  }

  var c: array<mat4x4f, TURNS * BLOCKS_M * BLOCKS_N>;
  let range = steps(slice, rows[0]);
  for (var t = range.x; t < range.y; t++) {
    let step = step_at(t, rows[0]);
    for (var k4 = 0u; k4 < INNER; k4++) {
      var b: array<mat4x4f, BLOCKS_N>;
      // unroll
      for (var j = 0u; j < BLOCKS_N; j++) {
        b[j] = block_b(columns[j], step, k4);
      }
      // unroll
      for (var i = 0u; i < BLOCKS_M; i++) {
        var a = block_a(rows[i], step, k4);
        // unroll
        for (var turn = 0u; turn < TURNS; turn++) {
          if (turn == 2u) {
            a = swap_y(a);
          } else if (turn > 0u) {
            a = swap_x(a);
          }
          // unroll
          for (var j = 0u; j < BLOCKS_N; j++) {
            c[(turn * BLOCKS_M + i) * BLOCKS_N + j] += b[j] * a;
          }
        }
      }
    }
  }

  // The finished blocks are stored by a plain loop over a copy: unrolled, the stores would be most of the kernel's text, and
  // of the time that it takes to compile.
  var finished = c;
  var first_rows: array<u32, TURNS>;
  var turned = m4;
  // unroll
  for (var turn = 0u; turn < TURNS; turn++) {
    if (turn == 2u) {
      turned = swap_index_y(turned);
    } else if (turn > 0u) {
      turned = swap_index_x(turned);
    }
    first_rows[turn] = turned;
  }
  for (var i = 0u; i < TURNS * BLOCKS_M * BLOCKS_N; i++) {
    let row = row_block(first_rows[i / (BLOCKS_M * BLOCKS_N)] + i / BLOCKS_N % BLOCKS_M, slice);
    let column = column_block(n4 + i % BLOCKS_N, slice);
    store_block(row, column, slice, finished[i]);
  }
}
