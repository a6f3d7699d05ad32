import source from "../../../shaders/conv2d/conv2d.wgsl";
import filterGradientSource from "../../../shaders/conv2d/conv2d_filter_gradient.wgsl";
import inputGradientSource from "../../../shaders/conv2d/conv2d_input_gradient.wgsl";
import sizesSource from "../../../shaders/conv2d/lib/patches.wgsl";
import stateSource from "../../../shaders/lib/state.wgsl";
import { FeaturemapError } from "../../base/errors.ts";
import { ceilDiv, elements, type Shape, showShape } from "../../base/shape.ts";
import { defineOp, type LowerContext, typed } from "../../graph/op.ts";
import type { TensorId } from "../../graph/tensor.ts";
import { rowsTogether } from "../../graph/tile.ts";
import type { Dispatch, Kernel } from "../../wgsl/kernel.ts";
import { operand, output } from "../access.ts";
import {
  type Epilogue,
  incomingGradient,
  type ParameterGradients,
  parameterBindings,
  parameterGradients,
  pooledImageShape,
  pooledOutputs,
  storedGradient,
  storedOutput,
} from "../product/epilogue.ts";
import { dispatchProduct } from "../product/product.ts";
import { assertImages, type Pair, type WindowAttributes, windowConstants, windowGeometry } from "../window.ts";
import { dispatchSliceSum } from "./conv2d-filter-gradient-sum.ts";
import { winogradFilterGradients, winogradForward, winogradInputGradients } from "./conv2d-winograd.ts";

type Conv2dAttributes = Pick<WindowAttributes, "strides" | "padding"> & Epilogue;

const forwardKernel: Kernel<{ x: "read"; k: "read"; bias: "read?"; y: "write"; routes: "write?" }> = source;

const inputGradientKernel: Kernel<{ dy: "read"; routes: "read?"; k: "read"; in: "read?"; dx: "write" }> =
  inputGradientSource;

const filterGradientKernel: Kernel<{ state: "read"; x: "read"; dy: "read"; routes: "read?"; partial: "write" }> =
  filterGradientSource;

type InputGradientAttributes = Conv2dAttributes & { readonly inputShape: Shape };

/** Gradient dx of a convolution. dy may come through a pooling, by its routes; dx may be multiplied by act'(x). */
export const conv2dInputGradient = defineOp({
  name: "conv2dInputGradient",
  inputs: ["dy", "kernel", "routes?", "x?"],
  outputs: ["dx"],
  attributes: typed<InputGradientAttributes>(),
  infer: (_, { inputShape }) => ({ dx: { shape: inputShape, dtype: "f32" } }),
  fuses: ["unpooling", "derivative"],
  algorithms: winogradInputGradients,
  lower: ({ node, inputs: { dy, kernel, routes, x }, outputs: { dx }, attributes, tile }) => {
    const { inputShape } = attributes;
    const sizes = sizesOf(inputShape, kernel.shape, attributes, node.name);
    const [batch, inH, inW, inC] = inputShape as [number, number, number, number];
    const outC = sizes.y[3]!;
    const chosen = tile({ m: batch, n: inC, k: elements(kernel.shape) / inC, repeats: inH * inW });
    // Whole tiles of images at each pixel, see `IMAGE_BLOCKS` in the shader.
    const together = rowsTogether(chosen);
    const imageBlocks = ceilDiv(batch, 4 * together) * together;
    const blocks = { tile: chosen, rows4: inH * inW * imageBlocks, columns: inC };
    const load = incomingGradient(attributes, sizes.y);
    const store = storedGradient(attributes, inputShape);
    return [
      dispatchProduct(inputGradientKernel, blocks, {
        bind: { dy, routes, k: kernel, in: x, dx },
        constants: { ...load.constants, ...store.constants },
        libraries: [sizes.source, ...load.libraries, operand("dy", outC), operand("k", outC), ...store.libraries],
      }),
    ];
  },
});

type FilterGradientAttributes = Conv2dAttributes & ParameterGradients & { readonly kernelShape: Shape };

/**
 * Gradients dkernel and dbias of a convolution over the rows in use, or a step of the parameters by them. dy may come through a
 * pooling, by its routes.
 */
export const conv2dFilterGradient = defineOp({
  name: "conv2dFilterGradient",
  inputs: ["x", "dy", "state", "routes?", "kernel?", "bias?", "rate?"],
  outputs: ["dkernel?", "dbias?"],
  attributes: typed<FilterGradientAttributes>(),
  infer: (_, attributes) => parameterGradients(attributes, attributes.kernelShape),
  updates: ["kernel", "bias"],
  fuses: ["unpooling", "update"],
  algorithms: winogradFilterGradients,
  lower: filterGradientDispatches,
});

