import linesSource from "../../../shaders/conv2d/lib/lines.wgsl";
import points6Source from "../../../shaders/conv2d/lib/points_6.wgsl";
import points8Source from "../../../shaders/conv2d/lib/points_8.wgsl";
import polynomialSource from "../../../shaders/conv2d/lib/polynomial.wgsl";
import tilesSource from "../../../shaders/conv2d/lib/tiles.wgsl";
import filterSource from "../../../shaders/conv2d/winograd_filter.wgsl";
import filterGradientSource from "../../../shaders/conv2d/winograd_filter_gradient.wgsl";
import inputSource from "../../../shaders/conv2d/winograd_input.wgsl";
import inputGradientSource from "../../../shaders/conv2d/winograd_input_gradient.wgsl";
import outputSource from "../../../shaders/conv2d/winograd_output.wgsl";
import outputGradientSource from "../../../shaders/conv2d/winograd_output_gradient.wgsl";
import patchSumSource from "../../../shaders/conv2d/winograd_patch_sum.wgsl";
import stateSource from "../../../shaders/lib/state.wgsl";
import pooledWindowSource from "../../../shaders/pooling/lib/pooled_window.wgsl";
import windowPoolingSource from "../../../shaders/pooling/window_pooling.wgsl";
import { ceilDiv, elements, type Shape } from "../../base/shape.ts";
import { defineOp, typed } from "../../graph/op.ts";
import type { TensorId } from "../../graph/tensor.ts";
import type { AdapterClass } from "../../graph/tile.ts";
import type { Bindings, Dispatch, Kernel, KernelCall } from "../../wgsl/kernel.ts";
import type { Source } from "../../wgsl/specialize.ts";
import { type Channels, channelsSource, dispatchEach, dispatchGroups, operand, output } from "../access.ts";
import { activationNumber, activationSources } from "../activation/activation.ts";
import {
  type Epilogue,
  incomingGradient,
  type ParameterGradients,
  parameterBindings,
  parameterGradients,
  poolConstants,
  pooledOutputs,
  storedGradient,
  storedOutput,
  storedParameters,
} from "../product/epilogue.ts";
import type { Pair } from "../window.ts";
import { dispatchSliceSum } from "./conv2d-filter-gradient-sum.ts";

/**
 * Sets of points: 6 for kernels of 3 x 3 in tiles of 4 x 4, 7 for the same in tiles of 5 x 5, 8 for kernels of 5 x 5 in tiles of 4 x 4,
 * and so on.
 */
export const WINOGRAD_POINTS = [6, 7, 8] as const;

/** Convolution of stride 1 with a square kernel, cut into Winograd's tiles. Plain data. */
export interface WinogradAttributes {
  readonly points: (typeof WINOGRAD_POINTS)[number];
  /** Taps of the kernel along each axis. */
  readonly taps: number;
  /** Shapes of x, and of y before any pooling. */
  readonly inputShape: Shape;
  readonly outputShape: Shape;
  /** Rows of padding above, columns to the left. */
  readonly pad: Pair;
}

const inputKernel: Kernel<{ state: "read"; x: "read"; v: "write" }> = inputSource;

const filterKernel: Kernel<{ k: "read"; u: "write" }> = filterSource;

const outputKernel: Kernel<{ m: "read"; bias: "read?"; y: "write"; routes: "write?" }> = outputSource;

const windowPoolingKernel: Kernel<{ y: "read"; p: "write"; routes: "write" }> = windowPoolingSource;

const outputGradientKernel: Kernel<{ state: "read"; dy: "read"; routes: "read?"; dm: "write" }> = outputGradientSource;

const inputGradientKernel: Kernel<{ dv: "read"; strips: "write" }> = inputGradientSource;

const patchSumKernel: Kernel<{ strips: "read"; in: "read?"; dx: "write" }> = patchSumSource;

const filterGradientKernel: Kernel<{ du: "read"; kernel: "write"; rate: "read?" }> = filterGradientSource;

