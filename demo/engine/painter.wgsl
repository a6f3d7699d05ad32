// Numbers in a buffer as tiles of coloured cells.

struct Picture {
  // Colours of zero, of the greatest number and of the least, if negative.
  none: vec3f,
  most: vec3f,
  least: vec3f,
  // Of a tile, in cells, and of a tile with the gap after it, in pixels.
  cells: vec2u,
  tile: vec2f,
  gap: f32,
  tiles: u32,
  across: u32,
  // From a cell to the next.
  step: u32,
  count: u32,
}

@group(0) @binding(0) var<uniform> picture: Picture;
@group(0) @binding(1) var<storage, read> values: array<f32>;
@group(0) @binding(2) var<storage, read_write> measured: f32;
@group(0) @binding(3) var<storage, read> whole: f32;

const LANES = 256u;
var<workgroup> parts: array<f32, LANES>;

// The greatest magnitude of all numbers. One workgroup.
@compute @workgroup_size(LANES)
fn measure(@builtin(local_invocation_index) lane: u32) {
  var most = 0.0;
  for (var i = lane; i < picture.count; i += LANES) {
    most = max(most, abs(values[i]));
  }
  parts[lane] = most;
  workgroupBarrier();
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    if (lane < half) {
      parts[lane] = max(parts[lane], parts[lane + half]);
    }
    workgroupBarrier();
  }
  if (lane == 0u) {
    measured = parts[0];
  }
}

// One triangle over all.
@vertex
fn cover(@builtin(vertex_index) corner: u32) -> @builtin(position) vec4f {
  return vec4f(f32(corner & 1u) * 4.0 - 1.0, f32(corner >> 1u) * 4.0 - 1.0, 0.0, 1.0);
}

@fragment
fn paint(@builtin(position) position: vec4f) -> @location(0) vec4f {
  let tile = vec2u(position.xy / picture.tile);
  let index = tile.y * picture.across + tile.x;
  let inside = position.xy - vec2f(tile) * picture.tile;
  let side = picture.tile - picture.gap;
  if (tile.x >= picture.across || index >= picture.tiles || any(inside >= side)) {
    return vec4f(0.0);
  }
  let cell = vec2u(inside / side * vec2f(picture.cells));
  let value = values[(cell.y * picture.cells.x + cell.x) * picture.step + index];
  let share = select(0.0, clamp(abs(value) / whole, 0.0, 1.0), whole > 0.0);
  return vec4f(mix(picture.none, select(picture.most, picture.least, value < 0.0), share), 1.0);
}
