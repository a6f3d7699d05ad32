import type { GraphEdit, Rewrite } from "../../graph/op.ts";
import { inputsOf, type Node, type TensorId } from "../../graph/tensor.ts";
import type { Epilogue } from "../product/epilogue.ts";
import type { WindowAttributes } from "../window.ts";

/**
 * Fuses a pooling into the op before it, with the op's activation, and the pooling's gradient into the op's gradients. The output before
 * the pooling is then never stored, forward or backward. For a convolution,
 *
 *     y = conv(x)      p, argmax = max_pool(y)     dy = max_pool'(dp, argmax) [* act'(y)]    dx, dk = conv'(dy)
 * becomes
 *     p, routes = conv+pool(x)                     dq = dp [* act'(p)]                       dx, dk = conv'(unpool(dq, routes))
 *
 * The derivative of the activation may be taken at p, since only the window's maximum has a gradient. In an average pooling all
 * positions have one. There `routes` says where relu lets it through, and no other activation is fused. Windows must be whole, of 4
 * positions, and disjoint, and nothing else may read y or dy.
 *
 * @param op Name of the pooling. It is of maxima if it has an output `argmax`, else of means.
 * @param gradient Name of its gradient's op.
 */
/* @__NO_SIDE_EFFECTS__ */
export function fusePooling(op: string, gradient: string): Rewrite {
  return { op, apply: (edit, pool) => fuse(edit, pool, gradient) };
}

function fuse(edit: GraphEdit, pool: Node, gradient: string): boolean {
  const group = match(edit, pool, gradient);
  if (!group) return false;
  const { producer, unpool, derivative, readers } = group;
  const { size } = pool.attributes as unknown as WindowAttributes;
  const attributes: Epilogue = isAverage(pool) ? { pool: size, average: true } : { pool: size };
  const made = edit.changed(producer, { attributes: { ...attributes } });
  const routes = made.outputs.routes!;
  // The pooling's output stays the same tensor, since other nodes read it.
  const forward = { ...made, outputs: { ...producer.outputs, y: pool.outputs.y!, routes } };
  edit.replace([producer, pool], [forward]);
  if (!unpool) return true;
  const product =
    derivative &&
    !isAverage(pool) &&
    edit.node(
      edit.opOf(derivative),
      derivative.name,
      { dy: unpool.inputs.dy!, y: pool.outputs.y! },
      derivative.attributes,
    );
  const dy = product ? product.outputs.dx! : unpool.inputs.dy!;
  const replaced = readers.map((reader) =>
    edit.changed(reader, { inputs: { dy, routes }, attributes: { ...attributes } }, reader.outputs),
  );
  const gone = [unpool, ...(derivative ? [derivative] : []), ...readers];
  edit.replace(gone, [...(product ? [product] : []), ...replaced]);
  return true;
}

interface PoolingGroup {
  /** Node whose output is pooled. */
  readonly producer: Node;
  readonly unpool?: Node;
  readonly derivative?: Node | undefined;
  /** Nodes of the producer's gradients. */
  readonly readers: readonly Node[];
}

function isAverage(pool: Node): boolean {
  return pool.outputs.argmax === undefined;
}

function match(edit: GraphEdit, pool: Node, gradient: string): PoolingGroup | undefined {
  const y = pool.inputs.x!;
  const producer = edit.producer(y);
  if (!producer || producer.outputs.y !== y || !edit.opOf(producer).fuses?.includes("pooling")) return undefined;
  const { activation } = producer.attributes;
  if (producer.attributes.pool !== undefined || !isFusible(edit, pool)) return undefined;
  // Four channels of two groups would share a word of the routes.
  if (((producer.attributes.groups as number | undefined) ?? 1) > 1) return undefined;
  if (isAverage(pool) && activation !== undefined && activation !== "relu" && activation !== "linear") return undefined;
  const unpools = isAverage(pool) ? spreadsOver(edit, y, gradient) : readersOfArgmax(edit, pool, gradient);
  if (!unpools || unpools.length > 1) return undefined;
  const [unpool] = unpools;
  if (!unpool) return edit.usedElsewhere(y, [pool]) ? undefined : { producer, readers: [] };

  const unpooled = unpool.outputs.dx!;
  const derivative = edit.readers(unpooled).find((node) => isDerivative(node, y));
  if (derivative && edit.usedElsewhere(unpooled, [derivative])) return undefined;
  if (edit.usedElsewhere(y, derivative ? [pool, derivative] : [pool])) return undefined;
  const dy = derivative?.outputs.dx ?? unpooled;
  const readers = edit.readers(dy);
  if (!readers.every((node) => takesGradient(edit, node, dy)) || edit.usedElsewhere(dy, readers)) return undefined;
  return { producer, unpool, derivative, readers };
}

/** Tells whether a node multiplies by the derivative of the activation whose output is y. */
function isDerivative({ op, inputs }: Node, y: TensorId): boolean {
  return op === "activationGradient" && inputs.y === y;
}

/** Finds the nodes that bring a maximum's gradient back to its place; `undefined` if the argmax is used elsewhere. */
function readersOfArgmax(edit: GraphEdit, pool: Node, gradient: string): readonly Node[] | undefined {
  const argmax = pool.outputs.argmax!;
  const readers = edit.readers(argmax);
  const all = readers.every(({ op }) => op === gradient);
  return all && !edit.usedElsewhere(argmax, readers) ? readers : undefined;
}

/**
 * Finds the node that spreads a mean's gradient over the windows of y, if the derivative of y's activation reads it. If y has no
 * activation, nothing of the forward pass is needed, and spreading stays a kernel of its own.
 */
function spreadsOver(edit: GraphEdit, y: TensorId, gradient: string): readonly Node[] {
  const derivative = edit.readers(y).find((node) => isDerivative(node, y));
  const spread = derivative && edit.producer(derivative.inputs.dy!);
  return spread?.op === gradient ? [spread] : [];
}

/** Tells whether a node can read the gradient dy through a pooling. Another input, such as x of a filter gradient, must be whole. */
function takesGradient(edit: GraphEdit, node: Node, dy: TensorId): boolean {
  const once = inputsOf(node).filter((id) => id === dy).length === 1;
  return node.inputs.dy === dy && once && edit.opOf(node).fuses?.includes("unpooling") === true;
}

function isFusible(edit: GraphEdit, pool: Node): boolean {
  const { size, strides } = pool.attributes as unknown as WindowAttributes;
  const [, inH, inW] = edit.tensor(pool.inputs.x!).shape as [number, number, number];
  const [, outH, outW] = edit.tensor(pool.outputs.y!).shape as [number, number, number];
  const disjoint = size[0] === strides[0] && size[1] === strides[1];
  return disjoint && size[0] * size[1] === 4 && outH * size[0] <= inH && outW * size[1] <= inW;
}
