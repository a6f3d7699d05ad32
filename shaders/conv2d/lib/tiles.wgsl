// Tiles of Winograd's convolution: its output is cut into OUTPUTS x OUTPUTS, each of which depends on a patch of x of POINTS x POINTS.
// Tiles lie image by image, row by row.
// provides: BATCH, IN_H, IN_W, IN_C, OUT_H, OUT_W, OUT_C, PAD_H, PAD_W, TAPS, OUTPUTS, TILES_H, TILES_W, TILES, Tile,
//   tile_at
// needs: POINTS
override BATCH: u32;
override IN_H: u32;
override IN_W: u32;
override IN_C: u32;
override OUT_H: u32;
override OUT_W: u32;
override OUT_C: u32;
override PAD_H: u32;
override PAD_W: u32;
override TAPS: u32; // of the kernel, along each axis
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
