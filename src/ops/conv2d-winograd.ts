import type { Node, TensorId } from "../graph/graph.ts";
import type { Algorithm, GraphEdit } from "../graph/op.ts";
import type { Shape } from "../shape.ts";
import type { Conv2dAttributes } from "./conv2d.ts";
import { type Pair, windowGeometry } from "./window.ts";
import { outputsOf, tilesOf, WINOGRAD_POINTS, type WinogradAttributes } from "./winograd.ts";

/**
 * A convolution and its gradients as products of matrices at Winograd's points, which multiply several times less:
 *
 *     V = B' x B    U = G k G'    M = V U      y = A' M A
 *     dM = A dY A'  dV = dM U'    dU = V' dM   dX = sum of B dV B'    dK = G' dU G
 *
 * Each node is replaced on its own; what another has made already, U, V or dM, is not made again.
 */
export const winogradAlgorithms: readonly Algorithm[] = WINOGRAD_POINTS.map((points) => ({
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
  const { average, activation, gradientActivation, hasBias, update } = node.attributes;
  const pool = node.attributes.pool as Pair | undefined;
  if (node.op === "conv2d") {
    const [x, k, bias] = node.inputs as [TensorId, TensorId, TensorId?];
    const m = chain.add("matmul", [chain.input(x, attributes), chain.filter(k, attributes)]);
    const inputs = bias === undefined ? [m] : [m, bias];
    if (pool && !holdsWindows(attributes, pool)) {
      const y = chain.add("winogradOutput", inputs, { ...attributes, ...defined({ activation }) });
      chain.end("windowPooling", [y], defined({ activation, pool, average }));
    } else chain.end("winogradOutput", inputs, { ...attributes, ...defined({ activation, pool, average }) });
  } else if (node.op === "conv2dInputGradient") {
    const [dY, k, ...rest] = node.inputs as [TensorId, TensorId, ...TensorId[]];
    const dM = chain.outputGradient(dY, pool ? rest.shift() : undefined, {
      ...attributes,
      ...defined({ pool, average }),
    });
    const dV = chain.add("matmul", [dM, chain.filter(k, attributes)], { transposeB: true });
    chain.end("winogradInputGradient", [dV, ...rest], { ...attributes, ...defined({ gradientActivation }) });
  } else {
    const [x, dY, , ...rest] = node.inputs as [TensorId, TensorId, TensorId, ...TensorId[]];
    const dM = chain.outputGradient(dY, pool ? rest.shift() : undefined, {
      ...attributes,
      ...defined({ pool, average }),
    });
    const dU = chain.add("matmul", [chain.input(x, attributes), dM], { transposeA: true });
    chain.end("winogradFilterGradient", [dU, dM, ...rest], { ...attributes, hasBias, ...defined({ update }) });
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
      (node) =>
        node.op === op && same(node.inputs, inputs) && JSON.stringify(node.attributes) === JSON.stringify(attributes),
    );
    if (known) return known.outputs[0]!;
    const made = this.#edit.node(op, `${this.#node.name}/${op}`, inputs, attributes);
    this.#made.push(made);
    return made.outputs[0]!;
  }

  input(x: TensorId, attributes: WinogradAttributes): TensorId {
    return this.add("winogradInput", [x, this.#edit.graph.state], attributes);
  }

  filter(k: TensorId, attributes: WinogradAttributes): TensorId {
    return this.add("winogradFilter", [k], attributes);
  }

  outputGradient(dY: TensorId, routes: TensorId | undefined, attributes: WinogradAttributes): TensorId {
    const inputs = [dY, this.#edit.graph.state, ...(routes === undefined ? [] : [routes])];
    return this.add("winogradOutputGradient", inputs, attributes);
  }

  end(op: string, inputs: readonly TensorId[], attributes: Record<string, unknown>): void {
    const { name, outputs } = this.#node;
    const last = this.#edit.node(op, `${name}/${op}`, inputs, attributes, outputs);
    this.#edit.replace([this.#node], [...this.#made, last]);
  }
}

function same(a: readonly TensorId[], b: readonly TensorId[]): boolean {
  return a.length === b.length && a.every((id, i) => id === b[i]);
}

/** Without the attributes that are not there, so that equal nodes have equal attributes. */
function defined(attributes: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined));
}
