// A transform along two axes. LINES 1: an invocation makes all of it in registers. LINES equal to POINTS, for GPUs: each of so many
// invocations transforms one line, hands it on through workgroup memory, and transforms one line in the other direction, which it
// takes from all. A workgroup has ITEMS x LINES invocations, for ITEMS transforms, of a tile's channel, say.
// provides: ITEMS, LINES, hand_on, taken, item_index
// needs: POINTS, Channels
override ITEMS: u32;
override LINES: u32;
const LINE: u32 = ITEMS * POINTS + ITEMS; // of all items, and a free place for each, so that neighbours read from different banks

var<workgroup> lines: array<Channels, POINTS * LINE>;

fn hand_on(line: u32, place: u32, item: u32, value: Channels) {
  lines[line * LINE + place * ITEMS + item] = value;
}

fn taken(line: u32, place: u32, item: u32) -> Channels {
  return lines[line * LINE + place * ITEMS + item];
}

// The place of an item among those of all workgroups, which lie in rows of GROUPS_X.
override GROUPS_X: u32;

fn item_index(workgroup: vec3u, local: vec3u) -> u32 {
  return (workgroup.y * GROUPS_X + workgroup.x) * ITEMS + local.x;
}
