// The tiles that the sweep of the GPU kit tries: many more than a tuner has time for.

import type { ProductFamily, Tile, TileRequest } from "../../src/graph/tile.ts";
import { ceilDiv } from "../../src/shape.ts";

const BLOCKS = [
  [1, 1],
  [2, 1],
  [1, 2],
  [2, 2],
  [4, 1],
  [4, 2],
  [2, 4],
] as const;

/** Rows and columns of invocations. */
const WORKGROUPS = [
  [4, 8],
  [8, 4],
  [8, 8],
  [4, 16],
  [16, 4],
  [2, 32],
  [8, 16],
  [16, 8],
  [16, 16],
] as const;

/** Tiles of one slice for a product: each pair of blocks with each workgroup, with and without shared memory. */
export function tileGrid({ m, n }: TileRequest, slices: number, families: readonly ProductFamily[]): Tile[] {
  const [rows4, columns4] = [ceilDiv(m, 4), ceilDiv(n, 4)];
  const kinds = [{}, ...families.map(({ name }) => ({ [name]: true }))];
  return kinds.flatMap((kind) =>
    BLOCKS.flatMap(([blocksM, blocksN]) =>
      WORKGROUPS.filter(
        // A workgroup that is less than half in use is never the best.
        ([down, across]) => blocksM * down < 2 * rows4 && blocksN * across < 2 * columns4,
      ).map(([workgroupM, workgroupN]): Tile => ({ blocksM, blocksN, workgroupM, workgroupN, slices, ...kind })),
    ),
  );
}

/** The same tile with other numbers of slices, where the sum can be cut. */
export function sliced(tile: Tile, { k, sliced: can = false }: TileRequest, mostSlices: number): Tile[] {
  if (!can) return [];
  const counts = [1, 2, 4, 8, 16, 32, 64, 128, 256].filter((slices) => slices <= Math.min(mostSlices, k / 16));
  return counts.filter((slices) => slices !== tile.slices).map((slices) => ({ ...tile, slices }));
}
