import type { Runtime } from "../gpu/runtime.ts";
import type { AdapterClass, MemoryMode, Tile, TileRequest } from "../graph/tile.ts";
import { ceilDiv } from "../shape.ts";

interface TileRule {
  /** The largest tile of one invocation, in blocks of 4 x 4. */
  readonly blocksM: number;
  readonly blocksN: number;
  readonly workgroupM: number;
  readonly workgroupN: number;
  readonly quad?: true;
  /** A sum is cut until this many invocations have work, but no slice gets shorter than `leastTerms`. */
  readonly invocations: number;
  readonly leastTerms: number;
}

/**
 * The choices the package ships, by class of adapter. `software` was measured on SwiftShader (2 cores): a load costs as
 * much as ten multiply-adds, so large tiles win until a few hundred invocations are left; where lanes can hand each other
 * what they loaded, they do. `gpu` follows what published tuning of many GPUs found for small products: 4 x 4 an
 * invocation, 64 a workgroup, and enough of them to fill the machine.
 */
const RULES: Readonly<Record<AdapterClass, TileRule>> = {
  software: { blocksM: 4, blocksN: 4, workgroupM: 4, workgroupN: 4, invocations: 256, leastTerms: 512 },
  "software-quads": {
    ...{ blocksM: 2, blocksN: 4, workgroupM: 4, workgroupN: 1, quad: true },
    ...{ invocations: 256, leastTerms: 512 },
  },
  gpu: { blocksM: 1, blocksN: 1, workgroupM: 8, workgroupN: 8, invocations: 16384, leastTerms: 128 },
};

/**
 * Where all of b stays in registers (`shaders/lib/hoisted.wgsl`): for sums of at most so many blocks of 4 terms, and so many
 * blocks of b in an invocation, since the time to compile grows with their square; and for rows enough to pass by.
 * Measured 1.3 to 2 times faster there.
 */
const HOISTED = { blocksK: 10, blocks: 20, leastRows16: 32, mostRounds: 64, workgroups: 64 };

/**
 * The saving from which another algorithm replaces a node's own kernels. On processors Winograd's convolution was measured
 * faster from about this on; no GPU has been measured, and there the shorter plan stays. Its transforms take tens of MB.
 */
export function leastSaving(adapter: AdapterClass, memory: MemoryMode): number {
  return adapter === "gpu" || memory === "compact" ? Infinity : 1.5;
}

/** The class of a device's adapter. */
export function adapterClassOf({ adapter, device }: Pick<Runtime, "adapter" | "device">): AdapterClass {
  if (!adapter.software) return "gpu";
  return device.features.has("subgroups") ? "software-quads" : "software";
}

/** The shipped tile for a product. */
export function shippedTile(adapter: AdapterClass, request: TileRequest): Tile {
  const rule = RULES[adapter];
  if (rule.quad) return quadTile(rule, request);
  const [rows4, columns4] = [ceilDiv(request.m, 4), ceilDiv(request.n, 4)];
  const blocksM = Math.min(rule.blocksM, rows4);
  const blocksN = Math.min(rule.blocksN, columns4);
  const [down, across] = [ceilDiv(rows4, blocksM), ceilDiv(columns4, blocksN)];
  // A workgroup no larger than the product, so that no lane is idle where there are few tiles.
  const workgroupN = Math.min(rule.workgroupN, powerOfTwoFrom(across));
  const workgroupM = Math.min((rule.workgroupM * rule.workgroupN) / workgroupN, powerOfTwoFrom(down));
  return { blocksM, blocksN, workgroupM, workgroupN, slices: slicesFor(rule, request, down * across) };
}

/** A quad's rows and columns are those of its four lanes together. */
function quadTile(rule: TileRule, request: TileRequest): Tile {
  const { m, n, k, batch = 1, hoistable } = request;
  const [rows16, columns16] = [ceilDiv(m, 16), ceilDiv(n, 16)];
  const quad = { workgroupM: 4, workgroupN: 1, quad: true } as const;
  const blocksK = ceilDiv(k, 4);
  if (hoistable && blocksK <= HOISTED.blocksK && rows16 >= HOISTED.leastRows16) {
    const blocksN = Math.min(Math.floor(HOISTED.blocks / blocksK), columns16);
    const rounds = Math.floor((rows16 * ceilDiv(columns16, blocksN) * batch) / HOISTED.workgroups);
    const blocksM = Math.max(1, Math.min(rounds, HOISTED.mostRounds, rows16));
    return { blocksM, blocksN, ...quad, slices: 1, hoisted: true };
  }
  // A larger tile takes longer to compile, which little work does not pay back.
  const most = m * n * k * batch < 2 ** 23 ? 1 : rule.blocksN;
  const blocksM = Math.min(rule.blocksM, rows16);
  const blocksN = Math.min(most, columns16);
  const invocations = 4 * ceilDiv(rows16, blocksM) * ceilDiv(columns16, blocksN);
  return { blocksM, blocksN, ...quad, slices: slicesFor(rule, request, invocations) };
}

function slicesFor(rule: TileRule, { k, sliced = false }: TileRequest, invocations: number): number {
  if (!sliced) return 1;
  return Math.min(ceilDiv(rule.invocations, invocations), Math.max(1, Math.floor(k / rule.leastTerms)));
}

/** The smallest power of two that is at least n. */
function powerOfTwoFrom(n: number): number {
  return 2 ** Math.ceil(Math.log2(n));
}