/** Transform of the input: v is the patches of x at the points, [points², tiles, inC]. */
export const winogradInput = defineOp({
  name: "winogradInput",
  inputs: ["x", "state"],
  outputs: ["v"],
  attributes: typed<WinogradAttributes>(),
  infer: (_, attributes) => ({ v: pointsOf(attributes, tilesOf(attributes), attributes.inputShape[3]!) }),
  lower: ({ inputs, outputs, attributes, adapter }) => {
    const { inputShape, outputShape, pad } = attributes;
    const inC = inputShape[3]!;
    const channels = channelsOn(adapter);
    const count = tilesOf(attributes) * ceilDiv(inC, channels);
    const size = outputsOf(attributes);
    const reaches = ([1, 2] as const).map((axis) => ceilDiv(outputShape[axis]!, size) * size + attributes.taps - 1);
    const clipped = reaches.some((reach, i) => pad[i]! > 0 || reach > inputShape[i + 1]!);
    return [
      dispatchLines(
        inputKernel,
        attributes,
        channels,
        count,
        {
          bind: { ...inputs, ...outputs },
          constants: { CLIPPED: clipped },
          libraries: [stateSource, operand("x", inC, channels), output("v", inC, channels)],
        },
        adapter,
      ),
    ];
  },
});

/** Transform of the kernel: u is the kernel at the points, [points², inC, outC]. */
export const winogradFilter = defineOp({
  name: "winogradFilter",
  inputs: ["kernel"],
  outputs: ["u"],
  attributes: typed<WinogradAttributes>(),
  infer: (_, attributes) => ({ u: pointsOf(attributes, attributes.inputShape[3]!, attributes.outputShape[3]!) }),
  lower: ({ inputs, outputs, attributes, adapter }) => {
    const outC = attributes.outputShape[3]!;
    const channels = channelsOn(adapter);
    const count = attributes.inputShape[3]! * ceilDiv(outC, channels);
    return [
      dispatchTiles(filterKernel, attributes, channels, count, {
        bind: { k: inputs.kernel, ...outputs },
        libraries: [polynomial("taps"), operand("k", outC, channels), output("u", outC, channels)],
      }),
    ];
  },
});

/** Transform of the output: y = act(m back from the points + bias). With `pool`, y is pooled, and `routes` is an output. */
export const winogradOutput = defineOp({
  name: "winogradOutput",
  inputs: ["m", "bias?"],
  outputs: ["y", "routes?"],
  attributes: typed<WinogradAttributes & Pick<Epilogue, "activation" | "pool" | "average">>(),
  infer: (_, { outputShape, pool }) => pooledOutputs(outputShape, pool),
  lower: ({ inputs, outputs, attributes, adapter }) => {
    const { outputShape, pool } = attributes;
    const outC = outputShape[3]!;
    const count = tilesOf(attributes) * ceilDiv(outC, 4);
    const store = storedOutput(attributes, outputShape, inputs.bias);
    return [
      dispatchLines(
        outputKernel,
        attributes,
        4,
        count,
        {
          bind: { ...inputs, ...outputs },
          constants: { ...store.constants, ROWS: pool?.[0] ?? 1 },
          libraries: [polynomial("outputs"), operand("m", outC), ...store.libraries],
        },
        adapter,
      ),
    ];
  },
});

/** Pools x, with routes, where tiles do not hold whole windows. `activation` is the one that made x. */
export const windowPooling = defineOp({
  name: "windowPooling",
  inputs: ["x"],
  outputs: ["y", "routes?"],
  attributes: typed<Pick<Epilogue, "activation" | "average"> & { readonly pool: Pair }>(),
  infer: ({ x }, { pool }) => pooledOutputs(x.shape, pool),
  lower: ({ inputs: { x }, outputs: { y, routes }, attributes }) => {
    const [BATCH, OUT_H, OUT_W, OUT_C] = x.shape as [number, number, number, number];
    return [
      dispatchEach(windowPoolingKernel, elements(y.shape.slice(0, 3)) * ceilDiv(OUT_C, 4), {
        bind: { y: x, p: y, routes: routes! },
        constants: {
          BATCH,
          OUT_H,
          OUT_W,
          OUT_C,
          ...poolConstants(attributes, x.shape),
          ACTIVATION: activationNumber(attributes.activation),
        },
        libraries: [pooledWindowSource, ...activationSources, operand("y", OUT_C), output("p", OUT_C)],
      }),
    ];
  },
});

