import source from "../../../shaders/conv2d/conv2d.wgsl";
import filterGradientSource from "../../../shaders/conv2d/conv2d_filter_gradient.wgsl";
import inputGradientSource from "../../../shaders/conv2d/conv2d_input_gradient.wgsl";
import sizesSource from "../../../shaders/conv2d/lib/patches.wgsl";
import stateSource from "../../../shaders/lib/state.wgsl";
import incomingSource from "../../../shaders/pooling/lib/incoming_gradient.wgsl";
import pooledWindowSource from "../../../shaders/pooling/lib/pooled_window.wgsl";
import { FeaturemapError } from "../../base/errors.ts";
import { ceilDiv, elements, type Shape, showShape } from "../../base/shape.ts";
import type { TensorId } from "../../graph/graph.ts";
import { defineOp, type LowerContext } from "../../graph/op.ts";
import { rowsTogether } from "../../graph/tile.ts";
import type { Dispatch, Kernel } from "../../wgsl/kernel.ts";
import { operand, output } from "../access.ts";
import {
  type Activation,
  absorbActivation,
  absorbActivationGradient,
  activationNumber,
  activationSources,
} from "../activation/activation.ts";
import { absorbPooling, poolConstants, pooledImageShape, unpoolConstants } from "../pooling/conv2d-pooling.ts";
import { dispatchProduct } from "../product/matmul.ts";
import {
  absorbSgd,
  type FilterGradient,
  filterGradientBindings,
  filterGradients,
  steppedInputs,
} from "../updates/sgd.ts";
import { assertImages, type Padding, type Pair, windowConstants, windowGeometry } from "../window.ts";
import { dispatchSliceSum } from "./conv2d-filter-gradient-sum.ts";
import { winogradAlgorithms } from "./conv2d-winograd.ts";

export interface Conv2dAttributes {
  readonly strides: Pair;
  readonly padding: Padding;
  readonly activation?: Activation;
  /** A pooling of this size, by windows that do not overlap, rides in the kernels. */
  readonly pool?: Pair;
  /** Whether that pooling takes means in place of maxima. */
  readonly average?: boolean;
  readonly [name: string]: unknown;
}

const forwardKernel: Kernel<{ x: "read"; k: "read"; bias: "read?"; y: "write"; routes: "write?" }> = source;

const inputGradientKernel: Kernel<{ dy: "read"; routes: "read?"; k: "read"; in: "read?"; dx: "write" }> =
  inputGradientSource;

const filterGradientKernel: Kernel<{ state: "read"; x: "read"; dy: "read"; routes: "read?"; partial: "write" }> =
  filterGradientSource;

/**
 * y = act(conv(x, k) + b), NHWC and HWIO, as Keras's. Inputs: x, k [kH, kW, inC, outC] and, unless it has none, b [outC].
 * With `pool` the outputs are the pooled y and the packed routes (see `shaders/conv2d/conv2d.wgsl`).
 */
