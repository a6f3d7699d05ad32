import type { Shape } from "../../base/shape.ts";
import type { Algorithm, GraphEdit, Named, Op } from "../../graph/op.ts";
import type { Node, TensorId } from "../../graph/tensor.ts";
import type { ParameterGradients } from "../product/epilogue.ts";
import { matmul } from "../product/matmul.ts";
import { type Pair, windowGeometry } from "../window.ts";
import { type ConvolutionAttributes as Attributes, kernelShapeOf } from "./convolution.ts";
import {
  outputsOf,
  tilesOf,
  WINOGRAD_POINTS,
  type WinogradAttributes,
  windowPooling,
  winogradFilter,
  winogradFilterGradient,
  winogradInput,
  winogradInputGradient,
  winogradOutput,
  winogradOutputGradient,
} from "./winograd.ts";

/** Attributes of a convolution and of its gradients. */
interface ConvolutionAttributes extends Attributes, ParameterGradients {
  readonly inputShape?: Shape;
  readonly kernelShape?: Shape;
  readonly groups?: number;
}

/** Function that adds the nodes in the place of a convolution, or of one of its gradients. The last node makes its outputs. */
type Replace = (chain: Chain, attributes: WinogradAttributes, node: ConvolutionAttributes) => void;

/**
 * Winograd's algorithms: a convolution and its gradients as products of matrices at points, with several times fewer multiplications:
 *
 *     V = B' x B    U = G k G'    M = V U      y = A' M A
 *     dM = A dY A'  dV = dM U'    dU = V' dM   dX = sum of B dV B'    dK = G' dU G
 *
 * Each node is replaced on its own. If another node has made U, V or dM already, it is not made again.
 */
/* @__NO_SIDE_EFFECTS__ */
function winograd(replace: Replace): readonly Algorithm[] {
  return WINOGRAD_POINTS.map((points) => ({
    name: `winograd${points}`,
    saving: (edit, node) => {
      const attributes = attributesOf(edit, node, points);
      return attributes ? savingOf(attributes, node.attributes.pool as Pair | undefined) : 0;
    },
    largestTensor: (edit, node) => largestOf(attributesOf(edit, node, points)!),
    apply: (edit, node) =>
      replace(
        new Chain(edit, node),
        attributesOf(edit, node, points)!,
        node.attributes as unknown as ConvolutionAttributes,
      ),
  }));
}

/** Algorithms of the op `conv2d`. */
export const winogradForward = winograd((chain, attributes, { activation, pool, average }) => {
  const { x, kernel, bias } = chain.inputs;
  const { v } = chain.add(winogradInput, { x: x!, state: chain.state }, attributes);
  const { u } = chain.add(winogradFilter, { kernel: kernel! }, attributes);
  const { c: m } = chain.add(matmul, { a: v, b: u }, {});
  if (pool && !holdsWindows(attributes, pool)) {
    const { y } = chain.add(winogradOutput, { m, bias }, { ...attributes, activation });
    chain.end(windowPooling, { x: y }, { activation, pool, average });
  } else chain.end(winogradOutput, { m, bias }, { ...attributes, pool, average, activation });
});

/** Algorithms of the op `conv2dInputGradient`. */
export const winogradInputGradients = winograd((chain, attributes, { gradientActivation, pool, average }) => {
  const { dy, kernel, routes, x } = chain.inputs;
  const pooled = { ...attributes, pool, average };
  const { dm } = chain.add(winogradOutputGradient, { dy: dy!, state: chain.state, routes }, pooled);
  const { u } = chain.add(winogradFilter, { kernel: kernel! }, attributes);
  const { c: dv } = chain.add(matmul, { a: dm, b: u }, { transposeB: true });
  chain.end(winogradInputGradient, { dv, x }, { ...attributes, gradientActivation });
});

/** Algorithms of the op `conv2dFilterGradient`. */
export const winogradFilterGradients = winograd((chain, attributes, { hasBias, update, pool, average }) => {
  const { x, dy, routes, kernel, bias, rate } = chain.inputs;
  const pooled = { ...attributes, pool, average };
  const { dm } = chain.add(winogradOutputGradient, { dy: dy!, state: chain.state, routes }, pooled);
  const { v } = chain.add(winogradInput, { x: x!, state: chain.state }, attributes);
  const { c: du } = chain.add(matmul, { a: v, b: dm }, { transposeA: true });
  chain.end(winogradFilterGradient, { du, dm, kernel, bias, rate }, { ...attributes, hasBias, update });
});

