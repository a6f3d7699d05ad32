// Kernels that do not depend on each other, in one dispatch: each has a range of its workgroups. Of each comes then its
// range, whose `run` is called here, and its own text. The entry point takes the kernels' names.
override LANES: u32; // invocations of a workgroup
override ROW: u32; // workgroups lie in rows of so many

// The i-th cell of a grid, x running fastest.
fn cell(i: u32, grid: vec3u) -> vec3u {
  return vec3u(i % grid.x, i / grid.x % grid.y, i / (grid.x * grid.y));
}

@compute @workgroup_size(LANES)
fn merged(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) lane: u32) {
  let group = workgroup.y * ROW + workgroup.x;
  run(group, lane);
}
