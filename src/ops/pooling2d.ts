import poolingCode from "../../shaders/lib/pooling.wgsl?raw";
import type { Source } from "../gpu/specialize.ts";
import type { Shape } from "../shape.ts";
import { assertImages, type WindowAttributes, windowConstants, windowGeometry } from "./window.ts";

export type PoolAttributes = WindowAttributes & { readonly [name: string]: unknown };

/** A gradient also needs the shape that the pooling started from. */
export type PoolGradientAttributes = PoolAttributes & { readonly inputShape: Shape };

/** Shape of a pooling's output. */
export function pooledImages(x: Shape, attributes: PoolAttributes, where: string): Shape {
  assertImages(x, where);
  const { outH, outW } = windowGeometry(x.slice(1), attributes, where);
  return [x[0]!, outH, outW, x[3]!];
}

/** Declares the constants of `poolingConstants`. */
export const poolingSource: Source = { code: poolingCode };

/** The constants that every pooling kernel takes. */
export function poolingConstants(x: Shape, attributes: PoolAttributes, where: string): Record<string, number> {
  const geometry = windowGeometry(x.slice(1), attributes, where);
  const [POOL_H, POOL_W] = attributes.size;
  return { ...windowConstants(x, geometry, attributes.strides), C: x[3]!, POOL_H, POOL_W };
}
