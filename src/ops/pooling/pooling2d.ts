import poolingSource from "../../../shaders/pooling/lib/window.wgsl";
import type { Shape } from "../../base/shape.ts";
import { assertImages, type WindowAttributes, windowConstants, windowGeometry } from "../window.ts";

export type PoolAttributes = WindowAttributes & { readonly [name: string]: unknown };

/** A gradient also needs the shape that the pooling started from. */
export type PoolGradientAttributes = PoolAttributes & { readonly inputShape: Shape };

/** Shape of a pooling's output. */
export function pooledImages(x: Shape, attributes: PoolAttributes, where: string): Shape {
  assertImages(x, where);
  const { outH, outW } = windowGeometry(x.slice(1), attributes, where);
  return [x[0]!, outH, outW, x[3]!];
}

/** What every pooling kernel is called with. */
export function poolingCall(x: Shape, attributes: PoolAttributes, where: string) {
  const geometry = windowGeometry(x.slice(1), attributes, where);
  const [POOL_H, POOL_W] = attributes.size;
  const given = { ...windowConstants(x, geometry, attributes.strides), C: x[3]!, POOL_H, POOL_W };
  return { libraries: [{ ...poolingSource, given }] };
}
