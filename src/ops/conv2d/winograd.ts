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
import incomingSource from "../../../shaders/pooling/lib/incoming_gradient.wgsl";
import pooledWindowSource from "../../../shaders/pooling/lib/pooled_window.wgsl";
import windowPoolingSource from "../../../shaders/pooling/window_pooling.wgsl";
import { ceilDiv, elements, type Shape } from "../../base/shape.ts";
import type { TensorId } from "../../graph/graph.ts";
import { defineOp } from "../../graph/op.ts";
import type { AdapterClass } from "../../graph/tile.ts";
import type { Bindings, Dispatch, Kernel, KernelCall } from "../../wgsl/kernel.ts";
import type { Source } from "../../wgsl/specialize.ts";
import { type Channels, channelsSource, dispatchEach, dispatchGroups, operand, output } from "../access.ts";
import { type Activation, activationNumber, activationSources } from "../activation/activation.ts";
import { poolConstants, pooledImageShape, unpoolConstants } from "../pooling/conv2d-pooling.ts";
import {
  type FilterGradient,
  filterGradientBindings,
  filterGradientSources,
  filterGradients,
  steppedInputs,
} from "../updates/sgd.ts";
import type { Pair } from "../window.ts";
import { dispatchSliceSum } from "./conv2d-filter-gradient-sum.ts";

/**
 * The sets of points that there are: 6 for 3 x 3 kernels in tiles of 4 x 4, 7 in tiles of 5 x 5, 8 for 5 x 5 ones in tiles of
 * 4 x 4, and so on.
 */
export const WINOGRAD_POINTS = [6, 7, 8] as const;

/** A convolution of stride 1 with a square kernel, cut into Winograd's tiles. Plain data. */
export interface WinogradAttributes {
  readonly points: (typeof WINOGRAD_POINTS)[number];
  /** Of the kernel, along each axis. */
  readonly taps: number;
  /** x, and y before any pooling. */
  readonly inputShape: Shape;
  readonly outputShape: Shape;
  /** Rows of padding above, columns to the left. */
  readonly pad: Pair;
  readonly [name: string]: unknown;
}

const inputKernel: Kernel<{ state: "read"; x: "read"; v: "write" }> = inputSource;

const filterKernel: Kernel<{ k: "read"; u: "write" }> = filterSource;

const outputKernel: Kernel<{ m: "read"; bias: "read?"; y: "write"; routes: "write?" }> = outputSource;

const windowPoolingKernel: Kernel<{ y: "read"; p: "write"; routes: "write" }> = windowPoolingSource;

const outputGradientKernel: Kernel<{ state: "read"; dy: "read"; routes: "read?"; dm: "write" }> = outputGradientSource;

const inputGradientKernel: Kernel<{ dv: "read"; strips: "write" }> = inputGradientSource;

const patchSumKernel: Kernel<{ strips: "read"; in: "read?"; dx: "write" }> = patchSumSource;

const filterGradientKernel: Kernel<{ du: "read"; kernel: "write"; rate: "read?" }> = filterGradientSource;

/** V: the patches of x at the points, [points², tiles, inC]. Inputs: x, the step's state. */
const winogradInput = defineOp<WinogradAttributes>({
  name: "winogradInput",
  infer: (_, attributes) => [pointsOf(attributes, tilesOf(attributes), attributes.inputShape[3]!)],
  lower: ({ inputs: [x, state], outputs: [v], attributes, adapter }) => {
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
          bind: { state: state!, x: x!, v: v! },
          constants: { CLIPPED: clipped },
          libraries: [stateSource, operand("x", inC, channels), output("v", inC, channels)],
        },
        adapter,
      ),
    ];
  },
});

/** U: the kernel at the points, [points², inC, outC]. Input: k. */
const winogradFilter = defineOp<WinogradAttributes>({
  name: "winogradFilter",
  infer: (_, attributes) => [pointsOf(attributes, attributes.inputShape[3]!, attributes.outputShape[3]!)],
  lower: ({ inputs: [k], outputs: [u], attributes, adapter }) => {
    const outC = attributes.outputShape[3]!;
    const channels = channelsOn(adapter);
    const count = attributes.inputShape[3]! * ceilDiv(outC, channels);
    return [
      dispatchTiles(filterKernel, attributes, channels, count, {
        bind: { k: k!, u: u! },
        libraries: [polynomial("taps"), operand("k", outC, channels), output("u", outC, channels)],
      }),
    ];
  },
});

interface OutputAttributes extends WinogradAttributes {
  readonly activation?: Activation;
  readonly pool?: Pair;
  readonly average?: boolean;
}

