// Kernels that do not depend on each other, in one dispatch. Each has a range of its workgroups. The text of each follows, after its
// range, whose `run` is called here. The entry point gets the kernels' names.
// provides: LANES, cell
// needs: run
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
