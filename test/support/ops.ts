import type { Op } from "../../src/graph/op.ts";
import { activation, activationGradient } from "../../src/ops/activation/activation.ts";
import { activationSumGradient } from "../../src/ops/activation/activation-sum-gradient.ts";
import { concatenate } from "../../src/ops/arrange/concatenate.ts";
import { pad } from "../../src/ops/arrange/pad.ts";
import { transpose } from "../../src/ops/arrange/transpose.ts";
import { batchGather } from "../../src/ops/batch/batch-gather.ts";
import { batchMean, batchMeanGradient } from "../../src/ops/batch/batch-mean.ts";
import { batchRepeat } from "../../src/ops/batch/batch-repeat.ts";
import { batchScatter } from "../../src/ops/batch/batch-scatter.ts";
import { beginStep } from "../../src/ops/batch/begin-step.ts";
import { accumulateMeans, advance } from "../../src/ops/batch/means.ts";
import { sampleFactors } from "../../src/ops/batch/sample-factors.ts";
import { clipFactor } from "../../src/ops/clipping/clip-factor.ts";
import { clipByValue } from "../../src/ops/clipping/clip-value.ts";
import { scaleBy } from "../../src/ops/clipping/scale-by.ts";
import { squareSum } from "../../src/ops/clipping/square-sum.ts";
import { conv2d, conv2dFilterGradient, conv2dInputGradient } from "../../src/ops/conv2d/conv2d.ts";
import {
  conv2dTranspose,
  conv2dTransposeFilterGradient,
  conv2dTransposeInputGradient,
} from "../../src/ops/conv2d/conv2d-transpose.ts";
import {
  windowPooling,
  winogradFilter,
  winogradFilterGradient,
  winogradInput,
  winogradInputGradient,
  winogradOutput,
  winogradOutputGradient,
} from "../../src/ops/conv2d/winograd.ts";
import { dense, denseFilterGradient, denseInputGradient } from "../../src/ops/dense/dense.ts";
import {
  depthwiseConv2d,
  depthwiseConv2dFilterGradient,
  depthwiseConv2dInputGradient,
} from "../../src/ops/depthwise-conv2d/depthwise-conv2d.ts";
import { add } from "../../src/ops/elementwise/add.ts";
import { dropout } from "../../src/ops/elementwise/dropout.ts";
import { fill } from "../../src/ops/elementwise/fill.ts";
import { multiply } from "../../src/ops/elementwise/multiply.ts";
import { oneHot } from "../../src/ops/elementwise/one-hot.ts";
import { reshape } from "../../src/ops/elementwise/reshape.ts";
import { stopGradient } from "../../src/ops/elementwise/stop-gradient.ts";
import { embedding, embeddingGradient } from "../../src/ops/embedding/embedding.ts";
import { affineMatrix } from "../../src/ops/image/affine-matrix.ts";
import { warp } from "../../src/ops/image/warp.ts";
import { accumulateRows } from "../../src/ops/metrics/accumulate-rows.ts";
import { thresholdCounts } from "../../src/ops/metrics/threshold-counts.ts";
import { thresholdRows } from "../../src/ops/metrics/threshold-rows.ts";
import { cutRows } from "../../src/ops/mix/cut-rows.ts";
import { mixDraws } from "../../src/ops/mix/mix-draws.ts";
import { mixRows } from "../../src/ops/mix/mix-rows.ts";
import { batchNormalization } from "../../src/ops/normalization/batch-normalization.ts";
import { normalization } from "../../src/ops/normalization/normalization.ts";
import { normalizationGradient } from "../../src/ops/normalization/normalization-gradient.ts";
import { pointwise } from "../../src/ops/pointwise/pointwise.ts";
import { averagePooling2d, averagePooling2dGradient } from "../../src/ops/pooling/average-pooling2d.ts";
import { maxPooling2d, maxPooling2dGradient } from "../../src/ops/pooling/max-pooling2d.ts";
import { matmul } from "../../src/ops/product/matmul.ts";
import { random } from "../../src/ops/random/random.ts";
import { resample, resampleGradient } from "../../src/ops/resample/resample.ts";
import { accuracy } from "../../src/ops/softmax/accuracy.ts";
import { argmax } from "../../src/ops/softmax/argmax.ts";
import { denseCrossEntropy } from "../../src/ops/softmax/dense-cross-entropy.ts";
import { softmax, softmaxGradient } from "../../src/ops/softmax/softmax.ts";
import { softmaxCrossEntropy, softmaxCrossEntropyGradient } from "../../src/ops/softmax/softmax-cross-entropy.ts";
import { topKAccuracy } from "../../src/ops/softmax/top-k-accuracy.ts";
import { accumulateGradient } from "../../src/ops/updates/accumulate-gradient.ts";
import { accumulationState } from "../../src/ops/updates/accumulation-state.ts";
import { adadelta } from "../../src/ops/updates/adadelta.ts";
import { adagrad } from "../../src/ops/updates/adagrad.ts";
import { adam } from "../../src/ops/updates/adam.ts";
import { adamax } from "../../src/ops/updates/adamax.ts";
import { lion } from "../../src/ops/updates/lion.ts";
import { movingAverage } from "../../src/ops/updates/moving-average.ts";
import { nadam } from "../../src/ops/updates/nadam.ts";
import { nadamFactors } from "../../src/ops/updates/nadam-factors.ts";
import { nonNegative } from "../../src/ops/updates/non-negative.ts";
import { normConstraint } from "../../src/ops/updates/norm-constraint.ts";
import { rmsprop } from "../../src/ops/updates/rmsprop.ts";
import { schedule } from "../../src/ops/updates/schedule.ts";
import { sgd } from "../../src/ops/updates/sgd.ts";

