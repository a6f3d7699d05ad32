// A range of the workgroups of lib/merged.wgsl: `entry` stands for the entry point of its kernel, which gets the arguments
// that it would get alone. Invocations beyond the kernel's own workgroup stay idle; where there are any, it has no barrier.
const FIRST: u32 = 0u; // workgroups of the parts before it
const GROUPS_X: u32 = 1u;
const GROUPS_Y: u32 = 1u;
const GROUPS_Z: u32 = 1u;
const SIZE_X: u32 = 64u;
const SIZE_Y: u32 = 1u;
const SIZE_Z: u32 = 1u;

fn start(group: u32, local_invocation_index: u32) {
  let num_workgroups = vec3u(GROUPS_X, GROUPS_Y, GROUPS_Z);
  let workgroup_size = vec3u(SIZE_X, SIZE_Y, SIZE_Z);
  let workgroup_id = cell(group - FIRST, num_workgroups);
  let local_invocation_id = cell(local_invocation_index, workgroup_size);
  let global_invocation_id = workgroup_id * workgroup_size + local_invocation_id;
  entry();
}

fn run(group: u32, lane: u32) {
  if (group >= FIRST && group < FIRST + GROUPS_X * GROUPS_Y * GROUPS_Z) {
    if (SIZE_X * SIZE_Y * SIZE_Z < LANES) {
      if (lane < SIZE_X * SIZE_Y * SIZE_Z) {
        start(group, lane);
      }
    } else {
      start(group, lane);
    }
  }
}
