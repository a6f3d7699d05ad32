import source from "../../../shaders/depthwise-conv2d/depthwise_conv2d_tile.wgsl";
import filterGradientSource from "../../../shaders/depthwise-conv2d/depthwise_conv2d_tile_filter_gradient.wgsl";
import inputGradientSource from "../../../shaders/depthwise-conv2d/depthwise_conv2d_tile_input_gradient.wgsl";
import finishSource from "../../../shaders/depthwise-conv2d/lib/finish.wgsl";
import tilesSource from "../../../shaders/depthwise-conv2d/lib/tiles.wgsl";
import stateSource from "../../../shaders/lib/state.wgsl";
import { ceilDiv, type Shape } from "../../base/shape.ts";
import type { Tensor, TensorId } from "../../graph/tensor.ts";
import type { AdapterClass } from "../../graph/tile.ts";
import type { Dispatch, Kernel } from "../../wgsl/kernel.ts";
import { dispatchEach, operand, output } from "../access.ts";
import { type ConvolutionAttributes, convolutionSizes } from "../conv2d/convolution.ts";
import { storedGradient, storedOutput } from "../product/epilogue.ts";
import type { Pair } from "../window.ts";

const forwardKernel: Kernel<{ x: "read"; k: "read"; bias: "read?"; y: "write" }> = source;

const inputGradientKernel: Kernel<{ dy: "read"; k: "read"; in: "read?"; dx: "write" }> = inputGradientSource;

const filterGradientKernel: Kernel<{ state: "read"; x: "read"; dy: "read"; partial: "write" }> = filterGradientSource;

/** Most multiply-adds of a tile that are written out. Longer texts take compilers long. */
const MAX_PRODUCTS = 160;

const TILES: readonly Pair[] = [
  [4, 4],
  [2, 4],
  [1, 4],
];

/** What the kernels by tiles are called with. */
export interface Tiling {
  readonly tile: Pair;
  readonly y: Shape;
  readonly libraries: readonly (typeof tilesSource)[];
}

/**
 * Gives the tile by which a processor computes a depthwise convolution, if it can: as many channels of y as of x, no dilation, no
 * pooling, and a kernel that is small enough to write out. On SwiftShader a layer of 3 x 3 then takes less than half of the time. GPUs want many
 * invocations of few registers, as the kernels without tiles have.
 */
export function tilingFor(
  adapter: AdapterClass,
  x: Shape,
  kernel: Shape,
  attributes: ConvolutionAttributes,
  where: string,
): Tiling | undefined {
  const [kH, kW, , multiplier] = kernel as [number, number, number, number];
  const { strides, dilation = [1, 1], pool } = attributes;
  if (adapter === "gpu" || multiplier !== 1 || pool || Math.max(...dilation) > 1) return undefined;
  // A tile of x begins at the same tap everywhere.
  if (strides.some((stride) => 4 % stride !== 0)) return undefined;
  const tile = TILES.find(([h, w]) => h % strides[0] === 0 && h * w * kH * kW <= MAX_PRODUCTS);
  if (!tile) return undefined;
  const { y, source } = convolutionSizes(x, kernel, attributes, "depthwise", where);
  return { tile, y, libraries: [source, { ...tilesSource, given: { TILE_H: tile[0], TILE_W: tile[1] } }] };
}

/** Tiles of a batch of images. */
export function tilesOf([batch, h, w]: Shape, [tileH, tileW]: Pair): number {
  return batch! * ceilDiv(h!, tileH) * ceilDiv(w!, tileW);
}

/** Calls the kernel of y. */
export function dispatchTiles(
  { tile, y, libraries }: Tiling,
  tensors: { readonly x: Tensor; readonly kernel: Tensor; readonly bias?: Tensor | undefined; readonly y: Tensor },
  attributes: ConvolutionAttributes,
): Dispatch<TensorId> {
  const { kernel: k, ...bind } = tensors;
  const channels = y[3]!;
  const store = storedOutput(attributes, y, tensors.bias);
  const { POOL: _, ...constants } = store.constants;
  return dispatchEach(forwardKernel, tilesOf(y, tile) * ceilDiv(channels, 4), {
    bind: { ...bind, k },
    constants,
    libraries: [...libraries, finishSource, operand("x", channels), operand("k", channels), ...store.libraries],
  });
}

/** Calls the kernel of dx, which may be multiplied by the derivative of the activation that made x. */
export function dispatchTilesInputGradient(
  { tile, y, libraries }: Tiling,
  {
    dy,
    kernel,
    x,
    dx,
  }: { readonly dy: Tensor; readonly kernel: Tensor; readonly x?: Tensor | undefined; readonly dx: Tensor },
  attributes: ConvolutionAttributes,
): Dispatch<TensorId> {
  const channels = y[3]!;
  const store = storedGradient(attributes, dx.shape);
  return dispatchEach(inputGradientKernel, tilesOf(dx.shape, tile) * ceilDiv(channels, 4), {
    bind: { dy, k: kernel, in: x, dx },
    constants: store.constants,
    libraries: [...libraries, operand("dy", channels), operand("k", channels), ...store.libraries],
  });
}

/** Calls the kernel of the slices of the filter's gradient, [slices, kH * kW (+ 1), channels]. */
export function dispatchTilesFilterGradient(
  { y, libraries }: Tiling,
  tensors: { readonly state: Tensor; readonly x: Tensor; readonly dy: Tensor; readonly partial: TensorId },
  { slices, hasBias }: { readonly slices: number; readonly hasBias: boolean },
): Dispatch<TensorId> {
  const channels = y[3]!;
  return dispatchEach(filterGradientKernel, slices * ceilDiv(channels, 4), {
    bind: tensors,
    constants: { HAS_BIAS: hasBias, SLICES: slices },
    libraries: [
      ...libraries,
      stateSource,
      operand("x", channels),
      operand("dy", channels),
      output("partial", channels),
    ],
  });
}
