// The matrix products of lib/blocks.wgsl by way of workgroup memory, for GPUs. A workgroup makes TILE_M x TILE_N blocks of c.
// Its invocations load together what that takes of DEPTH blocks of 4 k, each block of a and of b once, and all multiply
// out of what then lies in workgroup memory: WORKGROUP_N times fewer loads of a, WORKGROUP_M times fewer of b.
//
// The blocks of an invocation lie WORKGROUP_M rows of blocks and WORKGROUP_N columns apart, so that neighbours are neighbours
// in memory too. Barriers want all of a workgroup to take the same steps: those of its first row.
// Beside what blocks.wgsl asks for, the kernel says
//   A_ALONG_K, B_ALONG_K   whether terms that follow each other along k lie side by side in memory, else those along m, along n;
//                          in that direction invocations side by side load

override BLOCKS_M: u32;
override BLOCKS_N: u32;
override WORKGROUP_M: u32;
override WORKGROUP_N: u32;
const WORKGROUP_Z: u32 = 1u;
const FOLDS: u32 = 1u;
const GROUPS_M: u32 = 1u;

const TILE_M: u32 = WORKGROUP_M * BLOCKS_M;
const TILE_N: u32 = WORKGROUP_N * BLOCKS_N;
const ROWS_TOGETHER: u32 = TILE_M;
const INVOCATIONS: u32 = WORKGROUP_M * WORKGROUP_N;
const DEPTH: u32 = 4u;
const LOADS_A: u32 = (DEPTH * TILE_M + INVOCATIONS - 1u) / INVOCATIONS; // of one invocation
const LOADS_B: u32 = (DEPTH * TILE_N + INVOCATIONS - 1u) / INVOCATIONS;

// For each k4 the first vec4f of every block, then the second, and so on: what neighbours read lies side by side. The 2 that
// are left free after each k4 keep writes along k in different banks, too.
const PITCH_A: u32 = 4u * TILE_M + 2u;
const PITCH_B: u32 = 4u * TILE_N + 2u;
var<workgroup> shared_a: array<vec4f, DEPTH * PITCH_A>;
var<workgroup> shared_b: array<vec4f, DEPTH * PITCH_B>;

// Which block the i-th load takes, of `blocks` for each k4.
struct Place {
  k4: u32,
  block: u32,
}

fn place_of(i: u32, blocks: u32, along_k: bool) -> Place {
  return Place(select(i / blocks, i % DEPTH, along_k), select(i % blocks, i / DEPTH, along_k));
}

fn share_a(place: Place, a: mat4x4f) {
  let at = place.k4 * PITCH_A + place.block;
  // unroll
  for (var r = 0u; r < 4u; r++) {
    shared_a[at + r * TILE_M] = a[r];
  }
}

fn share_b(place: Place, b: mat4x4f) {
  let at = place.k4 * PITCH_B + place.block;
  // unroll
  for (var r = 0u; r < 4u; r++) {
    shared_b[at + r * TILE_N] = b[r];
  }
}

fn shared_block_a(k4: u32, block: u32) -> mat4x4f {
  let at = k4 * PITCH_A + block;
  return mat4x4f(shared_a[at], shared_a[at + TILE_M], shared_a[at + 2u * TILE_M], shared_a[at + 3u * TILE_M]);
}

fn shared_block_b(k4: u32, block: u32) -> mat4x4f {
  let at = k4 * PITCH_B + block;
  return mat4x4f(shared_b[at], shared_b[at + TILE_N], shared_b[at + 2u * TILE_N], shared_b[at + 3u * TILE_N]);
}

fn multiply_blocks(workgroup: vec3u, local: vec3u) {
  let slice = workgroup.z / FOLDS;
  let first_m4 = (workgroup.z % FOLDS * GROUPS_M + workgroup.y) * TILE_M;
  let first_n4 = workgroup.x * TILE_N;
  let lane = local.y * WORKGROUP_N + local.x;
  // Where one load each is more than it takes, those that load no a load b.
  let lane_b = (lane + INVOCATIONS / 2u) % INVOCATIONS;
  var rows: array<Row, LOADS_A>;
  // unroll
  for (var i = 0u; i < LOADS_A; i++) {
    rows[i] = row_block(first_m4 + place_of(lane + i * INVOCATIONS, TILE_M, A_ALONG_K).block, slice);
  }
  var columns: array<Column, LOADS_B>;
  // unroll
  for (var i = 0u; i < LOADS_B; i++) {
    columns[i] = column_block(first_n4 + place_of(lane_b + i * INVOCATIONS, TILE_N, B_ALONG_K).block, slice);
  }

  var c: array<mat4x4f, BLOCKS_M * BLOCKS_N>;
  let first_row = row_block(first_m4, slice);
  let range = steps(slice, first_row);
  for (var t = range.x; t < range.y; t++) {
    let step = step_at(t, first_row);
    for (var first_k4 = 0u; first_k4 < INNER; first_k4 += DEPTH) {
      workgroupBarrier(); // Nobody multiplies any more what is now replaced.
      // unroll
      for (var i = 0u; i < LOADS_A; i++) {
        let load = lane + i * INVOCATIONS;
        if (DEPTH * TILE_M % INVOCATIONS == 0u || load < DEPTH * TILE_M) {
          let place = place_of(load, TILE_M, A_ALONG_K);
          share_a(place, block_a(rows[i], step, min(first_k4 + place.k4, INNER - 1u)));
        }
      }
      // unroll
      for (var i = 0u; i < LOADS_B; i++) {
        let load = lane_b + i * INVOCATIONS;
        if (DEPTH * TILE_N % INVOCATIONS == 0u || load < DEPTH * TILE_N) {
          let place = place_of(load, TILE_N, B_ALONG_K);
          share_b(place, block_b(columns[i], step, min(first_k4 + place.k4, INNER - 1u)));
        }
      }
      workgroupBarrier();
      let depth = select(min(INNER - first_k4, DEPTH), DEPTH, INNER % DEPTH == 0u);
      for (var k4 = 0u; k4 < depth; k4++) {
        var b: array<mat4x4f, BLOCKS_N>;
        // unroll
        for (var j = 0u; j < BLOCKS_N; j++) {
          b[j] = shared_block_b(k4, j * WORKGROUP_N + local.x);
        }
        // unroll
        for (var i = 0u; i < BLOCKS_M; i++) {
          let a = shared_block_a(k4, i * WORKGROUP_M + local.y);
          // unroll
          for (var j = 0u; j < BLOCKS_N; j++) {
            c[i * BLOCKS_N + j] += b[j] * a;
          }
        }
      }
    }
  }

  // unroll
  for (var i = 0u; i < BLOCKS_M; i++) {
    let row = row_block(first_m4 + i * WORKGROUP_M + local.y, slice);
    // unroll
    for (var j = 0u; j < BLOCKS_N; j++) {
      let column = column_block(first_n4 + j * WORKGROUP_N + local.x, slice);
      store_block(row, column, slice, c[i * BLOCKS_N + j]);
    }
  }
}
