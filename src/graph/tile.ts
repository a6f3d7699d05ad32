import { FeaturemapError } from "../base/errors.ts";
import { ceilDiv } from "../base/shape.ts";

/**
 * Tile: how a matrix product is cut up. One invocation makes `blocksM` x `blocksN` blocks of 4 x 4. A workgroup has `workgroupM` x
 * `workgroupN` (x `workgroupK`) invocations. The sum may be cut into `slices`, which a second kernel adds.
 */
export interface Tile {
  readonly blocksM: number;
  readonly blocksN: number;
  readonly workgroupM: number;
  readonly workgroupN: number;
  readonly slices: number;
  /** Whether a workgroup is a quad, whose invocations pass their rows around (`shaders/product/lib/quad.wgsl`). Default false. */
  readonly quad?: boolean;
  /** Invocations of a quad that pass their rows around: all 4 (default), or 2, in pairs. */
  readonly turns?: 2 | 4;
  /** Slices, or products of a batch, in a workgroup. It is 1 for hoisted and shared tiles. Default 1. */
  readonly workgroupZ?: number;
  /** Invocations of a shared tile that each add a part of the terms of the same blocks, a power of two. Default 1. */
  readonly workgroupK?: number;
  /** Blocks of 4 terms that a shared tile loads at a time. Default 4, or `2 * workgroupK` if that is more. */
  readonly depth?: number;
  /** Whether all of b stays in registers, while `blocksM` blocks of rows pass by (`shaders/product/lib/hoisted.wgsl`). Default false. */
  readonly hoisted?: boolean;
  /** Whether the workgroup loads its operands into workgroup memory (`shaders/product/lib/shared.wgsl`). Default false. */
  readonly shared?: boolean;
}

/** Product that a tile is wanted for: m rows, n columns, and sums of k terms. */
export interface TileRequest {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Number of such products. Default 1. */
  readonly batch?: number;
  /** Number of such products below each other, as rows: one a pixel, say. Default 1. */
  readonly repeats?: number;
  /** Whether the kernel can cut the sum into slices. Default false. */
  readonly sliced?: boolean;
  /** Whether the kernel can keep all of b in registers. Default false. */
  readonly hoistable?: boolean;
}

/** Choice of the algorithm that takes the place of a node's own kernels, or of "direct". */
export interface AlgorithmChoice {
  readonly algorithm: string;
}

export type Choice = Tile | AlgorithmChoice;

/**
 * Choice for each node of a plan: a tile for its product, or an algorithm, whose own nodes have tiles in turn. They are needed to
 * repeat a run bit for bit.
 */
export type Choices = Readonly<Record<string, Choice>>;

/** Finds the choice for a node. Its name may be that of a property that every object inherits: `constructor`. */
export function choiceOf(choices: Choices, node: string): Choice | undefined {
  return Object.hasOwn(choices, node) ? choices[node] : undefined;
}

export function isTile(choice: Choice | undefined): choice is Tile {
  return choice !== undefined && "blocksM" in choice;
}

/**
 * Checks a tile that was given for a node's product.
 *
 * @throws FeaturemapError `value` where it would not compute the product
 */
export function checkedTile(tile: Tile, { hoistable = false }: TileRequest, node: string): Tile {
  const { blocksM, blocksN, workgroupM, workgroupN, slices, quad, hoisted, shared } = tile;
  const { workgroupZ = 1, turns = 4, workgroupK = 1, depth } = tile;
  const refuse = (wanted: string): never => {
    throw new FeaturemapError("value", `choices: the tile of "${node}" ${wanted}, got ${JSON.stringify(tile)}.`);
  };
  const counts = [blocksM, blocksN, workgroupM, workgroupN, workgroupZ, slices];
  if (!counts.every((count) => Number.isInteger(count) && count > 0)) {
    refuse("wants whole numbers from 1 on for blocksM, blocksN, workgroupM, workgroupN, workgroupZ and slices");
  }
  if (quad && (workgroupM * workgroupZ !== 4 || workgroupN !== 1 || ![2, 4].includes(turns) || workgroupM < turns)) {
    refuse(
      "is a quad, which wants workgroupM 4 and workgroupN 1, or, with turns 2, also workgroupM 2 and workgroupZ 2",
    );
  }
  if (workgroupZ > 1 && (hoisted || shared)) refuse("is hoisted or shared, which wants workgroupZ 1");
  if (hoisted && !hoistable) refuse("is hoisted, which the node's kernel cannot be");
  if (shared) refuseShared(tile, refuse);
  else if (workgroupK !== 1 || depth !== undefined) refuse("is not shared, which wants no workgroupK and no depth");
  return tile;
}