const conv2d = defineOp<Conv2dAttributes>({
  name: "conv2d",
  infer: ([x, k, b], attributes, where) => {
    const { y, pooled } = sizesOf(x!.shape, k!.shape, attributes, where);
    if (b && (b.shape.length !== 1 || b.shape[0] !== k!.shape[3])) {
      throw new FeaturemapError("shape", `"${where}" wants a bias of [${k!.shape[3]}], got ${showShape(b.shape)}.`);
    }
    if (!pooled) return [{ shape: y, dtype: "f32" }];
    return [
      { shape: pooled, dtype: "f32" },
      { shape: [...pooled.slice(0, 3), ceilDiv(y[3]!, 4)], dtype: "u32" },
    ];
  },
  gradient: ({ graph, gradients: [dY], inputs: [x, k, b], attributes, wanted, tensor, add }) => {
    const { strides, padding } = attributes;
    const kernelShape = tensor(k!).shape;
    const inputShape = tensor(x!).shape;
    const dX = wanted[0] ? add("conv2dInputGradient", [dY!, k!], { strides, padding, inputShape })[0] : undefined;
    if (!wanted[1] && !wanted[2]) return [dX];
    const filter = { strides, padding, kernelShape, hasBias: b !== undefined };
    const [dK, dB] = add("conv2dFilterGradient", [x!, dY!, graph.state], filter);
    return [dX, dK, dB];
  },
  rewrites: [
    (edit, node) => node.op === "conv2d" && node.attributes.pool === undefined && absorbActivation(edit, node),
    (edit, node) => node.op === "conv2d" && absorbPooling(edit, node),
  ],
  algorithms: winogradAlgorithms,
  lower: ({ node, inputs: [x, k, b], outputs: [y, routes], attributes, tile }) => {
    const sizes = sizesOf(x!.shape, k!.shape, attributes, node.name);
    const rows4 = attributes.pool ? elements(sizes.pooled!.slice(0, 3)) : ceilDiv(elements(sizes.y.slice(0, 3)), 4);
    const outC = sizes.y[3]!;
    const chosen = tile({ m: rows4 * 4, n: outC, k: elements(k!.shape) / outC, hoistable: true });
    const blocks = { tile: chosen, rows4, columns: outC };
    return [
      dispatchProduct(forwardKernel, blocks, {
        bind: { x: x!, k: k!, bias: b, y: y!, routes },
        constants: {
          ...poolConstants(attributes, sizes.y),
          HAS_BIAS: b !== undefined,
          POOL: attributes.pool !== undefined,
          ACTIVATION: activationNumber(attributes.activation),
        },
        libraries: [
          sizes.source,
          operand("x", sizes.inC),
          operand("k", outC),
          operand("bias", outC),
          output("y", outC),
          ...activationSources,
          pooledWindowSource,
        ],
      }),
    ];
  },
});

interface InputGradientAttributes extends Conv2dAttributes {
  readonly inputShape: Shape;
  readonly gradientActivation?: Activation;
}

/**
 * dX of a convolution. Inputs: dY, k, with `pool` the routes (dY is then the pooled one's), and, with
 * `gradientActivation`, the activation's output that is x.
 */
const conv2dInputGradient = defineOp<InputGradientAttributes>({
  name: "conv2dInputGradient",
  infer: (_, { inputShape }) => [{ shape: inputShape, dtype: "f32" }],
  rewrites: [(edit, node) => node.op === "conv2dInputGradient" && absorbActivationGradient(edit, node)],
  algorithms: winogradAlgorithms,
  lower: ({ node, inputs: [dY, k, ...rest], outputs: [dX], attributes, tile }) => {
    const sizes = sizesOf(attributes.inputShape, k!.shape, attributes, node.name);
    const [batch, inH, inW, inC] = attributes.inputShape as [number, number, number, number];
    const outC = sizes.y[3]!;
    const chosen = tile({ m: batch, n: inC, k: elements(k!.shape) / inC, repeats: inH * inW });
    // Whole tiles of images at each pixel, see `IMAGE_BLOCKS` in the shader.
    const together = rowsTogether(chosen);
    const imageBlocks = ceilDiv(batch, 4 * together) * together;
    const blocks = { tile: chosen, rows4: inH * inW * imageBlocks, columns: inC };
    return [
      dispatchProduct(inputGradientKernel, blocks, {
        bind: {
          dy: dY!,
          routes: attributes.pool && rest[0],
          k: k!,
          in: attributes.gradientActivation && rest.at(-1),
          dx: dX!,
        },
        constants: {
          ...unpoolConstants(attributes, sizes.y),
          GRADIENT_ACTIVATION: activationNumber(attributes.gradientActivation),
        },
        libraries: [
          sizes.source,
          incomingSource,
          operand("dy", outC),
          operand("k", outC),
          operand("in", inC),
          output("dx", inC),
          ...activationSources,
        ],
      }),
    ];
  },
});

interface FilterGradientAttributes extends Conv2dAttributes, FilterGradient {
  readonly kernelShape: Shape;
}

/**
 * dK and dB of a convolution, over the rows in use. Inputs: x, dY, the step's state, with `pool` the routes (dY is then the
 * pooled one's), and, with `update`, the parameters to step in place of making gradients, and the rate.
 */
