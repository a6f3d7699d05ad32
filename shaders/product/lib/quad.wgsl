// The four invocations of a quad hand what they hold to each other; a workgroup is one quad, whatever its lanes' order.
// Swapped by x, y and x again, each has met all three others; swapped by x alone, the other of its pair.
enable subgroups;
// The loop around may run to a bound that is the same only within a workgroup, which the analysis cannot see.
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
