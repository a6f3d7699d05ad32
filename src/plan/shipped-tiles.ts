import { ceilDiv } from "../base/shape.ts";
import type { Runtime } from "../gpu/runtime.ts";
import {
  type AdapterClass,
  type MemoryMode,
  MOST_GROUPS,
  sharedBytes,
  type Tile,
  type TileRequest,
} from "../graph/tile.ts";

interface TileRule {
  /** The largest tile of one invocation, in blocks of 4 x 4. */
  readonly blocksM: number;
  readonly blocksN: number;
  readonly workgroupM: number;
  readonly workgroupN: number;
  /** As many columns of tiles as a product should have at least. Default 1. */
  readonly lanesAcross?: number;
  readonly quad?: true;
  readonly shared?: true;
  /** A sum is cut until this many invocations have work, but no slice gets shorter than `leastTerms`. */
  readonly invocations: number;
  readonly leastTerms: number;
}

/**
 * The choices the package ships, by class of adapter. `software` was measured on SwiftShader (2 cores): a load costs as
 * much as ten multiply-adds, so large tiles win until a few hundred invocations are left; where lanes can hand each other
 * what they loaded, they do. Mesa's llvmpipe, which has no subgroups, wants lanes across too: products of 32 columns took 20
 * to 30 % less. `gpu` was measured on an H100: 4 x 4 an invocation, 128 a workgroup, which share what they load, and enough
 * of them to fill the machine.
 */
const RULES: Readonly<Record<AdapterClass, TileRule>> = {
  software: {
    ...{ blocksM: 4, blocksN: 4, workgroupM: 4, workgroupN: 4, lanesAcross: 4 },
    ...{ invocations: 256, leastTerms: 512 },
  },
  "software-quads": {
    ...{ blocksM: 2, blocksN: 4, workgroupM: 4, workgroupN: 1, quad: true },
    ...{ invocations: 256, leastTerms: 512 },
  },
  gpu: {
    ...{ blocksM: 1, blocksN: 1, workgroupM: 8, workgroupN: 16, shared: true },
    ...{ invocations: 65536, leastTerms: 96 },
  },
};

/**
 * Where a GPU has too few blocks of a product for its invocations, several invocations share each: at most so many, each with
 * as many blocks of 4 terms or more, in workgroups of so many invocations and bytes.
 */
const PARTS = { most: 8, leastBlocksK: 8, invocations: 256, bytes: 16384 };

/**
 * Where all of b stays in registers (`shaders/product/lib/hoisted.wgsl`): for sums of at most so many blocks of 4 terms, and so many
 * blocks of b in an invocation; and for rows enough to pass by. Measured 1.3 to 2 times faster there.
 */
const HOISTED = { blocksK: 16, blocks: 32, leastRows16: 32, mostRounds: 64, workgroups: 64 };

/**
 * Lanes that share what they load, and blocks of columns in each. At most 10 multiplications a load: with 16, products of 64
 * columns took 5 % less time, but twice as long to compile.
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
 * The saving from which another algorithm replaces a node's own kernels. Winograd's convolution was measured at savings of 1.7
 * and of 4; this is a little below. On processors the former took half the time. On an H100 the steps of the two networks took
 * 0.85 and 0.58 of the time. Its transforms take tens of MB.
 */
export function leastSaving(memory: MemoryMode): number {
  return memory === "compact" ? Infinity : 1.5;
}

/** The class of a device's adapter. */
export function adapterClassOf({ adapter, device }: Pick<Runtime, "adapter" | "device">): AdapterClass {
  if (!adapter.software) return "gpu";
  return device.features.has("subgroups") ? "software-quads" : "software";
}

/** The shipped tile for a product. */
export function shippedTile(adapter: AdapterClass, request: TileRequest): Tile {
  const rule = RULES[adapter];
  const hoisted = hoistedTile(rule, request, HOISTED);
  if (hoisted) return hoisted;
  // A larger tile takes longer to compile, which little work does not pay back.
  const { m, n, k, batch = 1 } = request;
  return tileBy(rule.quad && m * n * k * batch < 2 ** 23 ? { ...rule, blocksN: 1 } : rule, request);
}

/** What else is worth a try than the shipped tile, as changes of its rule. */
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

/** Times as many slices of a sum. */
const SLICES = [1 / 4, 4];

const HOISTED_VARIANTS = /* @__PURE__ */ [HOISTED.blocks, HOISTED.blocks / 2].map((blocks) => ({
  ...HOISTED,
  blocks,
  leastRows16: 1,
}));

