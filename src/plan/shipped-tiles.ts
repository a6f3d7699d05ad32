import { ceilDiv } from "../base/shape.ts";
import type { Runtime } from "../gpu/runtime.ts";
import {
  type AdapterClass,
  MAX_GROUPS,
  type MemoryMode,
  sharedBytes,
  type Tile,
  type TileRequest,
} from "../graph/tile.ts";

interface TileRule {
  /** Largest tile of one invocation, in blocks of 4 x 4. */
  readonly blocksM: number;
  readonly blocksN: number;
  readonly workgroupM: number;
  readonly workgroupN: number;
  /** Least columns of tiles that a product should have. Default 1. */
  readonly lanesAcross?: number;
  readonly quad?: true;
  readonly shared?: true;
  /** Invocations that should have work: a sum is cut until they have, but no slice gets shorter than `minTerms`. */
  readonly invocations: number;
  readonly minTerms: number;
}

/**
 * Rules of the shipped tiles, by class of adapter.
 *
 * `software` and `software-quads`: a load costs as much as ten multiply-adds, so large tiles win until a few hundred
 * invocations are left. Lanes that can hand each other what they loaded do so. Measured on SwiftShader (2 cores) on
 * 2026-11-24. By `npm run bench:kernels -- --markdown --quick` of that day, quads of 2 x 4 blocks are the fastest tiles for
 * 1024 x 1024 x 1024. In one interleaved run they took 201 ms a step, three other shapes 216 to 224 (docs/performance.md,
 * "What was tried, and lost"; that command was not kept). `invocations` and `minTerms` were set by hand on the same day,
 * not measured.
 *
 * `lanesAcross`: Mesa's llvmpipe, which has no subgroups, took 20 to 30 % less for products of 32 columns. Measured on
 * 2026-11-24; the command was not kept.
 *
 * `gpu`: 4 x 4 an invocation, 128 a workgroup, which share what they load, and enough of them to fill the machine. Measured
 * on an H100 on 2026-11-27 by `npm run gpu:kit` and its `run.sh OUT --only adapter,tests,steps,sweep`. The times of every tile
 * are in bench/gpu/results/nvidia-h100-80gb-hbm3/sweep.json. For the article's network the best of them take 0.81 to 1.00 of the
 * shipped one's time. `invocations` and `minTerms` were set by hand that day, the latter so that no slice is without work.
 */
const RULES: Readonly<Record<AdapterClass, TileRule>> = {
  software: {
    blocksM: 4,
    blocksN: 4,
    workgroupM: 4,
    workgroupN: 4,
    lanesAcross: 4,
    invocations: 256,
    minTerms: 512,
  },
  "software-quads": {
    blocksM: 2,
    blocksN: 4,
    workgroupM: 4,
    workgroupN: 1,
    quad: true,
    invocations: 256,
    minTerms: 512,
  },
  gpu: {
    blocksM: 1,
    blocksN: 1,
    workgroupM: 8,
    workgroupN: 16,
    shared: true,
    invocations: 65536,
    minTerms: 96,
  },
};

/**
 * Bounds of a block's invocations. Where a GPU has too few blocks of a product, several invocations share the sum of each.
 * `most`: with 1, 2, 4, 8 and 16 of them a product of 128 x 1000 x 1024 took 38.5, 26.2, 20.0, 17.6 and 21.7 us. Measured on an
 * H100 on 2026-11-27 by the sweep of `npm run gpu:kit` (docs/performance.md). `minBlocksK`, in blocks of 4 terms, was set by
 * hand that day, not measured. `invocations` and `bytes` of a workgroup are the limits that every device has.
 */
const PARTS = { most: 8, minBlocksK: 8, invocations: 256, bytes: 16384 };

/**
 * Bounds within which all of b stays in registers (`shaders/product/lib/hoisted.wgsl`): most blocks of 4 terms in a sum, most
 * blocks of b in an invocation, and least rows that pass by, in sixteens. Measured on SwiftShader on 2026-11-24: 1.3 to 2 times
 * faster; 11.7 ms in place of 20.1 for sums of 16 blocks (docs/performance.md, "What was tried, and lost"; the command was not
 * kept). The other three were set by hand that day, not measured.
 */
