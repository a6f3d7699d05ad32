// The last axis is channels, and the axes before it are positions: x [BATCH, PIXELS, C]. Channels go by blocks of 4.
// provides: BATCH, PIXELS, C, BLOCKS, positions_in_use
// needs: StepState
override BATCH: u32;
override PIXELS: u32; // positions of one row of the batch
override C: u32;
const BLOCKS: u32 = (C + 3u) / 4u;

@group(0) @binding(0) var<storage, read> state: StepState;

// Positions of the rows in use, which come first.
fn positions_in_use() -> u32 {
  return min(state.rows, BATCH) * PIXELS;
}
