// Random numbers as hashes, as src/base/random.ts makes them: `mixed` is one step of `seedOf`, `hash_at` is `uniform` before its division.
// provides: mixed, hash_at

// Mixes the bits of each word.
fn scramble(x: vec4u) -> vec4u {
  var h = x;
  h = (h ^ (h >> vec4u(16u))) * 0x7feb352du;
  h = (h ^ (h >> vec4u(15u))) * 0x846ca68bu;
  return h ^ (h >> vec4u(16u));
}

// The seed of a seed and one more part. `key` is the seed plus 0x9e3779b9.
fn mixed(key: vec4u, part: u32) -> vec4u {
  return scramble(scramble(key) ^ vec4u(part));
}

// The hashes at places e to e + 3 of a seed's stream.
fn hash_at(seed: vec4u, e: u32) -> vec4u {
  return scramble(scramble(e + vec4u(0u, 1u, 2u, 3u)) ^ seed);
}
