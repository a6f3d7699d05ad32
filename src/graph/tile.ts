import { FeaturemapError } from "../base/errors.ts";
import { ceilDiv } from "../base/shape.ts";

/**
 * How a matrix product is cut up: one invocation makes `blocksM` x `blocksN` blocks of 4 x 4, a workgroup holds
 * `workgroupM` x `workgroupN` (x `workgroupK`) invocations, and the sum may be cut into `slices` that a second kernel adds.
 */
export interface Tile {
  readonly blocksM: number;
  readonly blocksN: number;
  readonly workgroupM: number;
  readonly workgroupN: number;
  readonly slices: number;
  /** A workgroup is a quad, whose invocations pass their rows around (`shaders/product/lib/quad.wgsl`). Default false. */
  readonly quad?: boolean;
  /** 2: a quad's invocations pass their rows around in pairs. Default 4. */
  readonly turns?: 2 | 4;
  /** Slices, or products of a batch, side by side in a workgroup; 1 for hoisted and shared tiles. Default 1. */
  readonly workgroupZ?: number;
  /** Invocations of a shared tile that each add a part of the terms of the same blocks, a power of two. Default 1. */
  readonly workgroupK?: number;
  /** Blocks of 4 terms that a shared tile loads at a time. Default 4, or `2 * workgroupK` if that is more. */
  readonly depth?: number;
  /** All of b stays in registers, and `blocksM` blocks of rows pass by (`shaders/product/lib/hoisted.wgsl`). Default false. */
  readonly hoisted?: boolean;
  /** The workgroup loads what its invocations multiply into memory that they share (`shaders/product/lib/shared.wgsl`). Default false. */
  readonly shared?: boolean;
}

/** What a tile is wanted for: a product of m rows, n columns and sums of k terms. */
export interface TileRequest {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** How many such products there are. Default 1. */
  readonly batch?: number;
  /** As many products again lie below each other, as rows: of each pixel, say. Default 1. */
  readonly repeats?: number;
  /** Whether the kernel can cut the sum into slices. Default false. */
  readonly sliced?: boolean;
  /** Whether the kernel can keep all of b in registers. Default false. */
  readonly hoistable?: boolean;
}

/** An algorithm that takes the place of a node's own kernels, or "direct". */
export interface AlgorithmChoice {
  readonly algorithm: string;
}

export type Choice = Tile | AlgorithmChoice;

/**
 * What was chosen for each node of a plan: a tile for its product, or an algorithm, whose own nodes have tiles in turn.
 * It is what a run needs to be repeated bit for bit.
 */
export type Choices = Readonly<Record<string, Choice>>;

/** The choice for a node, whose name may be that of a property that every object inherits: `constructor`. */
export function choiceOf(choices: Choices, node: string): Choice | undefined {
  return Object.hasOwn(choices, node) ? choices[node] : undefined;
}

export function isTile(choice: Choice | undefined): choice is Tile {
  return choice !== undefined && "blocksM" in choice;
}

/**
 * A tile that was given for a node's product, as its kernel takes it.
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

/** Refuses what `product/lib/shared.wgsl` cannot do. */
function refuseShared(tile: Tile, refuse: (wanted: string) => never): void {
  const { blocksM, workgroupN, quad, hoisted, workgroupK = 1 } = tile;
  const depth = depthOf(tile);
  if (quad || hoisted) refuse(`is "shared" or "${quad ? "quad" : "hoisted"}", not both`);
  if (!Number.isInteger(depth) || depth < 1) refuse("is shared, which wants a whole depth from 1 on");
  if (workgroupK === 1) return;
  if (!Number.isInteger(Math.log2(workgroupK)) || workgroupK < 1 || depth < 2 * workgroupK || depth % workgroupK) {
    refuse("is shared, which wants workgroupK a power of two, and depth a multiple of it, at least 2 * workgroupK");
  }
  // What invocations hand to each other lies where a's blocks were.
  if (workgroupN > 16 * blocksM) refuse("has parts of a sum, which want workgroupN of at most 16 * blocksM");
}

/**
 * - `gpu`: thousands of lanes want work, so tiles are small and long sums are cut
 * - `software`: a few cores run the shader; loads cost far more than arithmetic, so tiles are large
 * - `software-quads`: the same, with subgroups, so that lanes hand each other what one of them has loaded
 */
export type AdapterClass = "gpu" | "software" | "software-quads";

/**
 * - `fast`: buffers may grow where that saves time
 * - `compact`: no algorithm that needs large buffers, and sums are cut into few slices
 */
export type MemoryMode = "fast" | "compact";

/** The most workgroups of one dispatch dimension: the default, and on every known adapter the actual, limit. */
export const MOST_GROUPS = 65535;

/** Workgroups along the rows: so many side by side in y, so often in z. */
function rowGroups(tile: Tile, rows4: number): { y: number; folds: number } {
  const groups = ceilDiv(rows4, tile.blocksM * tile.workgroupM);
  const folds = ceilDiv(groups, MOST_GROUPS);
  return { y: ceilDiv(groups, folds), folds };
}

/** The tile constants of `product/lib/blocks.wgsl`, for a product with this many blocks of 4 rows. */
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

/** The constants of `product/lib/shared.wgsl` beside those of all products. */
function sharedConstants(tile: Tile): Record<string, number> {
  const { workgroupK = 1 } = tile;
  return { DEPTH: depthOf(tile), ...(workgroupK > 1 ? { WORKGROUP_K: workgroupK } : {}) };
}

/** Bytes of workgroup memory that a shared tile takes. */
export function sharedBytes(tile: Tile): number {
  const { blocksM, blocksN, workgroupM, workgroupN } = tile;
  return 16 * depthOf(tile) * (4 * (blocksM * workgroupM + blocksN * workgroupN) + 4);
}

function depthOf({ depth, workgroupK = 1 }: Tile): number {
  return depth ?? Math.max(4, 2 * workgroupK);
}

/** Blocks of 4 rows that take the same steps, since an invocation, a quad or a workgroup takes them as one. */
export function rowsTogether(tile: Tile): number {
  return tile.blocksM * (tile.shared ? tile.workgroupM : turnsOf(tile));
}

function turnsOf({ quad, turns = 4 }: Tile): number {
  return quad ? turns : 1;
}

/** Workgroups of a product with this many blocks of 4 rows and 4 columns. */
export function tileWorkgroups(tile: Tile, rows4: number, columns4: number, slices = 1): [number, number, number] {
  const { y, folds } = rowGroups(tile, rows4);
  const across = tile.quad ? turnsOf(tile) : tile.workgroupN;
  return [ceilDiv(columns4, tile.blocksN * across), y, ceilDiv(slices, tile.workgroupZ ?? 1) * folds];
}