/**
 * Estimates how many times less work it is, transforms included. The transforms of x and y cost about as much as 10 further channels
 * on either side. If a pooling's windows lie across tiles, that of y costs as much as 15. The kernel's transform, which one image
 * does not pay back, costs as much as 8 further tiles. Measured on SwiftShader on 2026-11-24, for 24 to 64 channels and 4 to 32 tiles. The
 * command was not kept; docs/performance.md, "What was tried, and lost", has steps at 6, 7 and 8 points and directly.
 */
function savingOf(attributes: WinogradAttributes, pool: Pair | undefined): number {
  const { points, taps, inputShape, outputShape } = attributes;
  const [batch, outH, outW, outC] = outputShape as [number, number, number, number];
  const inC = inputShape[3]!;
  const tiles = tilesOf(attributes);
  const direct = batch * outH * outW * taps ** 2;
  const products = tiles * points ** 2;
  const ofY = pool && !holdsWindows(attributes, pool) ? 15 : 10;
  return (direct / products) * (inC / (inC + 10)) * (outC / (outC + ofY)) * (tiles / (tiles + 8));
}

/** Tells whether each window of a pooling lies in one tile. */
function holdsWindows(attributes: WinogradAttributes, [poolH, poolW]: Pair): boolean {
  const outputs = outputsOf(attributes);
  return outputs % poolH === 0 && outputs % poolW === 0;
}

/** Gives the bytes of the largest of V, M, U and their gradients. */
function largestOf(attributes: WinogradAttributes): number {
  const [inC, outC] = [attributes.inputShape[3]!, attributes.outputShape[3]!];
  const tiles = tilesOf(attributes);
  return 4 * attributes.points ** 2 * Math.max(tiles * inC, tiles * outC, inC * outC);
}

/** Gives the node's convolution, if it can be cut into tiles. */
function attributesOf(
  edit: GraphEdit,
  node: Node,
  points: WinogradAttributes["points"],
): WinogradAttributes | undefined {
  const { strides, padding, dilation, groups, inputShape, kernelShape } =
    node.attributes as unknown as ConvolutionAttributes;
  const x = inputShape ?? edit.tensor(node.inputs.x!).shape;
  const [kH, kW, , outC] = kernelShapeOf(kernelShape ?? edit.tensor(node.inputs.kernel!).shape);
  const outputs = outputsOf({ points, taps: kH! });
  // One tap needs no tiles, and tiles of one output save nothing.
  if ((groups ?? 1) > 1 || (dilation && Math.max(...dilation) > 1)) return undefined;
  if (kH !== kW || kH! < 2 || outputs < 2 || strides[0] !== 1 || strides[1] !== 1) return undefined;
  const { outH, outW, padH, padW } = windowGeometry(x.slice(1), { size: [kH!, kW!], strides, padding }, node.name);
  return {
    points,
    taps: kH!,
    inputShape: x,
    outputShape: [x[0]!, outH, outW, outC!],
    pad: [padH, padW],
  };
}

/** Nodes that replace one. The last of them makes its outputs. */
class Chain {
  readonly inputs: Node["inputs"];
  /** State of the step. */
  readonly state: TensorId;
  readonly #edit: GraphEdit;
  readonly #node: Node;
  readonly #made: Node[] = [];

  constructor(edit: GraphEdit, node: Node) {
    this.inputs = node.inputs;
    this.state = edit.state;
    this.#edit = edit;
    this.#node = node;
  }

  /** Adds a node, unless the graph has an equal one, and returns its outputs. */
  add<I extends string, O extends string, A extends object>(
    op: Op<I, O, A>,
    inputs: Named<I, TensorId>,
    attributes: A,
  ): Named<O, TensorId> {
    const known = this.#edit.nodes.find(
      (node) => node.op === op.name && same(node.inputs, inputs) && same(node.attributes, attributes),
    );
    if (known) return known.outputs as Named<O, TensorId>;
    const made = this.#edit.node(op, `${this.#node.name}/${op.name}`, inputs, attributes);
    this.#made.push(made);
    return made.outputs;
  }

  end<I extends string, O extends string, A extends object>(
    op: Op<I, O, A>,
    inputs: Named<I, TensorId>,
    attributes: A,
  ): void {
    const { name, outputs } = this.#node;
    const last = this.#edit.node(op, `${name}/${op.name}`, inputs, attributes, outputs as Named<O, TensorId>);
    this.#edit.replace([this.#node], [...this.#made, last]);
  }
}

/** Tells whether two objects are equal as plain data, in any order of their names. */
function same(a: object, b: object): boolean {
  const text = (value: object) =>
    JSON.stringify(
      Object.entries(value)
        .filter(([, of]) => of !== undefined)
        .sort(),
    );
  return text(a) === text(b);
}
