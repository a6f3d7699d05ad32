import source from "../../../shaders/product/matmul.wgsl";
import { FeaturemapError } from "../../base/errors.ts";
import { ceilDiv, type Shape, showShape } from "../../base/shape.ts";
import { defineOp, type Op, typed } from "../../graph/op.ts";
import type { Tensor, TensorId } from "../../graph/tensor.ts";
import type { Tile } from "../../graph/tile.ts";
import type { Dispatch, Kernel } from "../../wgsl/kernel.ts";
import { operand, output } from "../access.ts";
import { activationNumber, activationSources } from "../activation/activation.ts";
import type { Epilogue } from "./epilogue.ts";
import { dispatchProduct } from "./product.ts";

const kernel: Kernel<{ a: "read"; b: "read"; bias: "read?"; y: "read?"; c: "write" }> = source;

export interface Product extends Pick<Epilogue, "activation" | "gradientActivation"> {
  /** Rows and columns of c, terms of each sum, and number of such products, one after another (default 1). */
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly batch?: number;
  readonly transposeA?: boolean | undefined;
  readonly transposeB?: boolean | undefined;
}

/** Calls the kernel `matmul`: c = act(a b + bias) * act'(y). */
export function dispatchMatmul(
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

interface Attributes {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
}

/**
 * Product c = a b of matrices, either of which may be transposed: [m, k] or [k, m], and [k, n] or [n, k]. A batch of them is
 * [batch, m, k] and so on.
 */
export const matmul: Op<"a" | "b", "c", Attributes> = defineOp({
  name: "matmul",
  inputs: ["a", "b"],
  outputs: ["c"],
  attributes: typed<Attributes>(),
  infer: ({ a, b }, attributes, where) => {
    const { m, n } = sizes(a.shape, b.shape, attributes, where);
    return { c: { shape: [...a.shape.slice(0, -2), m, n], dtype: "f32" } };
  },
  // c = a b: da = dc b', db = a' dc; each transpose moves to the other side.
  gradient: ({ gradients, inputs: { a, b }, attributes: { transposeA = false, transposeB = false }, wanted, add }) => {
    const dc = gradients.c!;
    const da = () =>
      transposeA
        ? add(matmul, { a: b, b: dc }, { transposeA: transposeB, transposeB: true }).c
        : add(matmul, { a: dc, b }, { transposeA: false, transposeB: !transposeB }).c;
    const db = () =>
      transposeB
        ? add(matmul, { a: dc, b: a }, { transposeA: true, transposeB: transposeA }).c
        : add(matmul, { a, b: dc }, { transposeA: !transposeA, transposeB: false }).c;
    return { a: wanted.a ? da() : undefined, b: wanted.b ? db() : undefined };
  },
  lower: ({ node, inputs, outputs, attributes, tile }) => {
    const product = sizes(inputs.a.shape, inputs.b.shape, attributes, node.name);
    const chosen = tile({ ...product, hoistable: true });
    return [dispatchMatmul({ ...product, ...attributes }, chosen, { ...inputs, ...outputs })];
  },
});

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
