import poolingSource from "../../../shaders/pooling/lib/window.wgsl";
import type { Shape } from "../../base/shape.ts";
import { assertImages, type WindowAttributes, windowConstants, windowGeometry } from "../window.ts";

/** Attributes of a pooling's gradient, which also needs the shape of the pooling's input. */
export interface PoolGradientAttributes extends WindowAttributes {
  readonly inputShape: Shape;
}

/** Gives the shape of a pooling's output. */
export function pooledImages(x: Shape, attributes: WindowAttributes, where: string): Shape {
  assertImages(x, where);
  const { outH, outW } = windowGeometry(x.slice(1), attributes, where);
  return [x[0]!, outH, outW, x[3]!];
}

/** Gives the part of a call that all pooling kernels share. */
export function poolingCall(x: Shape, attributes: WindowAttributes, where: string) {
  const geometry = windowGeometry(x.slice(1), attributes, where);
  const [POOL_H, POOL_W] = attributes.size;
  const given = { ...windowConstants(x, geometry, attributes), C: x[3]!, POOL_H, POOL_W };
  return { libraries: [{ ...poolingSource, given }] };
}