/** y = act(M back from the points + b); with `pool`, pooled, and the packed routes. Inputs: M and, unless it has none, b. */
const winogradOutput = defineOp<OutputAttributes>({
  name: "winogradOutput",
  infer: (_, { outputShape, pool }) =>
    pool ? pooledAndRoutes(outputShape, pool) : [{ shape: outputShape, dtype: "f32" }],
  lower: ({ inputs: [m, bias], outputs: [y, routes], attributes, adapter }) => {
    const { outputShape, pool, activation } = attributes;
    const outC = outputShape[3]!;
    const count = tilesOf(attributes) * ceilDiv(outC, 4);
    return [
      dispatchLines(
        outputKernel,
        attributes,
        4,
        count,
        {
          bind: { m: m!, bias, y: y!, routes },
          constants: {
            ...poolConstants(attributes, outputShape),
            POOL: pool !== undefined,
            ROWS: pool?.[0] ?? 1,
            HAS_BIAS: bias !== undefined,
            ACTIVATION: activationNumber(activation),
          },
          libraries: [
            polynomial("outputs"),
            ...activationSources,
            operand("m", outC),
            operand("bias", outC),
            output("y", outC),
            pooledWindowSource,
          ],
        },
        adapter,
      ),
    ];
  },
});

type WindowPoolingAttributes = Pick<OutputAttributes, "average" | "activation"> & { readonly pool: Pair };

/** The pooled y and its packed routes, where tiles do not hold whole windows. Input: y, which `activation` made. */
const windowPooling = defineOp<WindowPoolingAttributes>({
  name: "windowPooling",
  infer: ([y], { pool }) => pooledAndRoutes(y!.shape, pool),
  lower: ({ inputs: [y], outputs: [p, routes], attributes }) => {
    const [batch, outH, outW, outC] = y!.shape as [number, number, number, number];
    return [
      dispatchEach(windowPoolingKernel, elements(p!.shape.slice(0, 3)) * ceilDiv(outC, 4), {
        bind: { y: y!, p: p!, routes: routes! },
        constants: {
          ...{ BATCH: batch, OUT_H: outH, OUT_W: outW, OUT_C: outC },
          ...poolConstants(attributes, y!.shape),
          ACTIVATION: activationNumber(attributes.activation),
        },
        libraries: [pooledWindowSource, ...activationSources, operand("y", outC), output("p", outC)],
      }),
    ];
  },
});

function pooledAndRoutes(y: Shape, pool: Pair) {
  const pooled = pooledImageShape(y, pool);
  return [
    { shape: pooled, dtype: "f32" },
    { shape: [...pooled.slice(0, 3), ceilDiv(pooled[3]!, 4)], dtype: "u32" },
  ] as const;
}

/**
 * dM: the gradient of y at the points, [points², tiles, outC]. Inputs: dY, the step's state and, with `pool`, the routes (dY is
 * then the pooled one's).
 */
const winogradOutputGradient = defineOp<OutputAttributes>({
  name: "winogradOutputGradient",
  infer: (_, attributes) => [pointsOf(attributes, tilesOf(attributes), attributes.outputShape[3]!)],
  lower: ({ inputs: [dY, state, routes], outputs: [dM], attributes }) => {
    const { outputShape } = attributes;
    const outC = outputShape[3]!;
    const count = tilesOf(attributes) * ceilDiv(outC, 4);
    return [
      dispatchTiles(outputGradientKernel, attributes, 4, count, {
        bind: { state: state!, dy: dY!, routes, dm: dM! },
        constants: unpoolConstants(attributes, outputShape),
        libraries: [polynomial("outputs"), stateSource, incomingSource, operand("dy", outC), output("dm", outC)],
      }),
    ];
  },
});

interface InputGradientAttributes extends WinogradAttributes {
  readonly gradientActivation?: Activation;
}

