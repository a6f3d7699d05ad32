// mix_draws.   partners[r] = a row of the batch that r is mixed with   weights[r] = a draw of Beta(a, a), the share of r itself
// partners, weights [BATCH]. a = LOW + SPAN u, with a draw u of the step. The partners of the rows in use are a permutation of them: each
// is the number of rows whose hash is below r's, which draws it evenly. Rows not in use are their own partners. One invocation a row.
// The weight is a closed form of two draws u and v, without a loop: with c = cos(2 pi v) and p = u^(1/a),
//   weight = 1/2 + sign(c)/2 sqrt(q / (p + q)),   q = (1 - p) c^2
// since t = sqrt(2 a (1 / p - 1)) c is of Student's distribution with 2 a degrees of freedom (Bailey 1994), and
// 1/2 + t/2 / sqrt(2 a + t^2) then of Beta(a, a) (Devroye 1996). KEY is as that of `random`.
override BATCH: u32;
override KEY: u32;
override LOW: f32;
override SPAN: f32;

@group(0) @binding(0) var<storage, read> state: StepState;
@group(0) @binding(0) var<storage, read_write> partners: array<u32>;
@group(0) @binding(0) var<storage, read_write> weights: array<f32>;

// The seed of another stream of the step.
fn stream(seed: vec4u, part: u32) -> vec4u {
  return mixed(seed + 0x9e3779b9u, part);
}

fn uniform_of(hash: vec4u) -> vec4f {
  return vec4f(hash >> vec4u(8u)) * 5.9604644775390625e-8f;
}

// The number of rows in use that come before r by their hashes; equal ones by their places.
fn rank_of(seed: vec4u, r: u32, rows: u32) -> u32 {
  let own = hash_at(seed, r).xxxx;
  var before = vec4u(0u);
  for (var first = 0u; first < rows; first += 4u) {
    let at = first + vec4u(0u, 1u, 2u, 3u);
    let hash = hash_at(seed, first);
    let is_before = (hash < own) | ((hash == own) & (at < vec4u(r)));
    before += select(vec4u(0u), vec4u(1u), is_before & (at < vec4u(rows)));
  }
  return before.x + before.y + before.z + before.w;
}

@compute @workgroup_size(64)
fn mix_draws(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let r = linear_index(workgroup, local);
  if (r < BATCH) {
    let seed = mixed(vec4u(KEY), state.step);
    let rows = min(state.rows, BATCH);
    if (r < rows) {
      partners[r] = rank_of(seed, r, rows);
    } else {
      partners[r] = r;
    }
    let a = LOW + SPAN * uniform_of(hash_at(stream(seed, 1u), 0u)).x;
    let u = uniform_of(hash_at(stream(seed, 2u), r));
    let c = cosine_of_turn(uniform_of(hash_at(stream(seed, 3u), r)));
    // 1 - u lies in (0, 1], whose logarithm is finite. Below -80 the power is 0 beside 1.
    let exponent = max(logarithm_one_plus(-u) / a, vec4f(-80.0f));
    let p = exponential(exponent);
    let q = -exponential_minus_one(exponent) * c * c;
    weights[r] = (0.5f + 0.5f * sign(c) * sqrt(q / (p + q))).x;
  }
}
