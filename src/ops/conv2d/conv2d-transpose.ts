import sumSource from "../../../shaders/conv2d/channel_sum.wgsl";
import stateSource from "../../../shaders/lib/state.wgsl";
import { FeaturemapError } from "../../base/errors.ts";
import { ceilDiv, elements, type Shape, sameShape, showShape } from "../../base/shape.ts";
import { defineOp, type LowerContext, typed } from "../../graph/op.ts";
import type { Tensor, TensorId } from "../../graph/tensor.ts";
import type { Dispatch, Kernel } from "../../wgsl/kernel.ts";
import { dispatchEach, operand, output } from "../access.ts";
import { activationNumber, activationSources } from "../activation/activation.ts";
import { type Epilogue, type ParameterGradients, parameterBindings, parameterGradients } from "../product/epilogue.ts";
import { assertImages, type TransposedWindow, transposedGeometry } from "../window.ts";
import { dispatchConvolution, dispatchInputGradient, filterGradientDispatches } from "./conv2d.ts";
import { dispatchSliceSum } from "./conv2d-filter-gradient-sum.ts";

type TransposeAttributes = Omit<TransposedWindow, "size">;

const sumKernel: Kernel<{ state: "read"; dy: "read"; partial: "write" }> = sumSource;

/** Gradient dx of a transposed convolution, which is the convolution of dy; dx may be multiplied by act'(x). */
export const conv2dTransposeInputGradient = defineOp({
  name: "conv2dTransposeInputGradient",
  inputs: ["dy", "kernel", "x?"],
  outputs: ["dx"],
  attributes: typed<TransposeAttributes & Pick<Epilogue, "gradientActivation"> & { readonly inputShape: Shape }>(),
  infer: (_, { inputShape }) => ({ dx: { shape: inputShape, dtype: "f32" } }),
  fuses: ["derivative"],
  lower: (context) => {
    const { node, inputs, outputs, attributes } = context;
    const { dy, kernel, x } = inputs;
    const { convolution } = sizesOf(attributes.inputShape, kernel.shape, attributes, node.name);
    const { gradientActivation } = attributes;
    const bind = { x: dy, k: kernel, in: x, y: outputs.dx };
    return [dispatchConvolution(context, { ...convolution, gradientActivation }, bind)];
  },
});

/**
 * Gradients dkernel and dbias of a transposed convolution over the rows in use, or a step of the parameters by them. dkernel is that of
 * the convolution of dy whose output's gradient is x.
 */
export const conv2dTransposeFilterGradient = defineOp({
  name: "conv2dTransposeFilterGradient",
  inputs: ["x", "dy", "state", "kernel?", "bias?", "rate?"],
  outputs: ["dkernel?", "dbias?"],
  attributes: typed<TransposeAttributes & ParameterGradients & { readonly kernelShape: Shape }>(),
  infer: ({ dy }, attributes) => {
    const { dkernel, dbias } = parameterGradients(attributes, dy.shape.slice(-1));
    return { dkernel: dkernel && { ...dkernel, shape: attributes.kernelShape }, dbias };
  },
  updates: ["kernel", "bias"],
  fuses: ["update"],
  lower: (context) => {
    const { node, inputs, attributes } = context;
    const { x, dy, state } = inputs;
    const { kernelShape, update } = attributes;
    const { convolution } = sizesOf(x.shape, kernelShape, attributes, node.name);
    const { kernel, bias, rate } = parameterBindings(context);
    const filter = { ...context, attributes: { ...convolution, kernelShape, update, hasBias: false } };
    const dispatches = filterGradientDispatches(filter, { x: dy, dy: x, state }, { kernel, rate });
    return bias ? [...dispatches, ...biasDispatches(context, { dy, state, bias, rate })] : dispatches;
  },
});