const conv2dFilterGradient = defineOp<FilterGradientAttributes>({
  name: "conv2dFilterGradient",
  infer: (_, attributes) => filterGradients(attributes, attributes.kernelShape),
  updates: (attributes) => steppedInputs(attributes, attributes.pool ? 4 : 3),
  rewrites: [(edit, node) => node.op === "conv2dFilterGradient" && absorbSgd(edit, node)],
  algorithms: winogradAlgorithms,
  lower: filterGradientDispatches,
});

function filterGradientDispatches(context: LowerContext<FilterGradientAttributes>): Dispatch<TensorId>[] {
  const { node, inputs, outputs, attributes, adapter, tile, scratch } = context;
  const { hasBias, pool, kernelShape } = attributes;
  const [x, dY, state, ...rest] = inputs;
  const routes = pool ? rest.shift() : undefined;
  const sizes = sizesOf(x!.shape, kernelShape, attributes, node.name);
  const [batch, outH, outW, outC] = sizes.y as [number, number, number, number];
  const rows = elements(kernelShape) / outC + (hasBias ? 1 : 0);
  const chosen = tile({ m: rows, n: outC, k: batch * outH * outW, sliced: true });
  const blocks = blocksOf(sizes.y, pool);
  const stepRows = rowsOfStep(blocks);
  const steps = (batch * blocks.rows) / stepRows;
  // No slice without a step of its own.
  const slices = ceilDiv(steps, ceilDiv(steps, chosen.slices));
  const partial = scratch("partial", { shape: [slices, rows, outC], dtype: "f32" });
  return [
    dispatchProduct(
      filterGradientKernel,
      { tile: chosen, rows4: ceilDiv(rows, 4), columns: outC, slices },
      {
        bind: { state: state!, x: x!, dy: dY!, routes, partial },
        constants: {
          ...unpoolConstants(attributes, sizes.y),
          HAS_BIAS: hasBias,
          SLICES: slices,
          STEP_ROWS: stepRows,
        },
        libraries: [
          sizes.source,
          incomingSource,
          stateSource,
          operand("x", sizes.inC),
          operand("dy", outC),
          output("partial", outC),
        ],
      },
    ),
    dispatchSliceSum(
      { partial, count: slices, rows, columns: outC, hasBias },
      filterGradientBindings(attributes, rest, outputs),
      attributes,
      adapter,
    ),
  ];
}

/** Rows of blocks of dY, and blocks of 4 positions in each: along w, or of a window. */
function blocksOf(y: Shape, pool: Pair | undefined): { rows: number; perRow: number } {
  const [, outH, outW] = pool ? pooledImageShape(y, pool) : y;
  return { rows: outH!, perRow: pool ? outW! : ceilDiv(outW!, 4) };
}

/** Rows in one step of the filter gradient: enough for a loop of 16 blocks, since a short loop costs more a turn. */
function rowsOfStep({ rows, perRow }: { rows: number; perRow: number }): number {
  const divisors = Array.from({ length: rows }, (_, i) => i + 1).filter((count) => rows % count === 0);
  return divisors.find((count) => count * perRow >= 16) ?? rows;
}

export const conv2dOps = [conv2d, conv2dInputGradient, conv2dFilterGradient];

function sizesOf(x: Shape, k: Shape, { strides, padding, pool }: Conv2dAttributes, where: string) {
  assertImages(x, where);
  if (k.length !== 4 || k[2] !== x[3]) {
    const got = `${showShape(k)} for x ${showShape(x)}`;
    throw new FeaturemapError("shape", `"${where}" wants a kernel of [kH, kW, ${x[3]}, filters], got ${got}.`);
  }
  const size: Pair = [k[0]!, k[1]!];
  const geometry = windowGeometry(x.slice(1), { size, strides, padding }, where);
  const y: Shape = [x[0]!, geometry.outH, geometry.outW, k[3]!];
  const pooled = pool ? pooledImageShape(y, pool) : undefined;
  const [K_H, K_W, IN_C, OUT_C] = k as [number, number, number, number];
  const given = { ...windowConstants(x, geometry, strides), IN_C, OUT_C, K_H, K_W, PADDED: geometry.padded };
  return { y, pooled, inC: IN_C, source: { ...sizesSource, given } };
}