/** Refuses a tile that `product/lib/shared.wgsl` cannot compute. */
function refuseShared(tile: Tile, refuse: (wanted: string) => never): void {
  const { blocksM, workgroupN, quad, hoisted, workgroupK = 1 } = tile;
  const depth = depthOf(tile);
  if (quad || hoisted) refuse(`is "shared" or "${quad ? "quad" : "hoisted"}", not both`);
  if (!Number.isInteger(depth) || depth < 1) refuse("is shared, which wants a whole depth from 1 on");
  if (workgroupK === 1) return;
  if (!Number.isInteger(Math.log2(workgroupK)) || workgroupK < 1 || depth < 2 * workgroupK || depth % workgroupK) {
    refuse("is shared, which wants workgroupK a power of two, and depth a multiple of it, at least 2 * workgroupK");
  }
  // Invocations hand each other their sums in the memory of a's blocks.
  if (workgroupN > 16 * blocksM) refuse("has parts of a sum, which want workgroupN of at most 16 * blocksM");
}

/**
 * Class of adapter.
 * - `gpu`: thousands of lanes want work, so tiles are small and long sums are cut
 * - `software`: a few cores run the shader; loads cost far more than arithmetic, so tiles are large
 * - `software-quads`: the same, with subgroups, so that lanes hand each other what one of them has loaded
 */
export type AdapterClass = "gpu" | "software" | "software-quads";

/**
 * Use of memory.
 * - `fast`: buffers may grow where that saves time
 * - `compact`: no algorithm that needs large buffers, and sums are cut into few slices
 */
export type MemoryMode = "fast" | "compact";

/** Most workgroups of one dispatch dimension: the default limit, and the actual one on every known adapter. */
export const MAX_GROUPS = 65535;

/** Counts the workgroups along the rows: `y` of them side by side, `folds` times in z. */
function rowGroups(tile: Tile, rows4: number): { y: number; folds: number } {
  const groups = ceilDiv(rows4, tile.blocksM * tile.workgroupM);
  const folds = ceilDiv(groups, MAX_GROUPS);
  return { y: ceilDiv(groups, folds), folds };
}

/** Gives the tile constants of `product/lib/blocks.wgsl`, for a product with this many blocks of 4 rows. */
export function tileConstants(tile: Tile, rows4: number, slices = 1): Record<string, number> {
  const { y, folds } = rowGroups(tile, rows4);
  const { workgroupZ = 1 } = tile;
  return {
    ...(folds > 1 ? { FOLDS: folds, GROUPS_M: y } : {}),
    BLOCKS_M: tile.blocksM,
    BLOCKS_N: tile.blocksN,
    WORKGROUP_M: tile.workgroupM,
    WORKGROUP_N: tile.workgroupN,
    ...(workgroupZ > 1 ? { WORKGROUP_Z: workgroupZ, ALL_SLICES: slices } : {}),
    ...(tile.shared ? sharedConstants(tile) : { TURNS: turnsOf(tile) }),
  };
}

/** Gives the constants of `product/lib/shared.wgsl` beside those of all products. */
function sharedConstants(tile: Tile): Record<string, number> {
  const { workgroupK = 1 } = tile;
  return { DEPTH: depthOf(tile), ...(workgroupK > 1 ? { WORKGROUP_K: workgroupK } : {}) };
}

/** Counts the bytes of workgroup memory that a shared tile takes. */
export function sharedBytes(tile: Tile): number {
  const { blocksM, blocksN, workgroupM, workgroupN } = tile;
  return 16 * depthOf(tile) * (4 * (blocksM * workgroupM + blocksN * workgroupN) + 4);
}

function depthOf({ depth, workgroupK = 1 }: Tile): number {
  return depth ?? Math.max(4, 2 * workgroupK);
}

/** Counts the blocks of 4 rows that take the same steps: those of one invocation, quad or workgroup. */
export function rowsTogether(tile: Tile): number {
  return tile.blocksM * (tile.shared ? tile.workgroupM : turnsOf(tile));
}

function turnsOf({ quad, turns = 4 }: Tile): number {
  return quad ? turns : 1;
}

/** Gives the workgroups of a product with this many blocks of 4 rows and 4 columns. */
export function tileWorkgroups(tile: Tile, rows4: number, columns4: number, slices = 1): [number, number, number] {
  const { y, folds } = rowGroups(tile, rows4);
  const across = tile.quad ? turnsOf(tile) : tile.workgroupN;
  return [ceilDiv(columns4, tile.blocksN * across), y, ceilDiv(slices, tile.workgroupZ ?? 1) * folds];
}
