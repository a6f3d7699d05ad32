import type { Runtime } from "../gpu/runtime.ts";
import type { AdapterClass, Tile } from "../graph/tile.ts";
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
    ...{ blocksM: 2, blocksN: 2, workgroupM: 4, workgroupN: 1, quad: true },
    ...{ invocations: 256, leastTerms: 512 },
  },
  gpu: { blocksM: 1, blocksN: 1, workgroupM: 8, workgroupN: 8, invocations: 16384, leastTerms: 128 },
};

/**
 * The saving from which another algorithm replaces a node's own kernels. On processors Winograd's convolution was measured
 * faster from about this on; no GPU has been measured, and there the shorter plan stays.
 */
export function leastSaving(adapter: AdapterClass): number {
  return adapter === "gpu" ? Infinity : 1.5;
}

/** The class of a device's adapter. */
export function adapterClassOf({ adapter, device }: Pick<Runtime, "adapter" | "device">): AdapterClass {
  if (!adapter.software) return "gpu";
  return device.features.has("subgroups") ? "software-quads" : "software";
}

/** The shipped tile for a product of m rows, n columns and sums of k terms. */
export function shippedTile(adapter: AdapterClass, product: { m: number; n: number; k: number }): Tile {
  const rule = RULES[adapter];
  // A quad's rows and columns are those of its four lanes together.
  const lanes = rule.quad ? 4 : 1;
  const [rows4, columns4] = [ceilDiv(product.m, 4 * lanes), ceilDiv(product.n, 4 * lanes)];
  const blocksM = Math.min(rule.blocksM, rows4);
  const blocksN = Math.min(rule.blocksN, columns4);
  const [down, across] = [ceilDiv(rows4, blocksM), ceilDiv(columns4, blocksN)];
  const invocations = lanes * down * across;
  const slices = Math.min(ceilDiv(rule.invocations, invocations), Math.max(1, Math.floor(product.k / rule.leastTerms)));
  if (rule.quad)
    return { blocksM, blocksN, workgroupM: rule.workgroupM, workgroupN: rule.workgroupN, slices, quad: true };
  // A workgroup no larger than the product, so that no lane is idle where there are few tiles.
  const workgroupN = Math.min(rule.workgroupN, powerOfTwoFrom(across));
  const workgroupM = Math.min((rule.workgroupM * rule.workgroupN) / workgroupN, powerOfTwoFrom(down));
  return { blocksM, blocksN, workgroupM, workgroupN, slices };
}

/** The smallest power of two that is at least n. */
function powerOfTwoFrom(n: number): number {
  return 2 ** Math.ceil(Math.log2(n));
}