const list: readonly Op[] = [
  accumulateMeans,
  accuracy,
  batchMean,
  batchMeanGradient,
  fill,
  softmaxCrossEntropyGradient,
  activation,
  activationGradient,
  activationSumGradient,
  add,
  accumulateGradient,
  accumulationState,
  movingAverage,
  adadelta,
  adamax,
  lion,
  nadam,
  nadamFactors,
  nonNegative,
  normConstraint,
  schedule,
  adagrad,
  adam,
  advance,
  affineMatrix,
  cutRows,
  mixDraws,
  mixRows,
  averagePooling2d,
  averagePooling2dGradient,
  batchGather,
  batchNormalization,
  batchRepeat,
  sampleFactors,
  oneHot,
  accumulateRows,
  argmax,
  batchScatter,
  beginStep,
  clipByValue,
  clipFactor,
  concatenate,
  scaleBy,
  squareSum,
  conv2d,
  conv2dFilterGradient,
  conv2dInputGradient,
  dense,
  denseCrossEntropy,
  denseFilterGradient,
  denseInputGradient,
  conv2dTranspose,
  conv2dTransposeFilterGradient,
  conv2dTransposeInputGradient,
  depthwiseConv2d,
  depthwiseConv2dFilterGradient,
  depthwiseConv2dInputGradient,
  dropout,
  embedding,
  embeddingGradient,
  matmul,
  maxPooling2d,
  maxPooling2dGradient,
  multiply,
  normalization,
  normalizationGradient,
  pad,
  resample,
  resampleGradient,
  pointwise,
  random,
  reshape,
  rmsprop,
  sgd,
  softmax,
  softmaxCrossEntropy,
  softmaxGradient,
  stopGradient,
  thresholdCounts,
  thresholdRows,
  topKAccuracy,
  transpose,
  warp,
  windowPooling,
  winogradFilter,
  winogradFilterGradient,
  winogradInput,
  winogradInputGradient,
  winogradOutput,
  winogradOutputGradient,
];

/** Every op of the library by its name, for tests that name ops. */
export const allOps: ReadonlyMap<string, Op> = new Map(list.map((op) => [op.name, op]));

/** An op, given itself or by the name that the library has for it. */
export function opFor(op: string | Op): Op {
  const found = typeof op === "string" ? allOps.get(op) : op;
  if (!found) throw new Error(`The library has no op "${op}".`);
  return found;
}

/** Values for an op's inputs, in the order of their names; `undefined` stands for one that is not there. */
export function byInput<Value>(op: string, values: readonly (Value | undefined)[]): Record<string, Value | undefined> {
  const names = opFor(op).inputs.map((name) => name.replace("?", ""));
  return Object.fromEntries(values.map((value, i) => [names[i]!, value]));
}

/** Runs with every op of the library changed; afterwards they are as before. */
export function withOps<Result>(change: (op: Op) => Partial<Op>, run: () => Result): Result {
  const before = list.map((op) => ({ ...op }));
  try {
    for (const op of list) Object.assign(op, change({ ...op }));
    return run();
  } finally {
    list.forEach((op, i) => {
      for (const key of Object.keys(op)) if (!Object.hasOwn(before[i]!, key)) Reflect.deleteProperty(op, key);
      Object.assign(op, before[i]);
    });
  }
}
