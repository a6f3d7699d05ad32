import blocksSource from "../../../shaders/product/lib/blocks.wgsl";
import hoistedSource from "../../../shaders/product/lib/hoisted.wgsl";
import quadSource from "../../../shaders/product/lib/quad.wgsl";
import blockSource from "../../../shaders/product/lib/rows.wgsl";
import sharedSource from "../../../shaders/product/lib/shared.wgsl";
import { ceilDiv } from "../../base/shape.ts";
import type { TensorId } from "../../graph/tensor.ts";
import { type Tile, tileConstants, tileWorkgroups } from "../../graph/tile.ts";
import { type Bindings, type Dispatch, dispatch, type Kernel, type KernelCall } from "../../wgsl/kernel.ts";
import type { Source } from "../../wgsl/specialize.ts";

/** Size of a product for its tile: `rows4` blocks of 4 rows, and columns, in each of `slices` products or parts of a sum. */
export interface ProductBlocks {
  readonly tile: Tile;
  readonly rows4: number;
  readonly columns: number;
  /** Default 1. */
  readonly slices?: number;
}

/**
 * Calls a kernel that multiplies matrices by tiles, as `shaders/product/lib/blocks.wgsl` does. The kernel says what its rows, columns and
 * steps are (see `shaders/README.md`, "Matrix products").
 *
 * @example
 * const chosen = tile({ m: 64, n: 10, k: 128 });
 * dispatchProduct(kernel, { tile: chosen, rows4: 16, columns: 10 }, { bind, constants, libraries });
 */
export function dispatchProduct<B extends Bindings>(
  kernel: Kernel<B>,
  { tile, rows4, columns, slices = 1 }: ProductBlocks,
  { bind, constants, libraries = [] }: Omit<KernelCall<B, TensorId>, "workgroups">,
): Dispatch<TensorId> {
  return dispatch(kernel, {
    bind,
    constants: { ...tileConstants(tile, rows4, slices), ...constants },
    libraries: [...productSources(tile), ...libraries],
    workgroups: tileWorkgroups(tile, rows4, ceilDiv(columns, 4), slices),
  });
}

/** Gives the libraries that define `multiply_blocks` for the tile. */
function productSources({ shared, hoisted, quad }: Tile): Source[] {
  const multiply = shared ? sharedSource : hoisted ? hoistedSource : blocksSource;
  return [multiply, blockSource, ...(quad ? [quadSource] : [])];
}
