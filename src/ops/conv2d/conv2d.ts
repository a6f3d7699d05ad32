import source from "../../../shaders/conv2d/conv2d.wgsl";
import filterGradientSource from "../../../shaders/conv2d/conv2d_filter_gradient.wgsl";
import inputGradientSource from "../../../shaders/conv2d/conv2d_input_gradient.wgsl";
import stateSource from "../../../shaders/lib/state.wgsl";
import { ceilDiv, elements, type Shape } from "../../base/shape.ts";
import { defineOp, type LowerContext, typed } from "../../graph/op.ts";
import type { Tensor, TensorId } from "../../graph/tensor.ts";
import { rowsTogether } from "../../graph/tile.ts";
import type { Dispatch, Kernel } from "../../wgsl/kernel.ts";
import { operand, output } from "../access.ts";
import {
  type EpilogueCall,
  incomingGradient,
  type ParametersContext,
  parameterBindings,
  parameterGradients,
  pooledImageShape,
  storedGradient,
  storedOutput,
} from "../product/epilogue.ts";
import { dispatchProduct } from "../product/product.ts";
import type { Pair } from "../window.ts";
import { dispatchSliceSum } from "./conv2d-filter-gradient-sum.ts";
import { winogradFilterGradients, winogradForward, winogradInputGradients } from "./conv2d-winograd.ts";
import {
  type ConvolutionAttributes,
  convolutionGradients,
  convolutionSizes,
  convolved,
  type FilterGradientAttributes,
  type InputGradientAttributes,
} from "./convolution.ts";

interface Grouped {
  /** Groups of channels, each convolved by kernels of its own. Default 1. Groups are not pooled in the same kernel. */
  readonly groups?: number | undefined;
}

type Conv2dAttributes = ConvolutionAttributes & Grouped;

const forwardKernel: Kernel<{ x: "read"; k: "read"; bias: "read?"; in: "read?"; y: "write"; routes: "write?" }> =
  source;

const inputGradientKernel: Kernel<{ dy: "read"; routes: "read?"; k: "read"; in: "read?"; bias: "read?"; dx: "write" }> =
  inputGradientSource;

const filterGradientKernel: Kernel<{ state: "read"; x: "read"; dy: "read"; routes: "read?"; partial: "write" }> =
  filterGradientSource;

/** Gradient dx of a convolution. dy may come through a pooling, by its routes; dx may be multiplied by act'(x). */
export const conv2dInputGradient = defineOp({
  name: "conv2dInputGradient",
  inputs: ["dy", "kernel", "routes?", "x?"],
  outputs: ["dx"],
  attributes: typed<InputGradientAttributes & Grouped>(),
  infer: (_, { inputShape }) => ({ dx: { shape: inputShape, dtype: "f32" } }),
  fuses: ["unpooling", "derivative"],
  algorithms: winogradInputGradients,
  lower: (context) => {
    const { inputs, outputs, attributes } = context;
    const { dy, kernel, routes, x } = inputs;
    const store = (channels: number) => storedGradient(attributes, [channels]);
    return [dispatchInputGradient(context, attributes, { dy, routes, k: kernel, in: x, ...outputs }, store)];
  },
});

/** Calls the kernel of the input gradient. `store` gives what becomes of dx, of which a group has so many channels. */
export function dispatchInputGradient(
  { node, tile }: Pick<LowerContext<never, never, object>, "node" | "tile">,
  attributes: InputGradientAttributes & Grouped,
  bind: {
    dy: Tensor;
    routes?: Tensor | undefined;
    k: Tensor;
    in?: Tensor | undefined;
    bias?: Tensor | undefined;
    dx: Tensor;
  },
  store: (channels: number) => EpilogueCall,
): Dispatch<TensorId> {
  const { inputShape, groups = 1 } = attributes;
  const { y, source, groupIn, groupOut } = sizesOf(inputShape, bind.k.shape, attributes, node.name);
  const [batch, inH, inW] = inputShape as [number, number, number];
  const repeats = inH * inW;
  const terms = elements(bind.k.shape) / groupIn / groups;
  const chosen = tile({ m: batch, n: groupIn, k: terms, repeats, ...batchOf(groups) });
  // Whole tiles of images at each pixel, see `IMAGE_BLOCKS` in the shader.
  const together = rowsTogether(chosen);
  const imageBlocks = ceilDiv(batch, 4 * together) * together;
  const blocks = { tile: chosen, rows4: repeats * imageBlocks, columns: groupIn, slices: groups };
  const load = incomingGradient(attributes, y);
  const { constants, libraries } = store(groupIn);
  return dispatchProduct(inputGradientKernel, blocks, {
    bind,
    constants: { ...load.constants, ...constants },
    libraries: [source, ...load.libraries, operand("dy", groupOut), operand("k", groupOut), ...libraries],
  });
}

/**
 * Gradients dkernel and dbias of a convolution over the rows in use, or a step of the parameters by them. dy may come through a
 * pooling, by its routes.
 */
export const conv2dFilterGradient = defineOp({
  name: "conv2dFilterGradient",
  inputs: ["x", "dy", "state", "routes?", "kernel?", "bias?", "rate?"],
  outputs: ["dkernel?", "dbias?"],
  attributes: typed<FilterGradientAttributes & Grouped>(),
  infer: (_, attributes) => parameterGradients(attributes, attributes.kernelShape),
  updates: ["kernel", "bias"],
  fuses: ["unpooling", "update"],
  algorithms: winogradFilterGradients,
  lower: (context) => filterGradientDispatches(context, context.inputs, parameterBindings(context)),
});

