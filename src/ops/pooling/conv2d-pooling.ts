import type { Shape } from "../../base/shape.ts";
import type { Node, TensorId } from "../../graph/graph.ts";
import type { GraphEdit } from "../../graph/op.ts";
import type { Constant } from "../../wgsl/expression.ts";
import type { Pair, WindowAttributes } from "../window.ts";

/**
 * conv2d, activation and pooling in one kernel, and the pooling's gradient in the loaders of the convolution's: what the
 * convolution makes before the pooling is then never stored, forward or backward.
 *
 *     y = conv(x)      p, argmax = max_pool(y)     dy = max_pool'(dp, argmax) [* act'(y)]    dx, dk = conv'(dy)
 * becomes
 *     p, routes = conv+pool(x)                     dq = dp [* act'(p)]                       dx, dk = conv'(unpool(dq, routes))
 *
 * The derivative of the activation may be taken at p, since all that is not the window's maximum has no gradient. Of an
 * average pooling all positions have one; there `routes` says where relu lets it through, and no other activation is
 * fused. Only where windows are whole, 4 in size and do not overlap, and where nobody else reads y or dy.
 */
export function absorbPooling(edit: GraphEdit, conv: Node): boolean {
  const group = match(edit, conv);
  if (!group) return false;
  const { pool, unpool, derivative, readers } = group;
  const size = (pool.attributes as unknown as WindowAttributes).size;
  const kind = { pool: size, ...(isAverage(pool) ? { average: true } : {}) };
  const fused = edit.node("conv2d", conv.name, conv.inputs, { ...conv.attributes, ...kind });
  const routes = fused.outputs[1]!;
  // The pooling's output stays the tensor that everybody reads already.
  const forward = { ...fused, outputs: [pool.outputs[0]!, routes] };
  if (!unpool) {
    edit.replace([conv, pool], [forward]);
    return true;
  }
  const incoming = unpool.inputs[0]!;
  const product =
    derivative && !isAverage(pool)
      ? edit.node("activationGradient", derivative.name, [incoming, pool.outputs[0]!], derivative.attributes)
      : undefined;
  const dY = product?.outputs[0] ?? incoming;
  const replaced = readers.map((reader) => readPooled(edit, reader, { dY, routes, kind }));
  const gone = [unpool, ...(derivative ? [derivative] : []), ...readers];
  edit.replace([conv, pool], [forward]);
  edit.replace(gone, [...(product ? [product] : []), ...replaced]);
  return true;
}

/** A pooling as the attributes of a convolution that has it in its kernels. */
interface FusedPooling {
  readonly pool?: Pair;
  readonly average?: boolean;
}

/** The shape after pooling by windows of this size that do not overlap; what is left of a row or column is dropped. */
export function pooledImageShape([batch, h, w, c]: Shape, [poolH, poolW]: Pair): Shape {
  return [batch!, Math.floor(h! / poolH), Math.floor(w! / poolW), c!];
}

/** The constants of `pooling/lib/pooled_window.wgsl`, and of the kernel that pools. */
export function poolConstants({ pool, average }: FusedPooling, y: Shape): Record<string, Constant> {
  if (!pool) return {};
  const [, h, w] = pooledImageShape(y, pool);
  return { POOL_H: pool[0], POOL_W: pool[1], POOLED_H: h!, POOLED_W: w!, AVERAGE: average ?? false };
}

/** The constants of `pooling/lib/incoming_gradient.wgsl`. */
export function unpoolConstants(pooling: FusedPooling, y: Shape): Record<string, Constant> {
  return { UNPOOL: pooling.pool !== undefined, ...poolConstants(pooling, y) };
}

interface PoolingGroup {
  readonly pool: Node;
  readonly unpool: Node | undefined;
  readonly derivative: Node | undefined;
  /** The convolution's gradients. */
  readonly readers: readonly Node[];
}

function isAverage(pool: Node): boolean {
  return pool.op === "averagePooling2d";
}

function match(edit: GraphEdit, conv: Node): PoolingGroup | undefined {
  const y = conv.outputs[0]!;
  const pool = edit.readers(y).find(({ op }) => op === "maxPooling2d" || op === "averagePooling2d");
  if (!pool || conv.attributes.pool !== undefined || !isFusible(edit, pool)) return undefined;
  const { activation } = conv.attributes;
  if (isAverage(pool) && activation !== undefined && activation !== "relu" && activation !== "linear") return undefined;
  const unpools = isAverage(pool) ? spreadsOver(edit, y) : readersOfArgmax(edit, pool);
  if (!unpools || unpools.length > 1) return undefined;
  const [unpool] = unpools;
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

/** The nodes that bring a maximum's gradient back to where it was; undefined where somebody else wants to see the argmax. */
function readersOfArgmax(edit: GraphEdit, pool: Node): readonly Node[] | undefined {
  const argmax = pool.outputs[1]!;
  const readers = edit.readers(argmax);
  const all = readers.every(({ op }) => op === "maxPooling2dGradient");
  return all && !edit.usedBeside(argmax, readers) ? readers : undefined;
}

/**
 * The node that spreads a mean's gradient over the windows of y, if the derivative of y's activation reads it. Where y has no
 * activation nothing of the forward pass is needed, and the spreading stays a kernel of its own.
 */
function spreadsOver(edit: GraphEdit, y: TensorId): readonly Node[] {
  const derivative = edit.readers(y).find((node) => node.op === "activationGradient" && node.inputs[1] === y);
  const spread = derivative && edit.producer(derivative.inputs[0]!);
  return spread?.op === "averagePooling2dGradient" ? [spread] : [];
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

/** A gradient of the convolution that reads the pooled gradient and the routes in place of dY. */
function readPooled(edit: GraphEdit, node: Node, by: { dY: TensorId; routes: TensorId; kind: FusedPooling }): Node {
  const attributes = { ...node.attributes, ...by.kind };
  const inputs =
    node.op === "conv2dInputGradient"
      ? [by.dY, node.inputs[1]!, by.routes, ...node.inputs.slice(2)]
      : [node.inputs[0]!, by.dY, node.inputs[2]!, by.routes, ...node.inputs.slice(3)];
  return edit.node(node.op, node.name, inputs, attributes, node.outputs);
}
