// One invocation an element, more elements than one dispatch dimension holds: workgroups lie in rows of GROUPS_X.
override GROUPS_X: u32;

fn linear_index(workgroup: vec3u, local: u32) -> u32 {
  return (workgroup.y * GROUPS_X + workgroup.x) * 64u + local;
}
