import source from "../../../shaders/depthwise-conv2d/depthwise_conv2d.wgsl";
import filterGradientSource from "../../../shaders/depthwise-conv2d/depthwise_conv2d_filter_gradient.wgsl";
import inputGradientSource from "../../../shaders/depthwise-conv2d/depthwise_conv2d_input_gradient.wgsl";
import blocksSource from "../../../shaders/depthwise-conv2d/lib/blocks.wgsl";
import finishSource from "../../../shaders/depthwise-conv2d/lib/finish.wgsl";
import stateSource from "../../../shaders/lib/state.wgsl";
import { ceilDiv, type Shape } from "../../base/shape.ts";
import { defineOp, typed } from "../../graph/op.ts";
import type { AdapterClass } from "../../graph/tile.ts";
import type { Kernel } from "../../wgsl/kernel.ts";
import { dispatchEach, operand, output } from "../access.ts";
import { dispatchSliceSum } from "../conv2d/conv2d-filter-gradient-sum.ts";
import {
  type ConvolutionAttributes,
  convolutionGradients,
  convolutionSizes,
  convolved,
  type FilterGradientAttributes,
  type InputGradientAttributes,
} from "../conv2d/convolution.ts";
import {
  incomingGradient,
  parameterBindings,
  parameterGradients,
  pooledImageShape,
  storedGradient,
  storedOutput,
} from "../product/epilogue.ts";
import type { Pair } from "../window.ts";
import {
  dispatchTiles,
  dispatchTilesFilterGradient,
  dispatchTilesInputGradient,
  tilesOf,
  tilingFor,
} from "./depthwise-conv2d-tile.ts";

const forwardKernel: Kernel<{ x: "read"; k: "read"; bias: "read?"; y: "write"; routes: "write?" }> = source;

const inputGradientKernel: Kernel<{ dy: "read"; routes: "read?"; k: "read"; in: "read?"; dx: "write" }> =
  inputGradientSource;

const filterGradientKernel: Kernel<{ state: "read"; x: "read"; dy: "read"; routes: "read?"; partial: "write" }> =
  filterGradientSource;

/** dx of a depthwise convolution; dy may come through a pooling by its routes, and dx be multiplied by act'(x). */
export const depthwiseConv2dInputGradient = defineOp({
  name: "depthwiseConv2dInputGradient",
  inputs: ["dy", "kernel", "routes?", "x?"],
  outputs: ["dx"],
  attributes: typed<InputGradientAttributes>(),
  infer: (_, { inputShape }) => ({ dx: { shape: inputShape, dtype: "f32" } }),
  fuses: ["unpooling", "derivative"],
  lower: ({ node, inputs: { dy, kernel, routes, x }, outputs: { dx }, attributes, adapter }) => {
    const { inputShape } = attributes;
    const tiling = tilingFor(adapter, inputShape, kernel.shape, attributes, node.name);
    if (tiling) return [dispatchTilesInputGradient(tiling, { dy, kernel, x, dx }, attributes)];
    const { y, libraries } = sizesOf(inputShape, kernel.shape, attributes, node.name);
    const [batch, inH, inW, inC] = inputShape as [number, number, number, number];
    const load = incomingGradient(attributes, y);
    const store = storedGradient(attributes, inputShape);
    return [
      // Four images and four channels each.
      dispatchEach(inputGradientKernel, ceilDiv(batch, 4) * inH * inW * ceilDiv(inC, 4), {
        bind: { dy, routes, k: kernel, in: x, dx },
        constants: { ...load.constants, ...store.constants },
        libraries: [...libraries, ...load.libraries, operand("dy", y[3]!), operand("k", y[3]!), ...store.libraries],
      }),
    ];
  },
});

/**
 * dkernel and dbias of a depthwise convolution, over the rows in use, or a step of the parameters. dy may come through a pooling
 * by its routes.
 */