/** Gradient dm of y at the points, [points², tiles, outC]. dy may come through a pooling, by its routes. */
export const winogradOutputGradient = defineOp({
  name: "winogradOutputGradient",
  inputs: ["dy", "state", "routes?"],
  outputs: ["dm"],
  attributes: typed<WinogradAttributes & Pick<Epilogue, "pool" | "average">>(),
  infer: (_, attributes) => ({ dm: pointsOf(attributes, tilesOf(attributes), attributes.outputShape[3]!) }),
  lower: ({ inputs, outputs, attributes }) => {
    const { outputShape } = attributes;
    const outC = outputShape[3]!;
    const count = tilesOf(attributes) * ceilDiv(outC, 4);
    const load = incomingGradient(attributes, outputShape);
    return [
      dispatchTiles(outputGradientKernel, attributes, 4, count, {
        bind: { ...inputs, ...outputs },
        constants: load.constants,
        libraries: [polynomial("outputs"), stateSource, ...load.libraries, operand("dy", outC), output("dm", outC)],
      }),
    ];
  },
});

/** Gradient dx = (dv back from the points, overlapping patches added, first along rows) * act'(x). */
export const winogradInputGradient = defineOp({
  name: "winogradInputGradient",
  inputs: ["dv", "x?"],
  outputs: ["dx"],
  attributes: typed<WinogradAttributes & Pick<Epilogue, "gradientActivation">>(),
  infer: (_, { inputShape }) => ({ dx: { shape: inputShape, dtype: "f32" } }),
  lower: ({ inputs: { dv, x }, outputs: { dx }, attributes, adapter, scratch }) => {
    const { points, inputShape } = attributes;
    const inC = inputShape[3]!;
    const channels = channelsOn(adapter);
    const [rows, perRow] = tilesAlong(attributes);
    const size = outputsOf(attributes);
    const strips = scratch("strips", { shape: [rows, points, perRow * size + points - size, inC], dtype: "f32" });
    const pixels = elements(inputShape.slice(0, 3));
    const store = storedGradient(attributes, inputShape);
    return [
      dispatchTiles(inputGradientKernel, attributes, channels, rows * ceilDiv(inC, channels), {
        bind: { dv, strips },
        libraries: [operand("dv", inC, channels), output("strips", inC, channels)],
      }),
      dispatchTiles(patchSumKernel, attributes, 4, pixels * ceilDiv(inC, 4), {
        bind: { strips, in: x, dx },
        constants: store.constants,
        libraries: [operand("strips", inC), ...store.libraries],
      }),
    ];
  },
});

/** Gradients dkernel, which is du back from the points, and dbias, out of dm; or a step of the parameters by them. */
export const winogradFilterGradient = defineOp({
  name: "winogradFilterGradient",
  inputs: ["du", "dm", "kernel?", "bias?", "rate?"],
  outputs: ["dkernel?", "dbias?"],
  attributes: typed<WinogradAttributes & ParameterGradients>(),
  infer: (_, attributes) => {
    const { taps, inputShape, outputShape } = attributes;
    return parameterGradients(attributes, [taps, taps, inputShape[3]!, outputShape[3]!]);
  },
  updates: ["kernel", "bias"],
  lower: (context) => {
    const { inputs, attributes, adapter } = context;
    const { points, inputShape, outputShape } = attributes;
    const outC = outputShape[3]!;
    const channels = channelsOn(adapter);
    const { kernel, bias, rate } = parameterBindings(context);
    const store = storedParameters(context, outC, channels);
    const dispatches = [
      dispatchLines(
        filterGradientKernel,
        attributes,
        channels,
        inputShape[3]! * ceilDiv(outC, channels),
        {
          bind: { du: inputs.du, kernel, rate },
          constants: store.constants,
          libraries: [polynomial("taps"), operand("du", outC, channels), ...store.libraries],
        },
        adapter,
      ),
    ];
    if (!bias) return dispatches;
    // At the points (1, 1), dm of a tile is the sum of the tile's dy.
    const count = tilesOf(attributes);
    const slices = { partial: inputs.dm, first: (points + 1) * count, count, rows: 1, columns: outC, hasBias: false };
    return [...dispatches, dispatchSliceSum(slices, { kernel: bias, rate }, context)];
  },
});

