// Two sums a channel over positions. A workgroup of 64 lanes has ACROSS blocks of channels side by side; the other lanes share the
// positions of a block. Each adds every so many, then half of the lanes add the sums of the other half, again and again: a fixed
// order. The positions are cut into SLICES of their own workgroups, LANES positions by turns.
// provides: ACROSS, SLICES, LANES, channel_of, stores, add_lanes, positions_of
// needs: C
override ACROSS: u32; // a power of two, of at most 64
override SLICES: u32;
override LANES: u32; // that share the positions of a slice

var<workgroup> lane_sums: array<mat2x4f, 64>;

// The first of a lane's 4 channels; C or more where it has none.
fn channel_of(workgroup: vec3u, lane: u32) -> u32 {
  return (workgroup.x * ACROSS + lane % ACROSS) * 4u;
}

// Whether it is this lane that stores what the lanes of its block have added.
fn stores(c: u32, lane: u32) -> bool {
  return (lane < ACROSS) & (c < C);
}

// The sum of all lanes of a block, for each of them.
fn add_lanes(sums: mat2x4f, lane: u32) -> mat2x4f {
  lane_sums[lane] = sums;
  for (var half = 32u / ACROSS; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half * ACROSS) {
      lane_sums[lane] += lane_sums[lane + half * ACROSS];
    }
  }
  workgroupBarrier();
  let total = lane_sums[lane % ACROSS];
  // Before they are written again.
  workgroupBarrier();
  return total;
}

// How many of the positions in use belong to a slice.
fn positions_of(slice: u32, in_use: u32) -> u32 {
  let turn = SLICES * LANES;
  let first = slice * LANES;
  return in_use / turn * LANES + min(max(in_use % turn, first) - first, LANES);
}
