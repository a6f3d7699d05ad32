import source from "../../shaders/lib/shared.wgsl";
import type { ProductFamily } from "../graph/tile.ts";

/**
 * Matrix products by way of workgroup memory, for GPUs: what `compile({ products: [sharedProducts] })` takes where `choices` has
 * tiles with `shared: true`. A tuner brings it along.
 */
export const sharedProducts: ProductFamily = { name: "shared", source };
