import polynomialCode from "../../shaders/lib/polynomial.wgsl?raw";
import stateCode from "../../shaders/lib/state.wgsl?raw";
import tilesCode from "../../shaders/lib/winograd.wgsl?raw";
import points6Code from "../../shaders/lib/winograd_6.wgsl?raw";
import points8Code from "../../shaders/lib/winograd_8.wgsl?raw";
import windowPoolingCode from "../../shaders/window_pooling.wgsl?raw";
import filterCode from "../../shaders/winograd_filter.wgsl?raw";
import filterGradientCode from "../../shaders/winograd_filter_gradient.wgsl?raw";
import inputCode from "../../shaders/winograd_input.wgsl?raw";
import inputGradientCode from "../../shaders/winograd_input_gradient.wgsl?raw";
import outputCode from "../../shaders/winograd_output.wgsl?raw";
import outputGradientCode from "../../shaders/winograd_output_gradient.wgsl?raw";
import patchSumCode from "../../shaders/winograd_patch_sum.wgsl?raw";
import { defineKernel, dispatch } from "../gpu/kernel.ts";
import type { Source } from "../gpu/specialize.ts";
import { defineOp } from "../graph/op.ts";
import { ceilDiv, elements, type Shape } from "../shape.ts";
import { operand, output, perElement } from "./access.ts";
import { type Activation, activationNumber, activationSource } from "./activation.ts";
import {
  incomingSource,
  poolConstants,
  pooledImageShape,
  pooledWindowSource,
  unpoolConstants,
} from "./conv2d-pooling.ts";
import { sgdSource } from "./sgd.ts";
import type { Pair } from "./window.ts";

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

const inputKernel = defineKernel<{ state: "read"; x: "read"; v: "write" }>(inputCode);

const filterKernel = defineKernel<{ k: "read"; u: "write" }>(filterCode);

const outputKernel = defineKernel<{ m: "read"; bias: "read?"; y: "write"; routes: "write?" }>(outputCode);

const windowPoolingKernel = defineKernel<{ y: "read"; p: "write"; routes: "write" }>(windowPoolingCode);

const outputGradientKernel = defineKernel<{ state: "read"; dy: "read"; routes: "read?"; dm: "write" }>(
  outputGradientCode,
);

const inputGradientKernel = defineKernel<{ dv: "read"; patches: "write" }>(inputGradientCode);

const patchSumKernel = defineKernel<{ patches: "read"; in: "read?"; dx: "write" }>(patchSumCode);

const filterGradientKernel = defineKernel<{ du: "read"; dm: "read?"; kernel: "write"; bias: "write?"; rate: "read?" }>(
  filterGradientCode,
);

/** V: the patches of x at the points, [points², tiles, inC]. Inputs: x, the step's state. */
const winogradInput = defineOp<WinogradAttributes>({
  name: "winogradInput",
  infer: (_, attributes) => [pointsOf(attributes, tilesOf(attributes), attributes.inputShape[3]!)],
  lower: ({ inputs: [x, state], outputs: [v], attributes }) => {
    const { inputShape, outputShape, pad } = attributes;
    const inC = inputShape[3]!;
    const each = perElement(tilesOf(attributes) * ceilDiv(inC, 4));
    const size = outputsOf(attributes);
    const reaches = ([1, 2] as const).map((axis) => ceilDiv(outputShape[axis]!, size) * size + attributes.taps - 1);
    const clipped = reaches.some((reach, i) => pad[i]! > 0 || reach > inputShape[i + 1]!);
    return [
      dispatch(inputKernel, {
        bind: { state: state!.id, x: x!.id, v: v!.id },
        constants: { ...each.constants, ...tileConstants(attributes), CLIPPED: clipped },
        libraries: [each.library, ...tileSources(attributes), { code: stateCode }, operand("x", inC), output("v", inC)],
        workgroups: each.workgroups,
      }),
    ];
  },
});

