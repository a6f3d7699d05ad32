import filterGradientSource from "../../../shaders/dense/dense_filter_gradient.wgsl";
import stateSource from "../../../shaders/lib/state.wgsl";
import { FeaturemapError } from "../../base/errors.ts";
import { ceilDiv, elements, type Shape, sameShape, showShape } from "../../base/shape.ts";
import { defineOp, typed } from "../../graph/op.ts";
import type { Kernel } from "../../wgsl/kernel.ts";
import { channelsSource, operand } from "../access.ts";
import {
  type Epilogue,
  type ParameterGradients,
  parameterBindings,
  parameterGradients,
  storedParameters,
} from "../product/epilogue.ts";
import { dispatchMatmul } from "../product/matmul.ts";
import { dispatchProduct } from "../product/product.ts";

/** Gives the rows of a tensor: all but its last axis, which is a row's length. */
function rowsOf(shape: Shape): { readonly rows: number; readonly width: number } {
  const width = shape.at(-1)!;
  return { rows: elements(shape) / width, width };
}

/** Gradient dx = (dy kernel') * act'(x) of a dense layer; dy [batch, ..., out], kernel [in, out]. */
export const denseInputGradient = defineOp({
  name: "denseInputGradient",
  inputs: ["dy", "kernel", "x?"],
  outputs: ["dx"],
  attributes: typed<Pick<Epilogue, "gradientActivation">>(),
  infer: ({ dy, kernel }) => ({ dx: { shape: [...dy.shape.slice(0, -1), kernel.shape[0]!], dtype: "f32" } }),
  fuses: ["derivative"],
  lower: ({ inputs: { dy, kernel, x }, outputs: { dx }, attributes, tile }) => {
    const product = { m: rowsOf(dy.shape).rows, n: kernel.shape[0]!, k: kernel.shape[1]! };
    const chosen = tile({ ...product, hoistable: true });
    return [dispatchMatmul({ ...product, ...attributes, transposeB: true }, chosen, { a: dy, b: kernel, y: x, c: dx })];
  },
});

const filterGradientKernel: Kernel<{
  state: "read";
  x: "read";
  dy: "read";
  kernel: "write";
  bias: "write?";
  rate: "read?";
}> = filterGradientSource;

/**
 * Gradients dkernel = x' dy and dbias = sum of dy over the samples in use, or a step by them; x [batch, ..., in], dy [batch, ..., out].
 */
export const denseFilterGradient = defineOp({
  name: "denseFilterGradient",
  inputs: ["x", "dy", "state", "kernel?", "bias?", "rate?"],
  outputs: ["dkernel?", "dbias?"],
  attributes: typed<ParameterGradients>(),
  infer: ({ x, dy }, attributes) => parameterGradients(attributes, [x.shape.at(-1)!, dy.shape.at(-1)!]),
  updates: ["kernel", "bias"],
  fuses: ["update"],
  lower: (context) => {
    const { x, dy, state } = context.inputs;
    const { hasBias } = context.attributes;
    const { rows, width: inputs } = rowsOf(x.shape);
    const units = dy.shape.at(-1)!;
    const height = inputs + (hasBias ? 1 : 0);
    const tile = context.tile({ m: height, n: units, k: rows });
    const store = storedParameters(context, units);
    return [
      dispatchProduct(
        filterGradientKernel,
        { tile, rows4: ceilDiv(height, 4), columns: units },
        {
          bind: { state, x, dy, ...parameterBindings(context) },
          constants: {
            BATCH: x.shape[0]!,
            SAMPLE_ROWS: rows / x.shape[0]!,
            IN: inputs,
            OUT: units,
            HAS_BIAS: hasBias,
            ...store.constants,
          },
          libraries: [stateSource, channelsSource(4), operand("x", inputs), operand("dy", units), ...store.libraries],
        },
      ),
    ];
  },
});

/** Dense layer: y = act(x kernel + bias), over the last axis; x [batch, ..., in], kernel [in, out], bias [out]. */
export const dense = defineOp({
  name: "dense",
  inputs: ["x", "kernel", "bias?"],
  outputs: ["y"],
  attributes: typed<Pick<Epilogue, "activation">>(),
  infer: ({ x, kernel, bias }, _, where) => {
    const fits = x.shape.length >= 2 && kernel.shape.length === 2 && x.shape.at(-1) === kernel.shape[0];
    if (!fits || (bias && !sameShape(bias.shape, kernel.shape.slice(1)))) {
      const got = `${showShape(x.shape)}, kernel ${showShape(kernel.shape)}${bias ? ` and bias ${showShape(bias.shape)}` : ""}`;
      throw new FeaturemapError(
        "shape",
        `"${where}" wants x [batch, ..., in], kernel [in, out] and bias [out], got x ${got}.`,
      );
    }
    return { y: { shape: [...x.shape.slice(0, -1), kernel.shape[1]!], dtype: "f32" } };
  },
  gradient: ({ gradients, inputs: { x, kernel, bias }, wanted, state, add }) => {
    const dy = gradients.y!;
    const dx = wanted.x ? add(denseInputGradient, { dy, kernel }).dx : undefined;
    if (!wanted.kernel && !wanted.bias) return { x: dx };
    const made = add(denseFilterGradient, { x, dy, state }, { hasBias: bias !== undefined });
    return { x: dx, kernel: made.dkernel, bias: made.dbias };
  },
  fuses: ["activation"],
  lower: ({ inputs: { x, kernel, bias }, outputs: { y }, attributes, tile }) => {
    const product = { m: rowsOf(x.shape).rows, n: kernel.shape[1]!, k: kernel.shape[0]! };
    const chosen = tile({ ...product, hoistable: true });
    return [dispatchMatmul({ ...product, ...attributes }, chosen, { a: x, b: kernel, bias, c: y })];
  },
});
