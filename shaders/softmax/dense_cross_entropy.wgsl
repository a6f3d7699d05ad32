// dense_cross_entropy.   x = h w + bias: a dense layer of few units, whose outputs are logits that nothing else reads;
//                        loss, hits and dx of them, as softmax_cross_entropy makes them;   dh = (dx w') * act'(h)
// h, dh [BATCH, IN]   w [IN, CLASSES]   bias [CLASSES]   dx [BATCH, CLASSES]   loss, hits [BATCH]
// HAS_GRADIENT, HAS_HITS, INPUT_GRADIENT: dx, hits and dh are wanted. dx is that of WEIGHT times the mean of loss.
// The labels t: see softmax/lib/cross_entropy.wgsl. Rows not in use take 0, by `select`.
// A workgroup a row. Each lane adds every LANES-th product. Then half of the lanes add the sums of the other half: a fixed order.
override BATCH: u32;
override IN: u32;
override CLASSES: u32;
override SPARSE: bool;
override HAS_BIAS: bool;
override HAS_GRADIENT: bool;
override HAS_HITS: bool;
override INPUT_GRADIENT: bool;
override GROUPS_X: u32; // workgroups side by side
const WEIGHT: f32 = 1.0f;
override LANES: u32; // of a workgroup, a power of two that is at least CLASSES
const BLOCKS: u32 = (CLASSES + 3u) / 4u;

@group(0) @binding(0) var<storage, read> state: StepState;
@group(0) @binding(0) var<storage, read_write> loss: array<f32>;
@group(0) @binding(0) var<storage, read_write> hits: array<f32>;
@group(0) @binding(0) var<storage, read_write> dx: array<f32>;

var<workgroup> sums: array<vec4f, LANES * BLOCKS>; // of each lane; in the end those of lane 0 are the logits
var<workgroup> gradient: array<f32, 4u * BLOCKS>; // dx of the row, zeros past the last class

fn logit(r: u32, c: u32) -> f32 {
  return sums[c / 4u][c % 4u];
}

fn add_products(r: u32, lane: u32) {
  var sum: array<vec4f, BLOCKS>;
  for (var k = lane; k < IN; k += LANES) {
    let value = element_h(r * IN + k);
    // unroll
    for (var j = 0u; j < BLOCKS; j++) {
      sum[j] += value * load_w(k * CLASSES + 4u * j, CLASSES - 4u * j);
    }
  }
  // unroll
  for (var j = 0u; j < BLOCKS; j++) {
    sums[lane * BLOCKS + j] = sum[j];
  }
}

fn add_lanes(lane: u32) {
  for (var count = LANES / 2u; count > 0u; count /= 2u) {
    workgroupBarrier();
    if (lane < count) {
      // unroll
      for (var j = 0u; j < BLOCKS; j++) {
        sums[lane * BLOCKS + j] += sums[(lane + count) * BLOCKS + j];
      }
    }
  }
  if (HAS_BIAS) {
    if (lane == 0u) {
      // unroll
      for (var j = 0u; j < BLOCKS; j++) {
        sums[j] += load_bias(4u * j, CLASSES - 4u * j);
      }
    }
  }
  workgroupBarrier();
}

// (dx w') of the row at k.
fn input_gradient(k: u32) -> f32 {
  var sum = 0.0f;
  // unroll
  for (var j = 0u; j < BLOCKS; j++) {
    let dx4 = vec4f(gradient[4u * j], gradient[4u * j + 1u], gradient[4u * j + 2u], gradient[4u * j + 3u]);
    sum += dot(dx4, load_w(k * CLASSES + 4u * j, CLASSES - 4u * j));
  }
  return sum;
}

fn store_input_gradient(r: u32, lane: u32) {
  for (var k = 4u * lane; k < IN; k += 4u * LANES) {
    let sum = vec4f(input_gradient(k), input_gradient(k + 1u), input_gradient(k + 2u), input_gradient(k + 3u));
    store_dh(r * IN + k, gradient_through(sum, load_h(r * IN + k, IN - k)), IN - k);
  }
}

@compute @workgroup_size(LANES)
fn dense_cross_entropy(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) lane: u32) {
  let r = workgroup.y * GROUPS_X + workgroup.x;
  if (r >= BATCH) {
    return;
  }
  add_products(r, lane);
  add_lanes(lane);
  let rows = state.rows;
  let outcome = outcome_of(r);
  if (HAS_GRADIENT) {
    if (lane < CLASSES) {
      gradient[lane] = select(0.0f, WEIGHT * (gradient_of(r, lane, outcome) / f32(rows)), r < rows);
      dx[r * CLASSES + lane] = gradient[lane];
    }
  }
  if (lane == 0u) {
    loss[r] = select(0.0f, loss_of(r, outcome), r < rows);
    if (HAS_HITS) {
      hits[r] = select(0.0f, 1.0f, (r < rows) & outcome.hit);
    }
  }
  if (INPUT_GRADIENT) {
    workgroupBarrier();
    store_input_gradient(r, lane);
  }
}
