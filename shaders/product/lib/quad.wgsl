// The four invocations of a quad pass each other their values. A workgroup is one quad, in any order of its lanes.
// By swaps along x, y and x again, each meets the three others; by a swap along x alone, the other one of its pair.
// provides: swap_x, swap_y, swap_index_x, swap_index_y
enable subgroups;
// The bound of the loop around is the same for a whole workgroup, which the analysis cannot see.
diagnostic(off, subgroup_uniformity);

fn swap_x(a: mat4x4f) -> mat4x4f {
  return mat4x4f(quadSwapX(a[0]), quadSwapX(a[1]), quadSwapX(a[2]), quadSwapX(a[3]));
}

fn swap_y(a: mat4x4f) -> mat4x4f {
  return mat4x4f(quadSwapY(a[0]), quadSwapY(a[1]), quadSwapY(a[2]), quadSwapY(a[3]));
}

fn swap_index_x(index: u32) -> u32 {
  return quadSwapX(index);
}

fn swap_index_y(index: u32) -> u32 {
  return quadSwapY(index);
}