function filterGradientDispatches(
  context: LowerContext<
    "x" | "dy" | "state" | "routes?" | "kernel?" | "bias?" | "rate?",
    "dkernel?" | "dbias?",
    FilterGradientAttributes
  >,
): Dispatch<TensorId>[] {
  const { node, inputs, attributes, tile, scratch } = context;
  const { x, dy, state, routes } = inputs;
  const { hasBias, pool, kernelShape } = attributes;
  const sizes = sizesOf(x.shape, kernelShape, attributes, node.name);
  const [batch, outH, outW, outC] = sizes.y as [number, number, number, number];
  const rows = elements(kernelShape) / outC + (hasBias ? 1 : 0);
  const chosen = tile({ m: rows, n: outC, k: batch * outH * outW, sliced: true });
  const blocks = blocksOf(sizes.y, pool);
  const stepRows = rowsOfStep(blocks);
  const steps = (batch * blocks.rows) / stepRows;
  // Each slice has a step of its own.
  const slices = ceilDiv(steps, ceilDiv(steps, chosen.slices));
  const partial = scratch("partial", { shape: [slices, rows, outC], dtype: "f32" });
  const load = incomingGradient(attributes, sizes.y);
  return [
    dispatchProduct(
      filterGradientKernel,
      { tile: chosen, rows4: ceilDiv(rows, 4), columns: outC, slices },
      {
        bind: { state, x, dy, routes, partial },
        constants: { ...load.constants, HAS_BIAS: hasBias, SLICES: slices, STEP_ROWS: stepRows },
        libraries: [
          sizes.source,
          ...load.libraries,
          stateSource,
          operand("x", sizes.inC),
          operand("dy", outC),
          output("partial", outC),
        ],
      },
    ),
    dispatchSliceSum({ partial, count: slices, rows, columns: outC, hasBias }, parameterBindings(context), context),
  ];
}

/**
 * Convolution: y = act(conv(x, kernel) + bias), NHWC and HWIO as in Keras; kernel [kH, kW, inC, outC], bias [outC]. With `pool`, y is
 * pooled, and `routes` is an output (see `shaders/conv2d/conv2d.wgsl`).
 */
export const conv2d = defineOp({
  name: "conv2d",
  inputs: ["x", "kernel", "bias?"],
  outputs: ["y", "routes?"],
  attributes: typed<Conv2dAttributes>(),
  infer: ({ x, kernel, bias }, attributes, where) => {
    const { y } = sizesOf(x.shape, kernel.shape, attributes, where);
    if (bias && (bias.shape.length !== 1 || bias.shape[0] !== y[3])) {
      throw new FeaturemapError("shape", `"${where}" wants a bias of [${y[3]}], got ${showShape(bias.shape)}.`);
    }
    return pooledOutputs(y, attributes.pool);
  },
  gradient: ({ gradients, inputs: { x, kernel, bias }, attributes, wanted, state, tensor, add }) => {
    const dy = gradients.y!;
    const { strides, padding } = attributes;
    const inputShape = tensor(x).shape;
    const dx = wanted.x ? add(conv2dInputGradient, { dy, kernel }, { strides, padding, inputShape }).dx : undefined;
    if (!wanted.kernel && !wanted.bias) return { x: dx };
    const filter = { strides, padding, kernelShape: tensor(kernel).shape, hasBias: bias !== undefined };
    const made = add(conv2dFilterGradient, { x, dy, state }, filter);
    return { x: dx, kernel: made.dkernel, bias: made.dbias };
  },
  fuses: ["activation", "pooling"],
  algorithms: winogradForward,
  lower: ({ node, inputs: { x, kernel, bias }, outputs, attributes, tile }) => {
    const { y, inC, source } = sizesOf(x.shape, kernel.shape, attributes, node.name);
    const { pool } = attributes;
    const rows4 = pool ? elements(pooledImageShape(y, pool).slice(0, 3)) : ceilDiv(elements(y.slice(0, 3)), 4);
    const outC = y[3]!;
    const chosen = tile({ m: rows4 * 4, n: outC, k: elements(kernel.shape) / outC, hoistable: true });
    const blocks = { tile: chosen, rows4, columns: outC };
    const store = storedOutput(attributes, y, bias);
    return [
      dispatchProduct(forwardKernel, blocks, {
        bind: { x, k: kernel, bias, ...outputs },
        constants: store.constants,
        libraries: [source, operand("x", inC), operand("k", outC), ...store.libraries],
      }),
    ];
  },
});

/** Counts the rows of blocks of dy, and the blocks of 4 positions in each: along w, or of a window. */
function blocksOf(y: Shape, pool: Pair | undefined): { rows: number; perRow: number } {
  const [, outH, outW] = pool ? pooledImageShape(y, pool) : y;
  return { rows: outH!, perRow: pool ? outW! : ceilDiv(outW!, 4) };
}

/** Chooses the rows in one step of the filter gradient: enough for a loop of 16 blocks, since a short loop costs more a turn. */
function rowsOfStep({ rows, perRow }: { rows: number; perRow: number }): number {
  const divisors = Array.from({ length: rows }, (_, i) => i + 1).filter((count) => rows % count === 0);
  return divisors.find((count) => count * perRow >= 16) ?? rows;
}

function sizesOf(x: Shape, k: Shape, { strides, padding }: Conv2dAttributes, where: string) {
  assertImages(x, where);
  if (k.length !== 4 || k[2] !== x[3]) {
    const got = `${showShape(k)} for x ${showShape(x)}`;
    throw new FeaturemapError("shape", `"${where}" wants a kernel of [kH, kW, ${x[3]}, filters], got ${got}.`);
  }
  const size: Pair = [k[0]!, k[1]!];
  const geometry = windowGeometry(x.slice(1), { size, strides, padding }, where);
  const y: Shape = [x[0]!, geometry.outH, geometry.outW, k[3]!];
  const [K_H, K_W, IN_C, OUT_C] = k as [number, number, number, number];
  const given = { ...windowConstants(x, geometry, strides), IN_C, OUT_C, K_H, K_W, PADDED: geometry.padded };
  return { y, inC: IN_C, source: { ...sizesSource, given } };
}
