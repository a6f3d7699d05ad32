import blocksSource from "../../../shaders/product/lib/blocks.wgsl";
import hoistedSource from "../../../shaders/product/lib/hoisted.wgsl";
import quadSource from "../../../shaders/product/lib/quad.wgsl";
import blockSource from "../../../shaders/product/lib/rows.wgsl";
import sharedSource from "../../../shaders/product/lib/shared.wgsl";
import source from "../../../shaders/product/matmul.wgsl";
import { FeaturemapError } from "../../base/errors.ts";
import { ceilDiv, type Shape, showShape } from "../../base/shape.ts";
import type { Tensor, TensorId } from "../../graph/graph.ts";
import { defineOp } from "../../graph/op.ts";
import { type Tile, tileConstants, tileWorkgroups } from "../../graph/tile.ts";
import { type Bindings, type Dispatch, dispatch, type Kernel, type KernelCall } from "../../wgsl/kernel.ts";
import type { Source } from "../../wgsl/specialize.ts";
import { operand, output } from "../access.ts";
import { type Activation, activationNumber, activationSources } from "../activation/activation.ts";

/**
 * A call of a kernel that multiplies matrices by the tile, as `shaders/product/lib/blocks.wgsl` does: `rows4` blocks of 4 rows, and as many
 * columns, in each of `slices` products or parts of a sum.
 */
export function dispatchProduct<B extends Bindings>(
  kernel: Kernel<B>,
  { tile, rows4, columns, slices = 1 }: { tile: Tile; rows4: number; columns: number; slices?: number },
  { bind, constants, libraries = [] }: Omit<KernelCall<B, TensorId>, "workgroups">,
): Dispatch<TensorId> {
  return dispatch(kernel, {
    bind,
    constants: { ...tileConstants(tile, rows4, slices), ...constants },
    libraries: [...productSources(tile), ...libraries],
    workgroups: tileWorkgroups(tile, rows4, ceilDiv(columns, 4), slices),
  });
}

/** Defines `multiply_blocks`, cut up as the tile says. */
function productSources({ shared, hoisted, quad }: Tile): Source[] {
  const multiply = shared ? sharedSource : hoisted ? hoistedSource : blocksSource;
  return [multiply, blockSource, ...(quad ? [quadSource] : [])];
}

const kernel: Kernel<{ a: "read"; b: "read"; bias: "read?"; y: "read?"; c: "write" }> = source;

export interface Product {
  /** Rows and columns of c, terms of each sum, and how many such products lie one after another; default 1. */
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly batch?: number;
  readonly transposeA?: boolean | undefined;
  readonly transposeB?: boolean | undefined;
  readonly activation?: Activation | undefined;
  readonly gradientActivation?: Activation | undefined;
}

/** One call of the kernel `matmul`; with `bias`, of a dense layer; with `y`, of its input gradient. */
export function matmulDispatch(
  product: Product,
  tile: Tile,
  bind: { a: Tensor; b: Tensor; c: Tensor; bias?: Tensor | undefined; y?: Tensor | undefined },
): Dispatch<TensorId> {
  const { m, n, k, batch = 1, transposeA = false, transposeB = false } = product;
  const blocks = { tile, rows4: ceilDiv(m, 4), columns: n, slices: batch };
  return dispatchProduct(kernel, blocks, {
    bind,
    constants: {
      M: m,
      N: n,
      K: k,
      A_TRANSPOSED: transposeA,
      B_TRANSPOSED: transposeB,
      HAS_BIAS: bind.bias !== undefined,
      ACTIVATION: activationNumber(product.activation),
      GRADIENT_ACTIVATION: activationNumber(product.gradientActivation),
    },
    libraries: [
      operand("a", transposeA ? m : k),
      operand("b", transposeB ? k : n),
      operand("bias", n),
      operand("y", n),
      output("c", n),
      ...activationSources,
    ],
  });
}

type Attributes = { readonly transposeA?: boolean; readonly transposeB?: boolean };

/**
 * c = a b of matrices, either of them transposed: [m, k] or [k, m], and [k, n] or [n, k]; or of as many of them on either
 * side, [batch, m, k] and so on.
 */
const matmul = defineOp<Attributes>({
  name: "matmul",
  infer: ([a, b], attributes, where) => {
    const { m, n } = sizes(a!.shape, b!.shape, attributes, where);
    return [{ shape: [...a!.shape.slice(0, -2), m, n], dtype: "f32" }];
  },
  // c = a b: da = dc b', db = a' dc; each transpose moves to the other side.
  gradient: ({
    gradients: [dC],
    inputs: [a, b],
    attributes: { transposeA = false, transposeB = false },
    wanted,
    add,
  }) => [
    wanted[0]
      ? transposeA
        ? add("matmul", [b!, dC!], { transposeA: transposeB, transposeB: true })[0]
        : add("matmul", [dC!, b!], { transposeA: false, transposeB: !transposeB })[0]
      : undefined,
    wanted[1]
      ? transposeB
        ? add("matmul", [dC!, a!], { transposeA: true, transposeB: transposeA })[0]
        : add("matmul", [a!, dC!], { transposeA: !transposeA, transposeB: false })[0]
      : undefined,
  ],
  lower: ({ node, inputs: [a, b], outputs: [c], attributes, tile }) => {
    const product = sizes(a!.shape, b!.shape, attributes, node.name);
    const chosen = tile({ ...product, hoistable: true });
    return [matmulDispatch({ ...product, ...attributes }, chosen, { a: a!, b: b!, c: c! })];
  },
});

export const matmulOps = [matmul];

function sizes(a: Shape, b: Shape, { transposeA = false, transposeB = false }: Attributes, where: string) {
  const [rowsA, columnsA] = a.slice(-2);
  const [rowsB, columnsB] = b.slice(-2);
  const [m, k] = transposeA ? [columnsA, rowsA] : [rowsA, columnsA];
  const [k2, n] = transposeB ? [columnsB, rowsB] : [rowsB, columnsB];
  const ranks = a.length === b.length && (a.length === 2 || (a.length === 3 && a[0] === b[0]));
  if (!ranks || k !== k2) {
    const got = `${showShape(a)}${transposeA ? " transposed" : ""} and ${showShape(b)}${transposeB ? " transposed" : ""}`;
    throw new FeaturemapError("shape", `"${where}" multiplies matrices whose inner sizes agree, got ${got}.`);
  }
  return { m: m!, n: n!, k: k!, batch: a.length === 3 ? a[0]! : 1 };
}
