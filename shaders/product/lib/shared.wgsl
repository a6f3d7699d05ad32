// The matrix products of product/lib/blocks.wgsl through workgroup memory, for GPUs. A workgroup makes TILE_M x TILE_N blocks of c.
// Its invocations together load DEPTH blocks of 4 k, each block of a and of b once, into workgroup memory, and multiply from there:
// WORKGROUP_N times fewer loads of a, WORKGROUP_M times fewer of b.
//
// WORKGROUP_K invocations may share the same blocks of c, if c has too few to fill a GPU. Each adds the products of every WORKGROUP_K-th
// block of 4 k. In the end half of them add the sums of the other half, again and again: a fixed order.
//
// The operands of the next turn are loaded before this turn multiplies, which hides the latency of memory. The blocks of an invocation
// lie WORKGROUP_M rows of blocks and WORKGROUP_N columns apart, so that neighbours are neighbours in memory, too. Barriers require all
// of a workgroup to take the same steps: those of its first row.
// Beside what blocks.wgsl needs, the kernel says
//   A_ALONG_K, B_ALONG_K   whether terms that follow each other along k lie side by side in memory, else those along m, along n;
//                          in that direction invocations side by side load
// provides: WORKGROUP_M, WORKGROUP_N, WORKGROUP_Z, ROWS_TOGETHER, LANES, multiply_blocks
// needs: INNER, Row, row_block, A_ALONG_K, Column, column_block, B_ALONG_K, steps, step_at, block_a, block_b,
//   store_block

override BLOCKS_M: u32;
override BLOCKS_N: u32;
override WORKGROUP_M: u32;
override WORKGROUP_N: u32;
const WORKGROUP_K: u32 = 1u; // a power of two
const WORKGROUP_Z: u32 = WORKGROUP_K;
const FOLDS: u32 = 1u;
const GROUPS_M: u32 = 1u;

const TILE_M: u32 = WORKGROUP_M * BLOCKS_M;
const TILE_N: u32 = WORKGROUP_N * BLOCKS_N;
const ROWS_TOGETHER: u32 = TILE_M;
const LANES: u32 = WORKGROUP_M * WORKGROUP_N; // invocations with the same terms
const INVOCATIONS: u32 = LANES * WORKGROUP_K;
override DEPTH: u32; // blocks of 4 k a turn, a multiple of WORKGROUP_K
const TURNS_A_STEP: u32 = (INNER + DEPTH - 1u) / DEPTH;
const LOADS_A: u32 = (DEPTH * TILE_M + INVOCATIONS - 1u) / INVOCATIONS; // of one invocation
const LOADS_B: u32 = (DEPTH * TILE_N + INVOCATIONS - 1u) / INVOCATIONS;
const ALL_LOAD_A: bool = DEPTH * TILE_M % INVOCATIONS == 0u; // as much
const ALL_LOAD_B: bool = DEPTH * TILE_N % INVOCATIONS == 0u;

// For each k4 the first vec4f of every block, then the second, and so on, so that neighbours read side by side. The 2 free places after
// each k4 keep writes along k in different banks, too.
const PITCH_A: u32 = 4u * TILE_M + 2u;
const PITCH_B: u32 = 4u * TILE_N + 2u;
var<workgroup> shared_a: array<vec4f, DEPTH * PITCH_A>;
var<workgroup> shared_b: array<vec4f, DEPTH * PITCH_B>;

// Block of the i-th load, of `blocks` for each k4.
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

// c + b * a, by one multiply-add for each product. From `c += b * a` a GPU's compiler makes one more addition for every 4 of them.
fn multiply_add(b: mat4x4f, a: mat4x4f, c: mat4x4f) -> mat4x4f {
  var sum = c;
  // unroll
  for (var r = 0u; r < 4u; r++) {
    // unroll
    for (var k = 0u; k < 4u; k++) {
      sum[r] = fma(b[k], vec4f(a[r][k]), sum[r]);
    }
  }
  return sum;
}

// Adds up the sums of the invocations that have the same blocks. The first, whose part is 0, gets the total. The sums that one half hands to
// the other fit in shared_a if DEPTH is at least 2 * WORKGROUP_K, and WORKGROUP_N at most 16 * BLOCKS_M.
fn add_parts(sum: vec4f, part: u32, lane: u32) -> vec4f {
  var total = sum;
  for (var half = WORKGROUP_K / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if ((part >= half) & (part < 2u * half)) {
      shared_a[(part - half) * LANES + lane] = total;
    }
    workgroupBarrier();
    if (part < half) {
      total += shared_a[part * LANES + lane];
    }
  }
  return total;
}