export const depthwiseConv2dFilterGradient = defineOp({
  name: "depthwiseConv2dFilterGradient",
  inputs: ["x", "dy", "state", "routes?", "kernel?", "bias?", "rate?"],
  outputs: ["dkernel?", "dbias?"],
  attributes: typed<FilterGradientAttributes>(),
  infer: ({ dy }, attributes) => {
    // As of a kernel whose last axis is all outputs, which the bias has too.
    const { dkernel, dbias } = parameterGradients(attributes, dy.shape.slice(-1));
    return { dkernel: dkernel && { ...dkernel, shape: attributes.kernelShape }, dbias };
  },
  updates: ["kernel", "bias"],
  fuses: ["unpooling", "update"],
  lower: (context) => {
    const { node, inputs, attributes, adapter, scratch } = context;
    const { x, dy, state, routes } = inputs;
    const { hasBias, kernelShape, pool } = attributes;
    const { y, libraries } = sizesOf(x.shape, kernelShape, attributes, node.name);
    const tiling = tilingFor(adapter, x.shape, kernelShape, attributes, node.name);
    const [kH, kW] = kernelShape as [number, number];
    const outC = y[3]!;
    const rows = kH * kW + (hasBias ? 1 : 0);
    const blocks = tiling ? tilesOf(y, tiling.tile) : blocksOf(y, pool);
    const slices = slicesOf(blocks, kH * ceilDiv(outC, 4), adapter);
    const partial = scratch("partial", { shape: [slices, rows, outC], dtype: "f32" });
    const load = incomingGradient(attributes, y);
    return [
      tiling
        ? dispatchTilesFilterGradient(tiling, { state, x, dy, partial }, { slices, hasBias })
        : dispatchEach(filterGradientKernel, slices * kH * ceilDiv(outC, 4), {
            bind: { state, x, dy, routes, partial },
            constants: { ...load.constants, HAS_BIAS: hasBias, SLICES: slices },
            libraries: [
              ...libraries,
              ...load.libraries,
              stateSource,
              operand("x", x.shape[3]!),
              operand("dy", outC),
              output("partial", outC),
            ],
          }),
      dispatchSliceSum({ partial, count: slices, rows, columns: outC, hasBias }, parameterBindings(context), context),
    ];
  },
});

/**
 * y = act(depthwise conv(x, kernel) + bias), NHWC, as Keras's: kernel [kH, kW, inC, multiplier], bias [inC * multiplier]. Channel
 * c * multiplier + m of y is channel c of x under kernel [.., .., c, m]. With `pool`, y is pooled, and there are the packed routes
 * (see `shaders/pooling/lib/pooled_window.wgsl`).
 */
export const depthwiseConv2d = defineOp({
  name: "depthwiseConv2d",
  inputs: ["x", "kernel", "bias?"],
  outputs: ["y", "routes?"],
  attributes: typed<ConvolutionAttributes>(),
  infer: ({ x, kernel, bias }, attributes, where) => {
    const { y } = sizesOf(x.shape, kernel.shape, attributes, where);
    return convolved(y, bias, attributes, where);
  },
  gradient: (context) => convolutionGradients(context, depthwiseConv2dInputGradient, depthwiseConv2dFilterGradient),
  fuses: ["activation", "pooling"],
  lower: ({ node, inputs: { x, kernel, bias }, outputs, attributes, adapter }) => {
    const tiling = tilingFor(adapter, x.shape, kernel.shape, attributes, node.name);
    if (tiling) return [dispatchTiles(tiling, { x, kernel, bias, y: outputs.y }, attributes)];
    const { y, libraries } = sizesOf(x.shape, kernel.shape, attributes, node.name);
    const outC = y[3]!;
    const store = storedOutput(attributes, y, bias);
    return [
      dispatchEach(forwardKernel, blocksOf(y, attributes.pool) * ceilDiv(outC, 4), {
        bind: { x, k: kernel, bias, ...outputs },
        constants: store.constants,
        libraries: [...libraries, finishSource, operand("x", x.shape[3]!), operand("k", outC), ...store.libraries],
      }),
    ];
  },
});

/** Blocks of four positions of y: along w, or a window of the pooling. */
function blocksOf(y: Shape, pool: Pair | undefined): number {
  const [batch, h, w] = pool ? pooledImageShape(y, pool) : y;
  return batch! * h! * (pool ? w! : ceilDiv(w!, 4));
}

/**
 * Slices of the filter gradient's sum over `blocks`, where `perSlice` invocations make one. A GPU wants tens of thousands of
 * invocations, a processor a few for each of its cores; the numbers are chosen by that, not measured. Slices are added up again, so
 * none has less than four blocks if there are more.
 */
function slicesOf(blocks: number, perSlice: number, adapter: AdapterClass): number {
  const wanted = Math.max(1, Math.floor((adapter === "gpu" ? 16384 : 1024) / perSlice));
  const slices = Math.min(wanted, ceilDiv(blocks, 4));
  // No slice without a block of its own.
  return ceilDiv(blocks, ceilDiv(blocks, slices));
}

function sizesOf(x: Shape, kernel: Shape, attributes: ConvolutionAttributes, where: string) {
  const { y, source } = convolutionSizes(x, kernel, attributes, "depthwise", where);
  const given = { MULTIPLIER: kernel[3]!, WINDOWS: attributes.pool !== undefined };
  return { y, libraries: [source, { ...blocksSource, given }] };
}
