// What the kernels of a depthwise convolution share beside conv2d/lib/patches.wgsl: OUT_C = IN_C * MULTIPLIER. They work on blocks: four
// channels of y from o, a multiple of 4, at four positions. Those are neighbours along w or, where WINDOWS, a window of a pooling.
// provides: MULTIPLIER, OUT_C4, BLOCK_ROWS, BLOCKS_PER_ROW, positions_of_block, source_rows, has_source
// needs: OUT_C, OUT_H, POOLED_H, OUT_W, POOLED_W, Positions, positions_of_window, load_x, element_x, Patches, DILATION_H, IN_W, DILATION_W,
//   IN_C, PADDED, inside
override MULTIPLIER: u32; // channels of y that each channel of x makes
override WINDOWS: bool;
const OUT_C4: u32 = (OUT_C + 3u) / 4u;
const BLOCK_ROWS: u32 = select(OUT_H, POOLED_H, WINDOWS); // of an image
const BLOCKS_PER_ROW: u32 = select((OUT_W + 3u) / 4u, POOLED_W, WINDOWS);

fn positions_of_block(row: u32, column: u32) -> Positions {
  if (WINDOWS) {
    return positions_of_window(row, column);
  } else {
    return Positions(vec4u(row), column * 4u + vec4u(0u, 1u, 2u, 3u));
  }
}

// Of a place whose first channel lies `at` in x: the channel that makes each of four channels of y.
fn sources(at: u32, o: u32) -> vec4f {
  if (MULTIPLIER == 1u) {
    return load_x(at + o, OUT_C - o);
  } else if (MULTIPLIER % 4u == 0u) {
    return vec4f(element_x(at + o / MULTIPLIER));
  } else {
    let i = at + (o + vec4u(0u, 1u, 2u, 3u)) / MULTIPLIER;
    return vec4f(element_x(i.x), element_x(i.y), element_x(i.z), element_x(i.w));
  }
}

// The same below tap (i, j) of four patches, one a column. Whatever lies there is read of a place that `has_source` says is outside x.
fn source_rows(patches: Patches, i: u32, j: u32, o: u32) -> mat4x4f {
  let at = vec4u(patches.at + i32((i * DILATION_H * IN_W + j * DILATION_W) * IN_C));
  return mat4x4f(sources(at.x, o), sources(at.y, o), sources(at.z, o), sources(at.w, o));
}

// Which of four patches have something of x below tap (i, j).
fn has_source(patches: Patches, i: u32, j: u32) -> vec4<bool> {
  if (PADDED) {
    return inside(patches.h + i32(i * DILATION_H), patches.w + i32(j * DILATION_W));
  } else {
    return vec4<bool>(true);
  }
}