const HOISTED = { blocksK: 16, blocks: 32, minRows16: 32, maxRounds: 64, workgroups: 64 };

/**
 * Lanes that share what they load, and blocks of columns in each. At most 10 multiplications a load: with 16, products of 64
 * columns took 11.9 ms in place of 12.5, but 0.8 s to compile in place of 0.4. Measured on SwiftShader on 2026-11-24
 * (docs/performance.md, "What was tried, and lost"; the command was not kept).
 */
const HOISTED_SHAPES = [
  [4, 1],
  [4, 2],
  [2, 1],
  [2, 2],
  [2, 3],
  [2, 4],
  [2, 5],
] as const;

/**
 * Gives the least saving at which another algorithm replaces a node's own kernels. Winograd's convolution was measured at savings of 1.7
 * and of 4; this is a little below. On SwiftShader the former took half the time, on 2026-11-24; the command was not kept. On an
 * H100 the steps of the two networks took 0.82 and 0.59 of the time, on 2026-11-27 by `npm run gpu:kit`. docs/performance.md has
 * them as "shipped" and "direct". The transforms take tens of MB.
 */
export function minSaving(memory: MemoryMode): number {
  return memory === "compact" ? Infinity : 1.5;
}

/** Class of a device's adapter. */
export function adapterClassOf({ adapter, device }: Pick<Runtime, "adapter" | "device">): AdapterClass {
  if (!adapter.software) return "gpu";
  return device.features.has("subgroups") ? "software-quads" : "software";
}

/** Gives the shipped tile for a product. */
export function shippedTile(adapter: AdapterClass, request: TileRequest): Tile {
  const rule = RULES[adapter];
  const hoisted = hoistedTile(rule, request, HOISTED);
  if (hoisted) return hoisted;
  // A larger tile takes longer to compile, which little work does not pay back. The bound was set by hand on 2026-11-24.
  const { m, n, k, batch = 1 } = request;
  return tileBy(rule.quad && m * n * k * batch < 2 ** 23 ? { ...rule, blocksN: 1 } : rule, request);
}

/** Changes of a rule that are worth a try. Chosen by hand: those of processors on 2026-11-24, those of GPUs on 2026-11-27. */
const VARIANTS: Readonly<Record<AdapterClass, readonly Partial<TileRule>[]>> = {
  software: [
    { blocksM: 2, blocksN: 2 },
    { blocksM: 2, blocksN: 4 },
    { blocksM: 4, blocksN: 2 },
  ],
  "software-quads": [
    { blocksM: 2, blocksN: 2 },
    { blocksM: 2, blocksN: 4 },
    { blocksM: 4, blocksN: 2 },
  ],
  gpu: [
    { blocksM: 2, workgroupM: 4, workgroupN: 8 },
    { blocksN: 2, workgroupN: 8 },
    { workgroupM: 4, workgroupN: 8 },
    { workgroupM: 16, workgroupN: 8 },
  ],
};

/** Times as many slices of a sum, to try. Chosen by hand on 2026-11-24. */
const SLICES = [1 / 4, 4];

const HOISTED_VARIANTS = /* @__PURE__ */ [HOISTED.blocks, HOISTED.blocks / 2].map((blocks) => ({
  ...HOISTED,
  blocks,
  minRows16: 1,
}));

/**
 * Lists the tiles for a product that are worth measuring on an adapter of the class: at most 8, each once, the shipped one first.
 * Each keeps to the limits that every device has (16 KiB of workgroup memory, 256 invocations).
 */
export function candidateTiles(adapter: AdapterClass, request: TileRequest): Tile[] {
  const rule = RULES[adapter];
  const changes = [...VARIANTS[adapter], ...SLICES.map((times) => ({ invocations: rule.invocations * times }))];
  const tiles = [
    shippedTile(adapter, request),
    ...changes.map((change) => tileBy({ ...rule, ...change }, request)),
    ...HOISTED_VARIANTS.flatMap((bounds) => hoistedTile(rule, request, bounds) ?? []),
  ];
  return [...new Map(tiles.map((tile) => [JSON.stringify(Object.entries(tile).sort()), tile])).values()];
}