fn multiply_blocks(workgroup: vec3u, local: vec3u) {
  let slice = workgroup.z / FOLDS;
  let first_m4 = (workgroup.z % FOLDS * GROUPS_M + workgroup.y) * TILE_M;
  let first_n4 = workgroup.x * TILE_N;
  let lane = local.y * WORKGROUP_N + local.x;
  let lane_a = local.z * LANES + lane;
  // If one load each is more than enough, the invocations that load no a load b.
  let lane_b = (lane_a + INVOCATIONS / 2u) % INVOCATIONS;
  var rows: array<Row, LOADS_A>;
  // unroll
  for (var i = 0u; i < LOADS_A; i++) {
    rows[i] = row_block(first_m4 + place_of(lane_a + i * INVOCATIONS, TILE_M, A_ALONG_K).block, slice);
  }
  var columns: array<Column, LOADS_B>;
  // unroll
  for (var i = 0u; i < LOADS_B; i++) {
    columns[i] = column_block(first_n4 + place_of(lane_b + i * INVOCATIONS, TILE_N, B_ALONG_K).block, slice);
  }

  var c: array<mat4x4f, BLOCKS_M * BLOCKS_N>;
  var next_a: array<mat4x4f, LOADS_A>;
  var next_b: array<mat4x4f, LOADS_B>;
  let first_row = row_block(first_m4, slice);
  let range = steps(slice, first_row);
  let turns = (max(range.y, range.x) - range.x) * TURNS_A_STEP;
  for (var turn = 0u; turn <= turns; turn++) {
    if (turn < turns) {
      let step = step_at(range.x + turn / TURNS_A_STEP, first_row);
      let first_k4 = turn % TURNS_A_STEP * DEPTH;
      // unroll
      for (var i = 0u; i < LOADS_A; i++) {
        let load = lane_a + i * INVOCATIONS;
        if (ALL_LOAD_A | (load < DEPTH * TILE_M)) {
          let place = place_of(load, TILE_M, A_ALONG_K);
          next_a[i] = block_a(rows[i], step, min(first_k4 + place.k4, INNER - 1u));
        }
      }
      // unroll
      for (var i = 0u; i < LOADS_B; i++) {
        let load = lane_b + i * INVOCATIONS;
        if (ALL_LOAD_B | (load < DEPTH * TILE_N)) {
          let place = place_of(load, TILE_N, B_ALONG_K);
          next_b[i] = block_b(columns[i], step, min(first_k4 + place.k4, INNER - 1u));
        }
      }
    }
    if (turn > 0u) {
      let left = INNER - (turn - 1u) % TURNS_A_STEP * DEPTH;
      // The count is the same for all invocations, so that a compiler can unroll the loop.
      for (var i = 0u; i < DEPTH / WORKGROUP_K; i++) {
        let k4 = i * WORKGROUP_K + local.z;
        if (INNER % DEPTH != 0u) {
          if (k4 >= left) {
            break;
          }
        }
        var b: array<mat4x4f, BLOCKS_N>;
        // unroll
        for (var j = 0u; j < BLOCKS_N; j++) {
          b[j] = shared_block_b(k4, j * WORKGROUP_N + local.x);
        }
        // unroll
        for (var m = 0u; m < BLOCKS_M; m++) {
          let a = shared_block_a(k4, m * WORKGROUP_M + local.y);
          // unroll
          for (var j = 0u; j < BLOCKS_N; j++) {
            c[m * BLOCKS_N + j] = multiply_add(b[j], a, c[m * BLOCKS_N + j]);
          }
        }
      }
    }
    workgroupBarrier(); // Nobody multiplies any more what is now replaced.
    if (turn < turns) {
      // unroll
      for (var i = 0u; i < LOADS_A; i++) {
        let load = lane_a + i * INVOCATIONS;
        if (ALL_LOAD_A | (load < DEPTH * TILE_M)) {
          share_a(place_of(load, TILE_M, A_ALONG_K), next_a[i]);
        }
      }
      // unroll
      for (var i = 0u; i < LOADS_B; i++) {
        let load = lane_b + i * INVOCATIONS;
        if (ALL_LOAD_B | (load < DEPTH * TILE_N)) {
          share_b(place_of(load, TILE_N, B_ALONG_K), next_b[i]);
        }
      }
    }
    workgroupBarrier();
  }

  if (WORKGROUP_K > 1u) {
    // unroll
    for (var i = 0u; i < BLOCKS_M * BLOCKS_N; i++) {
      // unroll
      for (var r = 0u; r < 4u; r++) {
        c[i][r] = add_parts(c[i][r], local.z, lane);
      }
    }
    if (local.z > 0u) {
      return;
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