/** U: the kernel at the points, [points², inC, outC]. Input: k. */
const winogradFilter = defineOp<WinogradAttributes>({
  name: "winogradFilter",
  infer: (_, attributes) => [pointsOf(attributes, attributes.inputShape[3]!, attributes.outputShape[3]!)],
  lower: ({ inputs: [k], outputs: [u], attributes }) => {
    const outC = attributes.outputShape[3]!;
    const each = perElement(attributes.inputShape[3]! * ceilDiv(outC, 4));
    return [
      dispatch(filterKernel, {
        bind: { k: k!.id, u: u!.id },
        constants: { ...each.constants, ...tileConstants(attributes) },
        libraries: [
          ...[each.library, ...tileSources(attributes), polynomial("taps"), operand("k", outC)],
          output("u", outC),
        ],
        workgroups: each.workgroups,
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
  lower: ({ inputs: [m, bias], outputs: [y, routes], attributes }) => {
    const { outputShape, pool, activation } = attributes;
    const outC = outputShape[3]!;
    const each = perElement(tilesOf(attributes) * ceilDiv(outC, 4));
    return [
      dispatch(outputKernel, {
        bind: { m: m!.id, bias: bias?.id, y: y!.id, routes: routes?.id },
        constants: {
          ...each.constants,
          ...tileConstants(attributes),
          ...poolConstants(attributes, outputShape),
          POOL: pool !== undefined,
          HAS_BIAS: bias !== undefined,
          ACTIVATION: activationNumber(activation),
        },
        libraries: [
          ...[each.library, ...tileSources(attributes), polynomial("outputs"), activationSource],
          ...[operand("m", outC), operand("bias", outC), output("y", outC)],
          ...(pool ? [pooledWindowSource] : []),
        ],
        workgroups: each.workgroups,
      }),
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
    const each = perElement(elements(p!.shape.slice(0, 3)) * ceilDiv(outC, 4));
    return [
      dispatch(windowPoolingKernel, {
        bind: { y: y!.id, p: p!.id, routes: routes!.id },
        constants: {
          ...each.constants,
          ...{ BATCH: batch, OUT_H: outH, OUT_W: outW, OUT_C: outC },
          ...poolConstants(attributes, y!.shape),
          ACTIVATION: activationNumber(attributes.activation),
        },
        libraries: [each.library, pooledWindowSource, activationSource, operand("y", outC), output("p", outC)],
        workgroups: each.workgroups,
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
    const each = perElement(tilesOf(attributes) * ceilDiv(outC, 4));
    return [
      dispatch(outputGradientKernel, {
        bind: { state: state!.id, dy: dY!.id, routes: routes?.id, dm: dM!.id },
        constants: {
          ...each.constants,
          ...tileConstants(attributes),
          ...unpoolConstants(attributes, outputShape),
        },
        libraries: [
          ...[each.library, ...tileSources(attributes), polynomial("outputs"), { code: stateCode }],
          ...[incomingSource, operand("dy", outC), output("dm", outC)],
        ],
        workgroups: each.workgroups,
      }),
    ];
  },
});

interface InputGradientAttributes extends WinogradAttributes {
  readonly gradientActivation?: Activation;
}

/** dX = (dV back from the points, overlapping patches added) * act'(x). Inputs: dV, and the output that is x. */
const winogradInputGradient = defineOp<InputGradientAttributes>({
  name: "winogradInputGradient",
  infer: (_, { inputShape }) => [{ shape: inputShape, dtype: "f32" }],
  lower: ({ inputs: [dV, y], outputs: [dX], attributes, scratch }) => {
    const { points, inputShape, gradientActivation } = attributes;
    const inC = inputShape[3]!;
    const tiles = tilesOf(attributes);
    const patches = scratch("patches", { shape: [tiles, points, points, inC], dtype: "f32" });
    const eachTile = perElement(tiles * ceilDiv(inC, 4));
    const eachPixel = perElement(elements(inputShape.slice(0, 3)) * ceilDiv(inC, 4));
    const shared = tileSources(attributes);
    return [
      dispatch(inputGradientKernel, {
        bind: { dv: dV!.id, patches },
        constants: { ...eachTile.constants, ...tileConstants(attributes) },
        libraries: [eachTile.library, ...shared, operand("dv", inC), output("patches", inC)],
        workgroups: eachTile.workgroups,
      }),
      dispatch(patchSumKernel, {
        bind: { patches, in: y?.id, dx: dX!.id },
        constants: {
          ...eachPixel.constants,
          ...tileConstants(attributes),
          GRADIENT_ACTIVATION: activationNumber(gradientActivation),
        },
        libraries: [
          ...[eachPixel.library, ...shared, activationSource, operand("patches", inC), operand("in", inC)],
          output("dx", inC),
        ],
        workgroups: eachPixel.workgroups,
      }),
    ];
  },
});

interface FilterGradientAttributes extends WinogradAttributes {
  readonly hasBias: boolean;
  readonly update?: "sgd";
}

/**
 * dK = dU back from the points, and dB out of dM. Inputs: dU, dM and, with `update`, the parameters to step in place of
 * making gradients, and the rate.
 */
const winogradFilterGradient = defineOp<FilterGradientAttributes>({
  name: "winogradFilterGradient",
  infer: (_, { taps, inputShape, outputShape, hasBias, update }) => {
    if (update) return [];
    const outC = outputShape[3]!;
    const kernel = { shape: [taps, taps, inputShape[3]!, outC], dtype: "f32" } as const;
    return hasBias ? [kernel, { shape: [outC], dtype: "f32" }] : [kernel];
  },
  updates: ({ hasBias, update }) => (update ? (hasBias ? [2, 3] : [2]) : []),
  lower: ({ inputs: [dU, dM, ...parameters], outputs, attributes }) => {
    const { inputShape, outputShape, hasBias, update } = attributes;
    const outC = outputShape[3]!;
    const each = perElement((inputShape[3]! + (hasBias ? 1 : 0)) * ceilDiv(outC, 4));
    const [kernel, bias] = update ? parameters : outputs;
    return [
      dispatch(filterGradientKernel, {
        bind: {
          du: dU!.id,
          dm: hasBias ? dM!.id : undefined,
          kernel: kernel!.id,
          bias: hasBias ? bias!.id : undefined,
          rate: update ? parameters.at(-1)!.id : undefined,
        },
        constants: {
          ...each.constants,
          ...tileConstants(attributes),
          HAS_BIAS: hasBias,
          UPDATE: update !== undefined,
        },
        libraries: [
          ...[each.library, ...tileSources(attributes), polynomial("taps"), operand("du", outC), operand("dm", outC)],
          ...[output("kernel", outC), output("bias", outC), ...(update ? [sgdSource] : [])],
        ],
        workgroups: each.workgroups,
      }),
    ];
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
  const [batch, outH, outW] = attributes.outputShape as [number, number, number, number];
  const size = outputsOf(attributes);
  return batch * ceilDiv(outH, size) * ceilDiv(outW, size);
}

/** A matrix for each point. */
function pointsOf({ points }: WinogradAttributes, rows: number, columns: number) {
  return { shape: [points * points, rows, columns], dtype: "f32" } as const;
}

function tileConstants({ points, taps, inputShape, outputShape, pad }: WinogradAttributes): Record<string, number> {
  const [batch, inH, inW, inC] = inputShape as [number, number, number, number];
  const [, outH, outW, outC] = outputShape as [number, number, number, number];
  return {
    ...{ BATCH: batch, IN_H: inH, IN_W: inW, IN_C: inC, OUT_H: outH, OUT_W: outW, OUT_C: outC },
    ...{ POINTS: points, TAPS: taps, PAD_H: pad[0], PAD_W: pad[1] },
  };
}

function tileSources({ points }: WinogradAttributes): Source[] {
  return [{ code: points === 6 ? points6Code : points8Code }, { code: tilesCode }];
}

/** Polynomials with a coefficient for each tap, or each output of a tile. */
function polynomial(terms: "taps" | "outputs"): Source {
  return { code: polynomialCode, rename: { terms, LENGTH: terms.toUpperCase() } };
}
