// How Winograd's convolution cuts its output: in tiles of OUTPUTS x OUTPUTS, each of which reaches a patch of x of
// POINTS x POINTS. Tiles lie image by image, row by row.
const BATCH: u32 = 1u;
const IN_H: u32 = 1u;
const IN_W: u32 = 1u;
const IN_C: u32 = 1u;
const OUT_H: u32 = 1u;
const OUT_W: u32 = 1u;
const OUT_C: u32 = 1u;
const PAD_H: u32 = 0u;
const PAD_W: u32 = 0u;
const TAPS: u32 = 1u; // of the kernel, along each axis
const OUTPUTS: u32 = POINTS + 1u - TAPS;
const TILES_H: u32 = (OUT_H + OUTPUTS - 1u) / OUTPUTS;
const TILES_W: u32 = (OUT_W + OUTPUTS - 1u) / OUTPUTS;
const TILES: u32 = BATCH * TILES_H * TILES_W;

struct Tile {
  index: u32,
  image: u32,
  h: u32, // of the first output
  w: u32,
}

fn tile_at(t: u32) -> Tile {
  return Tile(t, t / (TILES_H * TILES_W), t / TILES_W % TILES_H * OUTPUTS, t % TILES_W * OUTPUTS);
}
