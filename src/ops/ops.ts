/**
 * The library's ops and their parts, for ops of an app's own: `import { ops } from "featuremap"`.
 *
 * - Ops, for `add` of a layer, a loss, an optimizer or a gradient rule: `add(ops.dense, { x, kernel, bias })`.
 * - `pointwise` computes any expression of numbers, or its sum, mean, maximum or minimum along axes, in one kernel. Its gradient follows
 *   by itself: `ops.evaluated(add, ["square", ["subtract", "x", "t"]], { x, t })` is (x - t)^2, broadcast as NumPy does.
 * - `operand` and `output` are how a kernel reads and writes a tensor, as vectors where its rows allow it.
 * - `dispatchEach` calls a kernel with one invocation an element, `dispatchProduct` one that multiplies matrices by a tile.
 * - `Epilogue` and its functions fuse a bias, an activation, a pooling or a step of the parameters into a product's kernel.
 *
 * `defineOp`, `typed`, `defineKernel` and `dispatch` are exported by the package itself. Bundlers drop what an app does not use.
 *
 * @example
 * // An op on the library's product, whose kernel applies the activation that follows it.
 * const linear = defineOp({
 *   name: "linear",
 *   inputs: ["x", "kernel"],
 *   outputs: ["y"],
 *   attributes: typed<Pick<ops.Epilogue, "activation">>(),
 *   fuses: ["activation"],
 *   infer: ({ x, kernel }) => ({ y: { shape: [x.shape[0], kernel.shape[1]], dtype: "f32" } }),
 *   gradient: ({ gradients: { y: dy }, inputs: { x, kernel }, add }) => ({
 *     x: add(ops.matmul, { a: dy, b: kernel }, { transposeB: true }).c,
 *     kernel: add(ops.matmul, { a: x, b: dy }, { transposeA: true }).c,
 *   }),
 *   lower: ({ inputs: { x, kernel }, outputs: { y }, attributes, tile }) => {
 *     const product = { m: x.shape[0], n: kernel.shape[1], k: x.shape[1] };
 *     return [ops.dispatchMatmul({ ...product, ...attributes }, tile(product), { a: x, b: kernel, c: y })];
 *   },
 * });
 */
export { dispatchEach, operand, output } from "./access.ts";
export { type Activation, activation, activationNumber, activationSources } from "./activation/activation.ts";
export { concatenate, concatenated } from "./arrange/concatenate.ts";
export { pad } from "./arrange/pad.ts";
export { transpose } from "./arrange/transpose.ts";
export { batchMean } from "./batch/batch-mean.ts";
export { conv2d } from "./conv2d/conv2d.ts";
export { conv2dTranspose } from "./conv2d/conv2d-transpose.ts";
export { dense } from "./dense/dense.ts";
export { depthwiseConv2d } from "./depthwise-conv2d/depthwise-conv2d.ts";
export { add } from "./elementwise/add.ts";
export { dropout } from "./elementwise/dropout.ts";
export { fill } from "./elementwise/fill.ts";
export { multiply } from "./elementwise/multiply.ts";
export { reshape } from "./elementwise/reshape.ts";
export { stopGradient } from "./elementwise/stop-gradient.ts";
export { embedding } from "./embedding/embedding.ts";
export { type AffineAttributes, affineMatrix, type DrawnNumber } from "./image/affine-matrix.ts";
export { type FillMode, type WarpAttributes, warp } from "./image/warp.ts";
export type { Expression, FunctionName } from "./pointwise/functions.ts";
export { evaluated, pointwise } from "./pointwise/pointwise.ts";
export type { PointwiseAttributes, Reduction } from "./pointwise/whole.ts";
export { averagePooling2d } from "./pooling/average-pooling2d.ts";
export { maxPooling2d } from "./pooling/max-pooling2d.ts";
export {
  type Epilogue,
  incomingGradient,
  parameterBindings,
  parameterGradients,
  pooledOutputs,
  storedGradient,
  storedOutput,
  storedParameters,
} from "./product/epilogue.ts";
export { dispatchMatmul, matmul, type Product } from "./product/matmul.ts";
export { dispatchProduct, type ProductBlocks } from "./product/product.ts";
export { random } from "./random/random.ts";
export { softmax } from "./softmax/softmax.ts";
export { softmaxCrossEntropy } from "./softmax/softmax-cross-entropy.ts";
export { accumulateGradient } from "./updates/accumulate-gradient.ts";
export { accumulationState } from "./updates/accumulation-state.ts";
export { adadelta } from "./updates/adadelta.ts";
export { adagrad } from "./updates/adagrad.ts";
export { adam } from "./updates/adam.ts";
export { adamax } from "./updates/adamax.ts";
export { lion } from "./updates/lion.ts";
export { movingAverage } from "./updates/moving-average.ts";
export { nadam } from "./updates/nadam.ts";
export { nadamFactors } from "./updates/nadam-factors.ts";
export { nonNegative } from "./updates/non-negative.ts";
export { normConstraint } from "./updates/norm-constraint.ts";
export { rmsprop } from "./updates/rmsprop.ts";
export { schedule } from "./updates/schedule.ts";
export { sgd } from "./updates/sgd.ts";
export { fuseUpdate } from "./updates/update.ts";
