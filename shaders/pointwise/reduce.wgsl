// reduce.   y[k] = act(SCALE * sum over r of expression(e))     or its maximum or minimum, by KIND 0, 1, 2;   e = kept(k) + reduced(r)
// The whole tensor has the elements e; its kept axes are up to four runs of neighbours, and so are those that are reduced.
// INNER_REDUCED: the innermost run is reduced; a position is four of its elements, and a workgroup's block makes one y.
// Otherwise the innermost run is kept, and a block makes four of y. A run's end may leave less than four.
// A workgroup has ACROSS blocks; LANES = 64 / ACROSS lanes share the positions of each, every so many, and are added up in a fixed order.
// The positions are cut into SLICES, whose results lie one after the other in y.
override GROUPS_X: u32; // workgroups side by side
override KIND: u32;
override INNER_REDUCED: bool;
override ACROSS: u32; // a power of two, of at most 64
override SLICES: u32;
override BLOCKS: u32;
override POSITIONS: u32;
override KEPT: u32; // length of y of one slice
const SCALE: f32 = 1.0f;
const LANES: u32 = 64u / ACROSS;

// Blocks of four along the innermost run of its kind.
const KEPT_INNER: u32 = select((KEPT_SIZE_3 + 3u) / 4u, KEPT_SIZE_3, INNER_REDUCED);
const REDUCED_INNER: u32 = select(REDUCED_SIZE_3, (REDUCED_SIZE_3 + 3u) / 4u, INNER_REDUCED);
const KEPT_STEP: u32 = select(4u, KEPT_STRIDE_3, INNER_REDUCED);
const REDUCED_STEP: u32 = select(REDUCED_STRIDE_3, 4u, INNER_REDUCED);

var<workgroup> lane_results: array<vec4f, 64>;

fn combined(a: vec4f, b: vec4f) -> vec4f {
  if (KIND == 0u) {
    return a + b;
  } else if (KIND == 1u) {
    return maximum_of(a, b);
  } else {
    return minimum_of(a, b);
  }
}

// What changes no result: 0, -Infinity or Infinity. `zero` is 0, but not to the compiler, which takes no infinity that it can see.
fn neutral(zero: u32) -> vec4f {
  if (KIND == 0u) {
    return vec4f(0.0f);
  } else if (KIND == 1u) {
    return vec4f(bitcast<f32>(zero | 0xff800000u));
  } else {
    return vec4f(bitcast<f32>(zero | 0x7f800000u));
  }
}

@compute @workgroup_size(64)
fn reduce(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) lane: u32) {
  let group = workgroup.y * GROUPS_X + workgroup.x;
  let slice = group % SLICES;
  // Lanes side by side read what lies side by side.
  let part = select(lane / ACROSS, lane % LANES, INNER_REDUCED);
  let block = group / SLICES * ACROSS + select(lane % ACROSS, lane / LANES, INNER_REDUCED);
  let none = neutral(workgroup.z);
  var result = none;
  if (block < BLOCKS) {
    let start = kept_start(block);
    let kept_left = KEPT_SIZE_3 - block % KEPT_INNER * 4u;
    for (var position = slice * LANES + part; position < POSITIONS; position += SLICES * LANES) {
      let e = start + reduced_start(position);
      if (INNER_REDUCED) {
        let left = REDUCED_SIZE_3 - position % REDUCED_INNER * 4u;
        let inside = vec4u(0u, 1u, 2u, 3u) < vec4u(left);
        result = combined(result, select(none, expression(e, left), inside));
      } else {
        result = combined(result, expression(e, kept_left));
      }
    }
  }
  if (LANES > 1u) {
    lane_results[lane] = result;
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
      workgroupBarrier();
      if (part < half) {
        let other = select(lane + half * ACROSS, lane + half, INNER_REDUCED);
        lane_results[lane] = combined(lane_results[lane], lane_results[other]);
      }
    }
    result = lane_results[lane];
  }
  if ((block < BLOCKS) & (part == 0u)) {
    if (INNER_REDUCED) {
      let pairs = combined(result, result.zwxy);
      store_y(slice * KEPT + block, activate(SCALE * combined(pairs, pairs.yxwz)), 1u);
    } else {
      let row = block / KEPT_INNER * KEPT_SIZE_3 + block % KEPT_INNER * 4u;
      store_y(slice * KEPT + row, activate(SCALE * result), KEPT_SIZE_3 - block % KEPT_INNER * 4u);
    }
  }
}