/** Adds up dy over the positions of the rows in use. */
function biasDispatches(
  context: LowerContext<"kernel?" | "bias?" | "rate?", "dkernel?" | "dbias?", ParameterGradients>,
  { dy, state, bias, rate }: { dy: Tensor; state: Tensor; bias: Tensor; rate?: Tensor | undefined },
): Dispatch<TensorId>[] {
  const [BATCH, h, w, OUT_C] = dy.shape as [number, number, number, number];
  const columns4 = ceilDiv(OUT_C, 4);
  // As many invocations as `slicesOf` of depthwise-conv2d.ts wants, with 4 positions each or more.
  const wanted = Math.max(1, Math.floor((context.adapter === "gpu" ? 16384 : 1024) / columns4));
  const positions = BATCH * h * w;
  const SLICES = ceilDiv(positions, ceilDiv(positions, Math.min(wanted, ceilDiv(positions, 4))));
  const partial = context.scratch("biasPartial", { shape: [SLICES, OUT_C], dtype: "f32" });
  const sizes = { count: SLICES, rows: 1, columns: OUT_C, hasBias: false };
  return [
    dispatchEach(sumKernel, SLICES * columns4, {
      bind: { state, dy, partial },
      constants: { BATCH, POSITIONS: h * w, OUT_C, SLICES },
      libraries: [stateSource, operand("dy", OUT_C), output("partial", OUT_C)],
    }),
    dispatchSliceSum({ partial, ...sizes }, { kernel: bias, rate }, context),
  ];
}

/**
 * Transposed convolution, as Keras's `Conv2DTranspose`: each number of x puts the kernel, times it, into y at `strides` times its place,
 * and what overlaps is added. y = act(that + bias); kernel [kH, kW, outC, inC], bias [outC]. It is the input gradient of a
 * convolution by the same kernel, whose own input gradient and filter gradient it needs no other kernels for.
 */
export const conv2dTranspose = defineOp({
  name: "conv2dTranspose",
  inputs: ["x", "kernel", "bias?"],
  outputs: ["y"],
  attributes: typed<TransposeAttributes & Pick<Epilogue, "activation">>(),
  infer: ({ x, kernel, bias }, attributes, where) => {
    const { y } = sizesOf(x.shape, kernel.shape, attributes, where);
    if (bias && !sameShape(bias.shape, y.slice(-1))) {
      throw new FeaturemapError("shape", `"${where}" wants a bias of [${y[3]}], got ${showShape(bias.shape)}.`);
    }
    return { y: { shape: y, dtype: "f32" } };
  },
  gradient: ({ gradients, inputs: { x, kernel, bias }, attributes, wanted, state, tensor, add }) => {
    const dy = gradients.y!;
    const { strides, padding, dilation, outputPadding } = attributes;
    const window = { strides, padding, dilation, outputPadding };
    const inputShape = tensor(x).shape;
    const dx = wanted.x ? add(conv2dTransposeInputGradient, { dy, kernel }, { ...window, inputShape }).dx : undefined;
    if (!wanted.kernel && !wanted.bias) return { x: dx };
    const filter = { ...window, kernelShape: tensor(kernel).shape, hasBias: bias !== undefined };
    const made = add(conv2dTransposeFilterGradient, { x, dy, state }, filter);
    return { x: dx, kernel: made.dkernel, bias: made.dbias };
  },
  fuses: ["activation"],
  lower: (context) => {
    const { node, inputs, outputs, attributes } = context;
    const { x, kernel, bias } = inputs;
    const { y, convolution } = sizesOf(x.shape, kernel.shape, attributes, node.name);
    const store = (channels: number) => ({
      constants: { HAS_BIAS: bias !== undefined, ACTIVATION: activationNumber(attributes.activation) },
      libraries: [operand("bias", channels), output("dx", channels), ...activationSources],
    });
    const bind = { dy: x, k: kernel, bias, dx: outputs.y };
    return [dispatchInputGradient(context, { ...convolution, inputShape: y }, bind, store)];
  },
});

/** Gives the shape of y, and the convolution that leads from y back to x. */
function sizesOf(x: Shape, k: Shape, attributes: TransposeAttributes, where: string) {
  assertImages(x, where);
  if (k.length !== 4 || k[3] !== x[3] || elements(k) === 0) {
    const got = `${showShape(k)} for x ${showShape(x)}`;
    throw new FeaturemapError("shape", `"${where}" wants a kernel of [kH, kW, filters, ${x[3]}], got ${got}.`);
  }
  const [kH, kW, outC] = k as [number, number, number];
  const { strides, dilation } = attributes;
  const { out, back } = transposedGeometry(x.slice(1), { ...attributes, size: [kH, kW] }, where);
  return { y: [x[0]!, ...out, outC] as Shape, convolution: { strides, dilation, padding: back } };
}