/**
 * Tiles for a product that are worth measuring on an adapter of the class, each once; the first is the shipped one. At most 8.
 * The kernels can run each within the limits that every device has (16 KiB of workgroup memory, 256 invocations).
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
  // Lanes side by side read b side by side, so a narrow product is rather cut for `lanesAcross` of them.
  const blocksN = Math.min(rule.blocksN, ceilDiv(columns4, rule.lanesAcross ?? 1));
  const [down, across] = [ceilDiv(rows4, blocksM), ceilDiv(columns4, blocksN)];
  // A workgroup no larger than the product, so that no lane is idle where there are few tiles.
  const workgroupN = Math.min(rule.workgroupN, powerOfTwoFrom(across));
  // Where they share what they load, a narrow workgroup does not grow longer: it would have too much to keep.
  const most = rule.shared ? rule.workgroupM : (rule.workgroupM * rule.workgroupN) / workgroupN;
  const workgroupM = Math.min(most, powerOfTwoFrom(down));
  const slices = slicesFor(rule, request, down * across);
  const tile: Tile = { blocksM, blocksN, workgroupM, workgroupN, slices };
  return rule.shared ? inParts({ ...tile, shared: true, ...oneTurn(request) }, rule, request) : tile;
}

/** Sums that are a little too long for one turn are loaded at once: of 25 terms they took a quarter less time on an H100. */
function oneTurn({ k }: TileRequest): Pick<Tile, "depth"> {
  const blocksK = ceilDiv(k, 4);
  return blocksK > 4 && blocksK < 8 ? { depth: 8 } : {};
}

/** A shared tile whose sums several invocations share, where there are too few blocks for all. */
function inParts(tile: Tile, rule: TileRule, { m, n, k, batch = 1, repeats = 1 }: TileRequest): Tile {
  const { blocksM, blocksN, slices } = tile;
  const blocks = ceilDiv(m, 4 * blocksM) * ceilDiv(n, 4 * blocksN) * batch * repeats * slices;
  const wanted = Math.min(PARTS.most, rule.invocations / blocks, ceilDiv(k, 4) / slices / PARTS.leastBlocksK);
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

/** Tiles that some large products fill better than their rule's. They compile for twice as long, so they must save a tenth. */
const LARGE: readonly Blocks[] = [
  { blocksM: 2, blocksN: 7 },
  { blocksM: 7, blocksN: 2 },
];

/**
 * Four lanes: a quad, or two pairs, or four on their own, each with a product or a slice of its own. Pairs and singles load more,
 * but small products fill them better.
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

/** A load costs as much as the multiplication of five blocks, measured on SwiftShader. */
const LOAD = 5;

/** The lanes of a column together have `workgroupM` times an invocation's rows, and as many times its columns. */
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
 * None where the kernel cannot, where the sum is too long, or where there are too few rows. Else the quad or pair that costs
 * least: a load for as many multiplications as it has columns.
 */
function hoistedTile(rule: TileRule, request: TileRequest, bounds: typeof HOISTED): Tile | undefined {
  const { m, n, k, batch = 1, hoistable = false } = request;
  const [rows16, columns4, blocksK] = [ceilDiv(m, 16), ceilDiv(n, 4), ceilDiv(k, 4)];
  if (!rule.quad || !hoistable || blocksK > bounds.blocksK || rows16 < bounds.leastRows16) return undefined;
  const shapes = HOISTED_SHAPES.filter(([, blocksN]) => blocksN * blocksK <= bounds.blocks).map(([turns, blocksN]) => {
    const tiles = ceilDiv(columns4, turns * blocksN);
    return { turns, blocksN, tiles, cost: tiles * (LOAD + turns * blocksN) };
  });
  const { turns, blocksN, tiles } = shapes.reduce((best, other) => (other.cost < best.cost ? other : best));
  const rounds = Math.floor((rows16 * tiles * batch) / bounds.workgroups);
  const groups = ceilDiv(rows16, Math.max(1, Math.min(rounds, bounds.mostRounds)));
  const blocksM = ceilDiv(rows16, groups); // the same for all
  return { blocksM, blocksN, ...QUAD, ...(turns === 2 ? { turns } : {}), slices: 1, hoisted: true };
}

function slicesFor(rule: TileRule, { k, sliced = false }: TileRequest, invocations: number): number {
  if (!sliced) return 1;
  // One below the other along z.
  return Math.min(ceilDiv(rule.invocations, invocations), Math.max(1, Math.floor(k / rule.leastTerms)), MOST_GROUPS);
}

/** The smallest power of two that is at least n. */
function powerOfTwoFrom(n: number): number {
  return 2 ** Math.ceil(Math.log2(n));
}
