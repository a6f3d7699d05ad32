// One invocation an element, more elements than one dispatch dimension holds: workgroups lie in rows of GROUPS_X.
const GROUPS_X: u32 = 1u;

fn linear_index(workgroup: vec3u, local: u32) -> u32 {
  return (workgroup.y * GROUPS_X + workgroup.x) * 64u + local;
}