/** Calls the kernels of the filter gradient for images x and the gradient dy. */
export function filterGradientDispatches(
  context: ParametersContext &
    Pick<
      LowerContext<never, never, FilterGradientAttributes & Grouped>,
      "node" | "attributes" | "adapter" | "tile" | "scratch"
    >,
  { x, dy, state, routes }: { x: Tensor; dy: Tensor; state: Tensor; routes?: Tensor | undefined },
  parameters: { kernel: Tensor; bias?: Tensor | undefined; rate?: Tensor | undefined },
): Dispatch<TensorId>[] {
  const { node, attributes, tile, scratch } = context;
  const { hasBias, pool, kernelShape, groups = 1 } = attributes;
  const { y, inC, source, groupOut } = sizesOf(x.shape, kernelShape, attributes, node.name);
  const [batch, outH, outW, outC] = y as [number, number, number, number];
  const rows = elements(kernelShape) / outC + (hasBias ? 1 : 0);
  const chosen = tile({ m: rows, n: groupOut, k: batch * outH * outW, sliced: true, ...batchOf(groups) });
  const blocks = blocksOf(y, pool);
  const stepRows = rowsOfStep(blocks);
  const steps = (batch * blocks.rows) / stepRows;
  // Each slice has a step of its own.
  const slices = ceilDiv(steps, ceilDiv(steps, chosen.slices));
  const partial = scratch("partial", { shape: [slices, rows, outC], dtype: "f32" });
  const load = incomingGradient(attributes, y);
  return [
    dispatchProduct(
      filterGradientKernel,
      { tile: chosen, rows4: ceilDiv(rows, 4), columns: groupOut, slices: slices * groups },
      {
        bind: { state, x, dy, routes, partial },
        constants: { ...load.constants, HAS_BIAS: hasBias, SLICES: slices, STEP_ROWS: stepRows },
        libraries: [
          source,
          ...load.libraries,
          stateSource,
          operand("x", inC),
          operand("dy", groupOut),
          output("partial", groupOut),
        ],
      },
    ),
    dispatchSliceSum({ partial, count: slices, rows, columns: outC, hasBias }, parameters, context),
  ];
}

/**
 * Convolution: y = act(conv(x, kernel) + bias), NHWC and HWIO as in Keras; kernel [kH, kW, inC / groups, outC], bias [outC]. A kernel
 * of one row may be [kW, inC / groups, outC]. With `pool`, y is pooled, and `routes` is an output (see `shaders/conv2d/conv2d.wgsl`).
 */
export const conv2d = defineOp({
  name: "conv2d",
  inputs: ["x", "kernel", "bias?"],
  outputs: ["y", "routes?"],
  attributes: typed<Conv2dAttributes>(),
  infer: ({ x, kernel, bias }, attributes, where) => {
    const { y } = sizesOf(x.shape, kernel.shape, attributes, where);
    return convolved(y, bias, attributes, where);
  },
  gradient: (context) => convolutionGradients(context, conv2dInputGradient, conv2dFilterGradient),
  fuses: ["activation", "pooling"],
  algorithms: winogradForward,
  lower: (context) => {
    const { inputs, outputs, attributes } = context;
    const { x, kernel, bias } = inputs;
    return [dispatchConvolution(context, attributes, { x, k: kernel, bias, ...outputs })];
  },
});

/** Calls the kernel of the convolution, which multiplies y by the derivative at `in` if that is bound. */
export function dispatchConvolution(
  { node, tile }: Pick<LowerContext<never, never, object>, "node" | "tile">,
  attributes: Conv2dAttributes,
  bind: {
    x: Tensor;
    k: Tensor;
    bias?: Tensor | undefined;
    in?: Tensor | undefined;
    y: Tensor;
    routes?: Tensor | undefined;
  },
): Dispatch<TensorId> {
  const { y, inC, source, groupOut } = sizesOf(bind.x.shape, bind.k.shape, attributes, node.name);
  const { pool, groups = 1 } = attributes;
  const rows4 = pool ? elements(pooledImageShape(y, pool).slice(0, 3)) : ceilDiv(elements(y.slice(0, 3)), 4);
  const terms = elements(bind.k.shape) / y[3]!;
  const chosen = tile({ m: rows4 * 4, n: groupOut, k: terms, hoistable: groups === 1, ...batchOf(groups) });
  const blocks = { tile: chosen, rows4, columns: groupOut, slices: groups };
  const store = storedOutput(attributes, [...y.slice(0, 3), groupOut], bind.bias);
  const gradient = bind.in && storedGradient(attributes, [groupOut]);
  return dispatchProduct(forwardKernel, blocks, {
    bind,
    constants: { ...store.constants, ...gradient?.constants },
    libraries: [source, operand("x", inC), operand("k", groupOut), operand("in", groupOut), ...store.libraries],
  });
}

/** Part of the request of a tile: a product for each group. */
function batchOf(groups: number): { batch?: number } {
  return groups > 1 ? { batch: groups } : {};
}

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

function sizesOf(x: Shape, kernel: Shape, attributes: Conv2dAttributes, where: string) {
  return convolutionSizes(x, kernel, attributes, attributes.groups ?? 1, where);
}
