// A range of the workgroups of lib/merged.wgsl. `entry` stands for the entry point of its kernel, which gets the same `builtins` as on
// its own. Invocations beyond the kernel's own workgroup stay idle. If there are any, the kernel has no barrier.
// needs: cell, entry, builtins, LANES
override range_FIRST: u32; // workgroups of the parts before it
override range_GROUPS_X: u32;
override range_GROUPS_Y: u32;
override range_GROUPS_Z: u32;
override range_SIZE_X: u32;
override range_SIZE_Y: u32;
override range_SIZE_Z: u32;

fn range_start(group: u32, local_invocation_index: u32) {
  let num_workgroups = vec3u(range_GROUPS_X, range_GROUPS_Y, range_GROUPS_Z);
  let workgroup_size = vec3u(range_SIZE_X, range_SIZE_Y, range_SIZE_Z);
  let workgroup_id = cell(group - range_FIRST, num_workgroups);
  let local_invocation_id = cell(local_invocation_index, workgroup_size);
  let global_invocation_id = workgroup_id * workgroup_size + local_invocation_id;
  entry(builtins);
}

fn range_run(group: u32, lane: u32) {
  if ((group >= range_FIRST) & (group < range_FIRST + range_GROUPS_X * range_GROUPS_Y * range_GROUPS_Z)) {
    if (range_SIZE_X * range_SIZE_Y * range_SIZE_Z < LANES) {
      if (lane < range_SIZE_X * range_SIZE_Y * range_SIZE_Z) {
        range_start(group, lane);
      }
    } else {
      range_start(group, lane);
    }
  }
}
