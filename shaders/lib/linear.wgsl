// One invocation an element. Workgroups lie in rows of GROUPS_X, since one dispatch dimension may be too short.
// provides: linear_index
override GROUPS_X: u32;

fn linear_index(workgroup: vec3u, local: u32) -> u32 {
  return (workgroup.y * GROUPS_X + workgroup.x) * 64u + local;
}
