/** More would be too small to be seen at a glance. */
const MOST = 16;

/**
 * How many of `tiles` equal pictures stand side by side.
 *
 * @param room So many have room.
 * @returns all, where they fit; else as many as leave the last row the fullest, and at least half of what has room
 */
export function columnsOf(tiles: number, room: number): number {
  const most = Math.max(4, Math.min(MOST, Math.floor(room)));
  if (tiles <= most) return tiles;
  const missing = (columns: number) => Math.ceil(tiles / columns) * columns - tiles;
  let best = most;
  for (let columns = most; columns >= most / 2; columns--) if (missing(columns) < missing(best)) best = columns;
  return best;
}