function tileBy(rule: TileRule, request: TileRequest): Tile {
  if (rule.quad) return quadTile(rule, request);
  const [rows4, columns4] = [ceilDiv(request.m, 4), ceilDiv(request.n, 4)];
  const blocksM = Math.min(rule.blocksM, rows4);
  // Lanes side by side read b side by side. So a narrow product is cut for `lanesAcross` of them.
  const blocksN = Math.min(rule.blocksN, ceilDiv(columns4, rule.lanesAcross ?? 1));
  const [down, across] = [ceilDiv(rows4, blocksM), ceilDiv(columns4, blocksN)];
  // A workgroup no larger than the product, so that no lane is idle where there are few tiles.
  const workgroupN = Math.min(rule.workgroupN, powerOfTwoFrom(across));
  // If lanes share what they load, a narrow workgroup does not grow longer: it would have too much to keep.
  const most = rule.shared ? rule.workgroupM : (rule.workgroupM * rule.workgroupN) / workgroupN;
  const workgroupM = Math.min(most, powerOfTwoFrom(down));
  const slices = slicesFor(rule, request, down * across);
  const tile: Tile = { blocksM, blocksN, workgroupM, workgroupN, slices };
  return rule.shared ? inParts({ ...tile, shared: true, ...oneTurn(request) }, rule, request) : tile;
}

/**
 * Depth of sums that are a little too long for one turn: they are loaded at once. A product of 73728 x 32 x 25 took
 * 12.3 us in place of 16.5 on an H100 on 2026-11-27, by the sweep of `npm run gpu:kit`. Later that day the kernel's inner loop
 * got a constant length. The next sweep, which bench/gpu/results has, gives 12.1 us, and 10.5 without: to be decided anew on a GPU.
 */
function oneTurn({ k }: TileRequest): Pick<Tile, "depth"> {
  const blocksK = ceilDiv(k, 4);
  return blocksK > 4 && blocksK < 8 ? { depth: 8 } : {};
}

/** Lets several invocations share the sums of a shared tile, if there are too few blocks for all. */
function inParts(tile: Tile, rule: TileRule, { m, n, k, batch = 1, repeats = 1 }: TileRequest): Tile {
  const { blocksM, blocksN, slices } = tile;
  const blocks = ceilDiv(m, 4 * blocksM) * ceilDiv(n, 4 * blocksN) * batch * repeats * slices;
  const wanted = Math.min(PARTS.most, rule.invocations / blocks, ceilDiv(k, 4) / slices / PARTS.minBlocksK);
  const workgroupK = 2 ** Math.floor(Math.log2(Math.max(1, wanted)));
  if (workgroupK === 1) return tile;
  let { workgroupM, workgroupN } = tile;
  const parts = (): Tile => ({ ...tile, workgroupM, workgroupN, workgroupK });
  const fits = () => workgroupM * workgroupN * workgroupK <= PARTS.invocations && sharedBytes(parts()) <= PARTS.bytes;
  while (!fits()) {
    if (workgroupN > workgroupM) workgroupN /= 2;
    else workgroupM /= 2;
  }
  // Workgroups of one size may share a dispatch.
  const longer = (): Tile => ({ ...parts(), workgroupM: 2 * workgroupM });
  while (
    2 * workgroupM * workgroupN * workgroupK <= PARTS.invocations &&
    workgroupM < ceilDiv(m, 4 * blocksM) &&
    sharedBytes(longer()) <= PARTS.bytes
  ) {
    workgroupM *= 2;
  }
  return parts();
}

type Blocks = Pick<Tile, "blocksM" | "blocksN">;
type Lanes = Omit<Tile, "slices" | keyof Blocks>;

const QUAD = { workgroupM: 4, workgroupN: 1, quad: true } as const;
const PAIRS = { workgroupM: 2, workgroupN: 1, workgroupZ: 2, quad: true, turns: 2 } as const;
const SINGLES = { workgroupM: 1, workgroupN: 1, workgroupZ: 4 } as const;

/**
 * Tiles that some large products fill better than their rule's. They compile for twice as long, 0.4 s, so they must save a tenth.
 * The second network's dense layers took 5.0, 5.2 and 6.0 ms in place of 5.8, 5.8 and 6.9. Measured on SwiftShader on 2026-11-24
 * (docs/performance.md, "What was tried, and lost"; the command was not kept).
 */
