import type { Node, TensorId } from "../graph/graph.ts";
import type { GraphEdit } from "../graph/op.ts";
import type { Shape } from "../shape.ts";
import type { Pair, WindowAttributes } from "./window.ts";

/**
 * conv2d, activation and max pooling in one kernel, and the pooling's gradient in the loaders of the convolution's:
 * what the convolution makes before the pooling is then never stored, forward or backward.
 *
 *     y = conv(x)      p, argmax = max_pool(y)     dy = max_pool'(dp, argmax) [* act'(y)]    dx, dk = conv'(dy)
 * becomes
 *     p, argmax = conv+pool(x)                     dq = dp [* act'(p)]                       dx, dk = conv'(unpool(dq))
 *
 * The derivative of the activation may be taken at p, since all that is not the window's maximum has no gradient.
 * Only where windows are whole, 4 in size and do not overlap, and where nobody else reads y or dy.
 */
export function absorbPooling(edit: GraphEdit, conv: Node): boolean {
  const group = match(edit, conv);
  if (!group) return false;
  const { pool, unpool, derivative, readers } = group;
  const size = (pool.attributes as unknown as WindowAttributes).size;
  const fused = edit.node("conv2d", conv.name, conv.inputs, { ...conv.attributes, pool: size });
  const argmax = fused.outputs[1]!;
  // The pooling's output stays the tensor that everybody reads already.
  const forward = { ...fused, outputs: [pool.outputs[0]!, argmax] };
  if (!unpool) {
    edit.replace([conv, pool], [forward]);
    return true;
  }
  const incoming = unpool.inputs[0]!;
  const product = derivative
    ? edit.node("activationGradient", derivative.name, [incoming, pool.outputs[0]!], derivative.attributes)
    : undefined;
  const dY = product?.outputs[0] ?? incoming;
  const replaced = readers.map((reader) => readPooled(edit, reader, { dY, argmax, size }));
  const gone = [unpool, ...(derivative ? [derivative] : []), ...readers];
  edit.replace([conv, pool], [forward]);
  edit.replace(gone, [...(product ? [product] : []), ...replaced]);
  return true;
}

/** The shape after pooling by windows of this size that do not overlap; what is left of a row or column is dropped. */
export function pooledImageShape([batch, h, w, c]: Shape, [poolH, poolW]: Pair): Shape {
  return [batch!, Math.floor(h! / poolH), Math.floor(w! / poolW), c!];
}

/** The sizes of such a pooling as every kernel that has it names them. */
export function poolShapeConstants(pool: Pair | undefined, y: Shape): Record<string, number> {
  if (!pool) return {};
  const [, h, w] = pooledImageShape(y, pool);
  return { POOL_H: pool[0], POOL_W: pool[1], POOLED_H: h!, POOLED_W: w! };
}

interface PoolingGroup {
  readonly pool: Node;
  readonly unpool: Node | undefined;
  readonly derivative: Node | undefined;
  /** The convolution's gradients. */
  readonly readers: readonly Node[];
}

function match(edit: GraphEdit, conv: Node): PoolingGroup | undefined {
  const y = conv.outputs[0]!;
  const pool = edit.readers(y).find((node) => node.op === "maxPooling2d");
  if (!pool || conv.attributes.pool !== undefined || !isFusible(edit, pool)) return undefined;
  const [, argmax] = pool.outputs as [TensorId, TensorId];
  const [unpool, second] = edit.readers(argmax);
  if (second || edit.usedBeside(argmax, unpool ? [unpool] : [])) return undefined;
  if (unpool && unpool.op !== "maxPooling2dGradient") return undefined;
  if (!unpool)
    return edit.usedBeside(y, [pool]) ? undefined : { pool, unpool: undefined, derivative: undefined, readers: [] };

  const unpooled = unpool.outputs[0]!;
  const derivative = edit.readers(unpooled).find((node) => node.op === "activationGradient" && node.inputs[1] === y);
  if (derivative && edit.usedBeside(unpooled, [derivative])) return undefined;
  if (edit.usedBeside(y, derivative ? [pool, derivative] : [pool])) return undefined;
  const dY = derivative?.outputs[0] ?? unpooled;
  const readers = edit.readers(dY);
  if (!readers.every((node) => takesGradient(node, dY)) || edit.usedBeside(dY, readers)) return undefined;
  return { pool, unpool, derivative, readers };
}

/** Whether a node is a convolution's gradient, and the tensor its dY: as x of a filter gradient it is wanted in full. */
function takesGradient({ op, inputs }: Node, dY: TensorId): boolean {
  return op === "conv2dInputGradient" ? inputs[0] === dY : op === "conv2dFilterGradient" && inputs[1] === dY;
}

function isFusible(edit: GraphEdit, pool: Node): boolean {
  const { size, strides } = pool.attributes as unknown as WindowAttributes;
  const [, inH, inW] = edit.tensor(pool.inputs[0]!).shape as [number, number, number];
  const [, outH, outW] = edit.tensor(pool.outputs[0]!).shape as [number, number, number];
  const apart = size[0] === strides[0] && size[1] === strides[1];
  return apart && size[0] * size[1] === 4 && outH * size[0] <= inH && outW * size[1] <= inW;
}

/** A gradient of the convolution that reads the pooled gradient and the argmax in place of dY. */
function readPooled(edit: GraphEdit, node: Node, by: { dY: TensorId; argmax: TensorId; size: Pair }): Node {
  const attributes = { ...node.attributes, pool: by.size };
  const inputs =
    node.op === "conv2dInputGradient"
      ? [by.dY, node.inputs[1]!, by.argmax, ...node.inputs.slice(2)]
      : [node.inputs[0]!, by.dY, node.inputs[2]!, by.argmax, ...node.inputs.slice(3)];
  return edit.node(node.op, node.name, inputs, attributes, node.outputs);
}
