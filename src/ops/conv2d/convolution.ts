import patchesSource from "../../../shaders/conv2d/lib/patches.wgsl";
import { FeaturemapError } from "../../base/errors.ts";
import { type Shape, sameShape, showShape } from "../../base/shape.ts";
import type { GradientContext, Op } from "../../graph/op.ts";
import type { TensorId } from "../../graph/tensor.ts";
import { type Epilogue, type ParameterGradients, pooledOutputs } from "../product/epilogue.ts";
import { assertImages, type WindowAttributes, windowConstants, windowGeometry } from "../window.ts";

/** Attributes of a convolution, of all channels or of each alone. */
export type ConvolutionAttributes = Omit<WindowAttributes, "size"> & Epilogue;

/** Attributes of the gradient of its input, and of its kernel and bias. */
export type InputGradientAttributes = ConvolutionAttributes & { readonly inputShape: Shape };
export type FilterGradientAttributes = ConvolutionAttributes & ParameterGradients & { readonly kernelShape: Shape };

/** Kernel of a convolution: whether each channel has kernels of its own, or the number of groups of channels that have. */
export type KernelKind = "depthwise" | number;

/** Gives a kernel's shape of rank 4. One of rank 3, [kW, inC, outC], has one row. */
export function kernelShapeOf(k: Shape): Shape {
  return k.length === 3 ? [1, ...k] : k;
}

/**
 * Checks the shapes of a convolution, and gives those of y before any pooling, and the library of its sizes. A kernel is
 * [kH, kW, inC / groups, outC] or, of depthwise ones, [kH, kW, inC, multiplier].
 *
 * @throws FeaturemapError `shape` where they do not fit
 */
export function convolutionSizes(
  x: Shape,
  kernel: Shape,
  attributes: ConvolutionAttributes,
  kind: KernelKind,
  where: string,
) {
  assertImages(x, where);
  const groups = kind === "depthwise" ? 1 : kind;
  const k = kind === "depthwise" ? kernel : kernelShapeOf(kernel);
  const inC = x[3]!;
  if (k.length !== 4 || k[2] !== inC / groups || k[3]! % groups !== 0) {
    const last = kind === "depthwise" ? "multiplier" : "filters";
    const inGroups = groups > 1 ? ` in ${groups} groups` : "";
    const wanted = `[kH, kW, ${inC / groups}, ${last}]${inGroups}`;
    const got = `${showShape(kernel)} for x ${showShape(x)}`;
    throw new FeaturemapError("shape", `"${where}" wants a kernel of ${wanted}, got ${got}.`);
  }
  const [K_H, K_W] = k as [number, number];
  const geometry = windowGeometry(x.slice(1), { ...attributes, size: [K_H, K_W] }, where);
  const OUT_C = kind === "depthwise" ? inC * k[3]! : k[3]!;
  const y: Shape = [x[0]!, geometry.outH, geometry.outW, OUT_C];
  const sizes = { IN_C: inC, OUT_C, K_H, K_W, PADDED: geometry.padded, ...(groups > 1 && { GROUPS: groups }) };
  const given = { ...windowConstants(x, geometry, attributes), ...sizes };
  return { y, inC, source: { ...patchesSource, given }, groupIn: inC / groups, groupOut: OUT_C / groups };
}

/**
 * Gives the outputs of a convolution whose output before any pooling is y.
 *
 * @throws FeaturemapError `shape` unless a bias has a number for each channel of y
 */
export function convolved(y: Shape, bias: { readonly shape: Shape } | undefined, { pool }: Epilogue, where: string) {
  if (bias && !sameShape(bias.shape, y.slice(-1))) {
    throw new FeaturemapError("shape", `"${where}" wants a bias of [${y[3]}], got ${showShape(bias.shape)}.`);
  }
  return pooledOutputs(y, pool);
}

/** Adds the gradients of a convolution, by the ops of its input's and of its kernel's. */
export function convolutionGradients<A extends ConvolutionAttributes>(
  {
    gradients,
    inputs: { x, kernel, bias },
    attributes,
    wanted,
    state,
    tensor,
    add,
  }: GradientContext<"x" | "kernel" | "bias?", "y" | "routes?", A>,
  input: Op<"dy" | "kernel" | "routes?" | "x?", "dx", A & InputGradientAttributes>,
  filter: Op<
    "x" | "dy" | "state" | "routes?" | "kernel?" | "bias?" | "rate?",
    "dkernel?" | "dbias?",
    A & FilterGradientAttributes
  >,
): { x?: TensorId | undefined; kernel?: TensorId | undefined; bias?: TensorId | undefined } {
  const dy = gradients.y!;
  const inputShape = tensor(x).shape;
  const dx = wanted.x ? add(input, { dy, kernel }, { ...attributes, inputShape }).dx : undefined;
  if (!wanted.kernel && !wanted.bias) return { x: dx };
  const kernelShape = tensor(kernel).shape;
  const made = add(filter, { x, dy, state }, { ...attributes, kernelShape, hasBias: bias !== undefined });
  return { x: dx, kernel: made.dkernel, bias: made.dbias };
}
