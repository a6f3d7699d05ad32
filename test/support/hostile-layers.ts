import * as library from "../../src/index.ts";

type Call = (...args: never[]) => unknown;

/** Layers made of expressions, and activations, with arguments that are right: see `hostile-arguments.test.ts`. */
export const LAYER_CALLS: Record<string, { readonly call: Call; readonly args: readonly unknown[] }> = {
  relu: { call: library.relu, args: [{ negativeSlope: 0.1, maxValue: 6, threshold: 1 }] },
  leakyRelu: { call: library.leakyRelu, args: [{ negativeSlope: 0.1 }] },
  elu: { call: library.elu, args: [{ alpha: 0.5 }] },
  celu: { call: library.celu, args: [{ alpha: 0.5 }] },
  gelu: { call: library.gelu, args: [{ approximate: true }] },
  hardShrink: { call: library.hardShrink, args: [{ threshold: 1 }] },
  softShrink: { call: library.softShrink, args: [{ threshold: 1 }] },
  squareplus: { call: library.squareplus, args: [{ b: 1 }] },
  softmax: { call: library.softmax, args: [{ axis: 1 }] },
  logSoftmax: { call: library.logSoftmax, args: [{ axis: 1 }] },
  exponential: { call: library.exponential, args: [] },
  hardSigmoid: { call: library.hardSigmoid, args: [] },
  hardSilu: { call: library.hardSilu, args: [] },
  hardTanh: { call: library.hardTanh, args: [] },
  logSigmoid: { call: library.logSigmoid, args: [] },
  mish: { call: library.mish, args: [] },
  relu6: { call: library.relu6, args: [] },
  selu: { call: library.selu, args: [] },
  silu: { call: library.silu, args: [] },
  softsign: { call: library.softsign, args: [] },
  sparsePlus: { call: library.sparsePlus, args: [] },
  sparseSigmoid: { call: library.sparseSigmoid, args: [] },
  tanhShrink: { call: library.tanhShrink, args: [] },
  add: { call: library.add, args: [{ name: "a" }] },
  subtract: { call: library.subtract, args: [{ name: "a" }] },
  multiply: { call: library.multiply, args: [{ name: "a" }] },
  average: { call: library.average, args: [{ name: "a" }] },
  maximum: { call: library.maximum, args: [{ name: "a" }] },
  minimum: { call: library.minimum, args: [{ name: "a" }] },
  concatenate: { call: library.concatenate, args: [{ axis: 1, name: "a" }] },
  reshape: { call: library.reshape, args: [{ targetShape: [3, -1], inputShape: [3] }] },
  permute: { call: library.permute, args: [{ dims: [2, 1] }] },
  zeroPadding2d: {
    call: library.zeroPadding2d,
    args: [
      {
        padding: [
          [1, 2],
          [3, 4],
        ],
      },
    ],
  },
  cropping2d: { call: library.cropping2d, args: [{ cropping: [1, 2] }] },
  upSampling2d: { call: library.upSampling2d, args: [{ size: [2, 3] }] },
  globalAveragePooling1d: { call: library.globalAveragePooling1d, args: [{ keepdims: true }] },
  globalAveragePooling2d: { call: library.globalAveragePooling2d, args: [{ keepdims: true }] },
  globalMaxPooling1d: { call: library.globalMaxPooling1d, args: [{ keepdims: true }] },
  globalMaxPooling2d: { call: library.globalMaxPooling2d, args: [{ keepdims: true }] },
  layerNormalization: {
    call: library.layerNormalization,
    args: [{ axis: [1], epsilon: 0.1, center: true, scale: true }],
  },
  groupNormalization: {
    call: library.groupNormalization,
    args: [{ groups: 1, epsilon: 0.1, center: true, scale: true }],
  },
  rescaling: { call: library.rescaling, args: [{ scale: 2, offset: 1 }] },
  pRelu: { call: library.pRelu, args: [{ alphaInitializer: "zeros", sharedAxes: [1] }] },
};
