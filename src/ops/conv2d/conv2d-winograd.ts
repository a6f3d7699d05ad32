import type { Shape } from "../../base/shape.ts";
import type { Node, TensorId } from "../../graph/graph.ts";
import type { Algorithm, GraphEdit } from "../../graph/op.ts";
import { type Pair, windowGeometry } from "../window.ts";
import type { Conv2dAttributes } from "./conv2d.ts";
import { outputsOf, tilesOf, WINOGRAD_POINTS, type WinogradAttributes } from "./winograd.ts";

/**
 * A convolution and its gradients as products of matrices at Winograd's points, which multiply several times less:
 *
 *     V = B' x B    U = G k G'    M = V U      y = A' M A
 *     dM = A dY A'  dV = dM U'    dU = V' dM   dX = sum of B dV B'    dK = G' dU G
 *
 * Each node is replaced on its own; what another has made already, U, V or dM, is not made again.
 */
export const winogradAlgorithms: readonly Algorithm[] = /* @__PURE__ */ WINOGRAD_POINTS.map((points) => ({
  name: `winograd${points}`,
  saving: (edit, node) => {
    const attributes = attributesOf(edit, node, points);
    return attributes ? savingOf(attributes, node.attributes.pool as Pair | undefined) : 0;
  },
  largestTensor: (edit, node) => largestOf(attributesOf(edit, node, points)!),
  apply: (edit, node) => replaceBy(edit, node, attributesOf(edit, node, points)!),
}));

/**
 * How many times fewer multiplications. The transforms of x and y cost about as much as 10 further channels on either side
 * would, those of the kernel, which a batch of one image does not pay back, as 8 further tiles; measured for 24 to 64 channels
 * and 4 to 32 tiles on SwiftShader. Where a pooling's windows lie across tiles, y costs more.
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

/** Whether each window of a pooling lies in one tile. */
function holdsWindows(attributes: WinogradAttributes, [poolH, poolW]: Pair): boolean {
  const outputs = outputsOf(attributes);
  return outputs % poolH === 0 && outputs % poolW === 0;
}

/** Bytes of the largest of V, M, U and their gradients. */
function largestOf(attributes: WinogradAttributes): number {
  const [inC, outC] = [attributes.inputShape[3]!, attributes.outputShape[3]!];
  const tiles = tilesOf(attributes);
  return 4 * attributes.points ** 2 * Math.max(tiles * inC, tiles * outC, inC * outC);
}

/** The node's convolution, if it can be cut into tiles. */
function attributesOf(
  edit: GraphEdit,
  node: Node,
  points: WinogradAttributes["points"],
): WinogradAttributes | undefined {
  const { strides, padding, inputShape, kernelShape } = node.attributes as Conv2dAttributes & {
    inputShape?: Shape;
    kernelShape?: Shape;
  };
  const x = inputShape ?? edit.tensor(node.inputs[0]!).shape;
  const [kH, kW, , outC] = kernelShape ?? edit.tensor(node.inputs[1]!).shape;
  const outputs = outputsOf({ points, taps: kH! });
  // One tap needs no tiles, and tiles of one output save nothing.
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

function replaceBy(edit: GraphEdit, node: Node, attributes: WinogradAttributes): void {
  const chain = new Chain(edit, node);
  const { state } = edit.graph;
  const { pool, average, activation, gradientActivation, hasBias, update } = node.attributes;
  const pooled = { ...attributes, pool, average };
  const filter = (k: TensorId) => chain.add("winogradFilter", [k], attributes);
  const input = (x: TensorId) => chain.add("winogradInput", [x, state], attributes);
  const outputGradient = (dY: TensorId, routes: readonly TensorId[]) =>
    chain.add("winogradOutputGradient", [dY, state, ...routes], pooled);
  const [first, second, ...rest] = node.inputs as [TensorId, TensorId, ...TensorId[]];
  if (node.op === "conv2d") {
    const m = chain.add("matmul", [input(first), filter(second)]);
    if (pool && !holdsWindows(attributes, pool as Pair)) {
      const y = chain.add("winogradOutput", [m, ...rest], { ...attributes, activation });
      chain.end("windowPooling", [y], { activation, pool, average });
    } else chain.end("winogradOutput", [m, ...rest], { ...pooled, activation });
  } else if (node.op === "conv2dInputGradient") {
    const dM = outputGradient(first, pool ? rest.splice(0, 1) : []);
    const dV = chain.add("matmul", [dM, filter(second)], { transposeB: true });
    chain.end("winogradInputGradient", [dV, ...rest], { ...attributes, gradientActivation });
  } else {
    const [, ...others] = rest;
    const dM = outputGradient(second, pool ? others.splice(0, 1) : []);
    const dU = chain.add("matmul", [input(first), dM], { transposeA: true });
    chain.end("winogradFilterGradient", [dU, dM, ...others], { ...attributes, hasBias, update });
  }
}

/** Nodes in the place of one, whose outputs the last of them makes. */
class Chain {
  readonly #edit: GraphEdit;
  readonly #node: Node;
  readonly #made: Node[] = [];

  constructor(edit: GraphEdit, node: Node) {
    this.#edit = edit;
    this.#node = node;
  }

  /** The output of a node that is in the graph already, or of a new one. */
  add(op: string, inputs: readonly TensorId[], attributes: Record<string, unknown> = {}): TensorId {
    const known = this.#edit.graph.nodes.find(
      (node) => node.op === op && same(node.inputs, inputs) && same(node.attributes, attributes),
    );
    if (known) return known.outputs[0]!;
    const made = this.#edit.node(op, `${this.#node.name}/${op}`, inputs, attributes);
    this.#made.push(made);
    return made.outputs[0]!;
  }

  end(op: string, inputs: readonly TensorId[], attributes: Record<string, unknown>): void {
    const { name, outputs } = this.#node;
    const last = this.#edit.node(op, `${name}/${op}`, inputs, attributes, outputs);
    this.#edit.replace([this.#node], [...this.#made, last]);
  }
}

/** Equal as plain data. */
function same(a: object, b: object): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