/** Counts the outputs of one tile along each axis. */
export function outputsOf({ points, taps }: Pick<WinogradAttributes, "points" | "taps">): number {
  return points + 1 - taps;
}

export function tilesOf(attributes: WinogradAttributes): number {
  const [rows, perRow] = tilesAlong(attributes);
  return rows * perRow;
}

/** Counts the rows of tiles of all images, and the tiles in each. */
function tilesAlong(attributes: WinogradAttributes): [rows: number, perRow: number] {
  const [batch, outH, outW] = attributes.outputShape as [number, number, number, number];
  const size = outputsOf(attributes);
  return [batch * ceilDiv(outH, size), ceilDiv(outW, size)];
}

/**
 * Chooses the channels of an invocation of a transform. Of four, 8 x 8 points do not fit in a GPU's registers, and a layer has too few
 * invocations to fill it.
 */
function channelsOn(adapter: AdapterClass): Channels {
  return adapter === "gpu" ? 1 : 4;
}

/** Describes a matrix for each point. */
function pointsOf({ points }: WinogradAttributes, rows: number, columns: number) {
  return { shape: [points * points, rows, columns], dtype: "f32" } as const;
}

/** Calls a kernel that reads or writes tiles, with one invocation an element. */
function dispatchTiles<B extends Bindings>(
  kernel: Kernel<B>,
  attributes: WinogradAttributes,
  channels: Channels,
  count: number,
  call: Omit<KernelCall<B, TensorId>, "workgroups">,
): Dispatch<TensorId> {
  return dispatchEach(kernel, count, withTiles(attributes, channels, call));
}

/** Calls such a kernel with one invocation an element or, on a GPU, with one for each line of an element. */
function dispatchLines<B extends Bindings>(
  kernel: Kernel<B>,
  attributes: WinogradAttributes,
  channels: Channels,
  count: number,
  call: Omit<KernelCall<B, TensorId>, "workgroups">,
  adapter: AdapterClass,
): Dispatch<TensorId> {
  const [ITEMS, LINES] = adapter === "gpu" ? [8, attributes.points] : [64, 1];
  const { constants, libraries, bind } = withTiles(attributes, channels, call);
  return dispatchGroups(kernel, ceilDiv(count, ITEMS), {
    bind,
    constants: { ...constants, ITEMS, LINES },
    libraries: [linesSource, ...libraries],
  });
}

/** Adds to a call how the convolution is cut into tiles. */
function withTiles<B extends Bindings>(
  { points, taps, inputShape, outputShape, pad }: WinogradAttributes,
  channels: Channels,
  { bind, constants = {}, libraries = [] }: Omit<KernelCall<B, TensorId>, "workgroups">,
) {
  const [BATCH, IN_H, IN_W, IN_C] = inputShape as [number, number, number, number];
  const [, OUT_H, OUT_W, OUT_C] = outputShape as [number, number, number, number];
  const sizes = { BATCH, IN_H, IN_W, IN_C, OUT_H, OUT_W, OUT_C };
  const given = { ...sizes, POINTS: points, TAPS: taps, PAD_H: pad[0], PAD_W: pad[1] };
  const pointsSource = points === 6 ? points6Source : points8Source;
  return {
    bind,
    constants,
    libraries: [channelsSource(channels), pointsSource, { ...tilesSource, given }, ...libraries],
  };
}

/** Gives the library of polynomials with a coefficient for each tap, or for each output of a tile. */
function polynomial(terms: "taps" | "outputs"): Source {
  return { ...polynomialSource, rename: { terms, LENGTH: terms.toUpperCase() } };
}