/** dX = (dV back from the points, overlapping patches added, first along rows) * act'(x). Inputs: dV, and the output that is x. */
const winogradInputGradient = defineOp<InputGradientAttributes>({
  name: "winogradInputGradient",
  infer: (_, { inputShape }) => [{ shape: inputShape, dtype: "f32" }],
  lower: ({ inputs: [dV, y], outputs: [dX], attributes, adapter, scratch }) => {
    const { points, inputShape, gradientActivation } = attributes;
    const inC = inputShape[3]!;
    const channels = channelsOn(adapter);
    const [rows, perRow, size] = [...tilesAlong(attributes), outputsOf(attributes)];
    const strips = scratch("strips", { shape: [rows, points, perRow * size + points - size, inC], dtype: "f32" });
    const pixels = elements(inputShape.slice(0, 3));
    return [
      dispatchTiles(inputGradientKernel, attributes, channels, rows * ceilDiv(inC, channels), {
        bind: { dv: dV!, strips },
        libraries: [operand("dv", inC, channels), output("strips", inC, channels)],
      }),
      dispatchTiles(patchSumKernel, attributes, 4, pixels * ceilDiv(inC, 4), {
        bind: { strips, in: y, dx: dX! },
        constants: { GRADIENT_ACTIVATION: activationNumber(gradientActivation) },
        libraries: [...activationSources, operand("strips", inC), operand("in", inC), output("dx", inC)],
      }),
    ];
  },
});

/**
 * dK = dU back from the points, and dB out of dM. Inputs: dU, dM and, with `update`, the parameters to step in place of
 * making gradients, and the rate.
 */
const winogradFilterGradient = defineOp<WinogradAttributes & FilterGradient>({
  name: "winogradFilterGradient",
  infer: (_, attributes) => {
    const { taps, inputShape, outputShape } = attributes;
    return filterGradients(attributes, [taps, taps, inputShape[3]!, outputShape[3]!]);
  },
  updates: (attributes) => steppedInputs(attributes, 2),
  lower: ({ inputs: [dU, dM, ...parameters], outputs, attributes, adapter }) => {
    const { points, inputShape, outputShape } = attributes;
    const outC = outputShape[3]!;
    const channels = channelsOn(adapter);
    const { kernel, bias, rate } = filterGradientBindings(attributes, parameters, outputs);
    const dispatches = [
      dispatchLines(
        filterGradientKernel,
        attributes,
        channels,
        inputShape[3]! * ceilDiv(outC, channels),
        {
          bind: { du: dU!, kernel, rate },
          libraries: [
            polynomial("taps"),
            operand("du", outC, channels),
            ...filterGradientSources(attributes, outC, channels),
          ],
        },
        adapter,
      ),
    ];
    if (!bias) return dispatches;
    // At the points 1 and 1 a tile of dM is the sum of its dY.
    const count = tilesOf(attributes);
    const slices = { partial: dM!, first: (points + 1) * count, count, rows: 1, columns: outC, hasBias: false };
    return [...dispatches, dispatchSliceSum(slices, { kernel: bias, rate }, attributes, adapter)];
  },
});

export const winogradOps = [
  winogradInput,
  winogradFilter,
  winogradOutput,
  windowPooling,
  winogradOutputGradient,
  winogradInputGradient,
  winogradFilterGradient,
];

/** Outputs of one tile along each axis. */
export function outputsOf({ points, taps }: Pick<WinogradAttributes, "points" | "taps">): number {
  return points + 1 - taps;
}

export function tilesOf(attributes: WinogradAttributes): number {
  const [rows, perRow] = tilesAlong(attributes);
  return rows * perRow;
}

/** Rows of tiles of all images, and tiles in each. */
function tilesAlong(attributes: WinogradAttributes): [rows: number, perRow: number] {
  const [batch, outH, outW] = attributes.outputShape as [number, number, number, number];
  const size = outputsOf(attributes);
  return [batch * ceilDiv(outH, size), ceilDiv(outW, size)];
}

/**
 * Channels of an invocation of a transform. With four, 8 x 8 points of each do not fit in a GPU's registers, and a layer has too
 * few invocations for all of it.
 */
function channelsOn(adapter: AdapterClass): Channels {
  return adapter === "gpu" ? 1 : 4;
}

/** A matrix for each point. */
function pointsOf({ points }: WinogradAttributes, rows: number, columns: number) {
  return { shape: [points * points, rows, columns], dtype: "f32" } as const;
}

/** A call of a kernel that reads or writes tiles, one invocation an element. */
function dispatchTiles<B extends Bindings>(
  kernel: Kernel<B>,
  attributes: WinogradAttributes,
  channels: Channels,
  count: number,
  call: Omit<KernelCall<B, TensorId>, "workgroups">,
): Dispatch<TensorId> {
  return dispatchEach(kernel, count, withTiles(attributes, channels, call));
}

/** The same with one invocation, or one a line of it on a GPU, for each element. */
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

/** A call that knows how the convolution is cut into tiles. */
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

/** Polynomials with a coefficient for each tap, or each output of a tile. */
function polynomial(terms: "taps" | "outputs"): Source {
  return { ...polynomialSource, rename: { terms, LENGTH: terms.toUpperCase() } };
}