const LARGE: readonly Blocks[] = [
  { blocksM: 2, blocksN: 7 },
  { blocksM: 7, blocksN: 2 },
];

/**
 * Chooses between four lanes as a quad, as two pairs, or each on its own. Pairs and singles have a product or a slice of their own.
 * They load more, but small products fill them better.
 */
function quadTile(rule: TileRule, request: TileRequest): Tile {
  const quad = lanesTile(rule, request, rule, QUAD);
  const large = rule.blocksN > 1 ? LARGE.map((blocks) => lanesTile(rule, request, blocks, QUAD)) : [];
  const split = [
    lanesTile(rule, request, { blocksM: 3, blocksN: 5 }, PAIRS),
    lanesTile(rule, request, { blocksM: 3, blocksN: 6 }, SINGLES),
  ].filter(({ tile }) => (request.batch ?? 1) * tile.slices >= 4);
  const others = [...split, ...large.map(({ tile, cost }) => ({ tile, cost: cost * 1.1 }))];
  return [quad, ...others].reduce((best, other) => (other.cost < best.cost ? other : best)).tile;
}

/** Cost of a load, in multiplications of blocks. Measured on SwiftShader on 2026-11-24; the command was not kept. */
const LOAD = 5;

/** Makes a tile of lanes, with its cost. The lanes of a column have `workgroupM` times an invocation's rows, and its columns too. */
function lanesTile(rule: TileRule, request: TileRequest, most: Blocks, lanes: Lanes) {
  const { workgroupM: turns } = lanes;
  const [rows, columns] = [ceilDiv(request.m, 4 * turns), ceilDiv(request.n, 4 * turns)];
  const blocksM = Math.min(most.blocksM, rows);
  const blocksN = Math.min(most.blocksN, columns);
  const tiles = ceilDiv(rows, blocksM) * ceilDiv(columns, blocksN);
  const tile: Tile = { blocksM, blocksN, ...lanes, slices: slicesFor(rule, request, 4 * tiles) };
  return { tile, cost: tiles * turns * (turns * blocksM * blocksN + LOAD * (blocksM + blocksN)) };
}

/**
 * Gives the hoisted quad or pair that costs least, by its loads and multiplications. Gives none if the kernel cannot hoist, the sum
 * is too long, or there are too few rows.
 */
function hoistedTile(rule: TileRule, request: TileRequest, bounds: typeof HOISTED): Tile | undefined {
  const { m, n, k, batch = 1, hoistable = false } = request;
  const [rows16, columns4, blocksK] = [ceilDiv(m, 16), ceilDiv(n, 4), ceilDiv(k, 4)];
  if (!rule.quad || !hoistable || blocksK > bounds.blocksK || rows16 < bounds.minRows16) return undefined;
  const shapes = HOISTED_SHAPES.filter(([, blocksN]) => blocksN * blocksK <= bounds.blocks).map(([turns, blocksN]) => {
    const tiles = ceilDiv(columns4, turns * blocksN);
    return { turns, blocksN, tiles, cost: tiles * (LOAD + turns * blocksN) };
  });
  const { turns, blocksN, tiles } = shapes.reduce((best, other) => (other.cost < best.cost ? other : best));
  const rounds = Math.floor((rows16 * tiles * batch) / bounds.workgroups);
  const groups = ceilDiv(rows16, Math.max(1, Math.min(rounds, bounds.maxRounds)));
  const blocksM = ceilDiv(rows16, groups); // the same for all
  return { blocksM, blocksN, ...QUAD, ...(turns === 2 ? { turns } : {}), slices: 1, hoisted: true };
}

function slicesFor(rule: TileRule, { k, sliced = false }: TileRequest, invocations: number): number {
  if (!sliced) return 1;
  // Slices lie one below the other along z, which has a limit.
  return Math.min(ceilDiv(rule.invocations, invocations), Math.max(1, Math.floor(k / rule.minTerms)), MAX_GROUPS);
}

/** Smallest power of two that is at least n. */
function powerOfTwoFrom(n: number): number {
  return 2 ** Math.ceil(Math.log2(n));
}
