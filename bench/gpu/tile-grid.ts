// The tiles that the sweep of the GPU kit tries: more than a tuner has time for.

import { ceilDiv } from "../../src/base/shape.ts";
import type { Tile, TileRequest } from "../../src/graph/tile.ts";

const BLOCKS = [
  [1, 1],
  [2, 1],
  [1, 2],
  [2, 2],
] as const;

/** Rows and columns of invocations. */
const WORKGROUPS = [
  [4, 8],
  [8, 4],
  [8, 8],
  [8, 16],
  [16, 8],
] as const;

const PARTS = [1, 2, 4, 8, 16];
const MOST_INVOCATIONS = 512;
/** From so many invocations on, a device is full without parts of sums. */
const FULL = 2 ** 17;

/** Shared tiles of so many slices for a product: each pair of blocks with each workgroup, in parts where that is sensible. */
export function tileGrid({ m, n, k, batch = 1, repeats = 1 }: TileRequest, slices: number): Tile[] {
  const [rows4, columns4] = [ceilDiv(m, 4), ceilDiv(n, 4)];
  return BLOCKS.flatMap(([blocksM, blocksN]) => {
    const invocations = ceilDiv(rows4, blocksM) * ceilDiv(columns4, blocksN) * batch * repeats * slices;
    return WORKGROUPS.filter(
      // A workgroup that is less than half in use is never the best.
      ([down, across]) => blocksM * down < 2 * rows4 && blocksN * across < 2 * columns4,
    ).flatMap(([workgroupM, workgroupN]) =>
      PARTS.filter(
        (parts) =>
          parts === 1 ||
          (workgroupM * workgroupN * parts <= MOST_INVOCATIONS &&
            invocations * parts <= 2 * FULL &&
            ceilDiv(k, 4) / slices >= 4 * parts),
      ).map((parts): Tile => {
        const tile: Tile = { blocksM, blocksN, workgroupM, workgroupN, slices, shared: true };
        return parts === 1 ? tile : { ...tile, workgroupK: parts };
      }),
    );
  });
}

/** The same tile with other numbers of slices, where the sum can be cut, and with more terms in shared memory at a time. */
export function varied(tile: Tile, { k, sliced = false }: TileRequest, maxSlices: number): Tile[] {
  const { shared, workgroupK = 1, slices } = tile;
  const counts = sliced ? [8, 16, 32, 64, 128, 256, 512].filter((count) => count <= Math.min(maxSlices, k / 64)) : [];
  const depths = shared ? [8, 16].filter((depth) => depth > Math.max(4, 2 * workgroupK)) : [];
  return [
    ...counts.filter((count) => count !== slices).map((count) => ({ ...tile, slices: count })),
    ...depths.map((depth) => ({ ...tile, depth })),
  ];
}
