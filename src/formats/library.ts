import { cutMix } from "../augmentations/cut-mix.ts";
import { mixUp } from "../augmentations/mix-up.ts";
import { activation } from "../layers/activation.ts";
import { activityRegularization } from "../layers/activity-regularization.ts";
import { add } from "../layers/add.ts";
import { average } from "../layers/average.ts";
import { averagePooling1d } from "../layers/average-pooling1d.ts";
import { averagePooling2d } from "../layers/average-pooling2d.ts";
import { batchNormalization } from "../layers/batch-normalization.ts";
import { concatenate } from "../layers/concatenate.ts";
import { conv1d } from "../layers/conv1d.ts";
import { conv2d } from "../layers/conv2d.ts";
import { conv2dTranspose } from "../layers/conv2d-transpose.ts";
import { cropping1d } from "../layers/cropping1d.ts";
import { cropping2d } from "../layers/cropping2d.ts";
import { dense } from "../layers/dense.ts";
import { depthwiseConv2d } from "../layers/depthwise-conv2d.ts";
import { dot } from "../layers/dot.ts";
import { dropout } from "../layers/dropout.ts";
import { embedding } from "../layers/embedding.ts";
import { flatten } from "../layers/flatten.ts";
import { gaussianDropout } from "../layers/gaussian-dropout.ts";
import { gaussianNoise } from "../layers/gaussian-noise.ts";
import { globalAveragePooling1d } from "../layers/global-average-pooling1d.ts";
import { globalAveragePooling2d } from "../layers/global-average-pooling2d.ts";
import { globalMaxPooling1d } from "../layers/global-max-pooling1d.ts";
import { globalMaxPooling2d } from "../layers/global-max-pooling2d.ts";
import { groupNormalization } from "../layers/group-normalization.ts";
import { lambdaOf } from "../layers/lambda.ts";
import { layerNormalization } from "../layers/layer-normalization.ts";
import { maxPooling1d } from "../layers/max-pooling1d.ts";
import { maxPooling2d } from "../layers/max-pooling2d.ts";
import { maximum } from "../layers/maximum.ts";
import { minimum } from "../layers/minimum.ts";
import { multiply } from "../layers/multiply.ts";
import { normalization } from "../layers/normalization.ts";
import { pRelu } from "../layers/p-relu.ts";
import { permute } from "../layers/permute.ts";
import { randomBrightness } from "../layers/random-brightness.ts";
import { randomContrast } from "../layers/random-contrast.ts";
import { randomCrop } from "../layers/random-crop.ts";
import { randomFlip } from "../layers/random-flip.ts";
import { randomRotation } from "../layers/random-rotation.ts";
import { randomTranslation } from "../layers/random-translation.ts";
import { randomZoom } from "../layers/random-zoom.ts";
import { repeatVector } from "../layers/repeat-vector.ts";
import { rescaling } from "../layers/rescaling.ts";
import { reshape } from "../layers/reshape.ts";
import { resizing } from "../layers/resizing.ts";
import { rmsNormalization } from "../layers/rms-normalization.ts";
import { separableConv2d } from "../layers/separable-conv2d.ts";
import { spatialDropout1d } from "../layers/spatial-dropout1d.ts";
import { spatialDropout2d } from "../layers/spatial-dropout2d.ts";
import { subtract } from "../layers/subtract.ts";
import { unitNormalization } from "../layers/unit-normalization.ts";
import { upSampling1d } from "../layers/up-sampling1d.ts";
import { upSampling2d } from "../layers/up-sampling2d.ts";
import { zeroPadding1d } from "../layers/zero-padding1d.ts";
import { zeroPadding2d } from "../layers/zero-padding2d.ts";
import { clipNorm, clipValue, globalClipNorm } from "../optimizers/clipping.ts";
import { withEma } from "../optimizers/ema.ts";
import { withGradientAccumulation } from "../optimizers/gradient-accumulation.ts";
import {
  cosineDecay,
  cosineDecayRestarts,
  exponentialDecay,
  inverseTimeDecay,
  piecewiseConstantDecay,
  polynomialDecay,
} from "../optimizers/schedules.ts";
import { activationsMade, eluLayer, identityLayer, leakyReluLayer, reluLayer, softmaxLayer } from "./activations.ts";
import { initializersMade } from "./initializers.ts";
import { partsMade } from "./layer-parts.ts";
import { LOSSES, METRICS, OPTIMIZERS } from "./named-parts.ts";
import type { ModelParts } from "./parts.ts";

/** All that the library has, by the names in files. `fromConfig` and `loadModel` ship all of it. */
export const LIBRARY: ModelParts = {
  layers: {
    Conv2D: conv2d,
    Conv2DTranspose: conv2dTranspose,
    DepthwiseConv2D: depthwiseConv2d,
    SeparableConv2D: separableConv2d,
    Conv1D: conv1d,
    MaxPooling2D: maxPooling2d,
    AveragePooling2D: averagePooling2d,
    AveragePooling1D: averagePooling1d,
    MaxPooling1D: maxPooling1d,
    Activation: activation,
    ActivityRegularization: activityRegularization,
    BatchNormalization: batchNormalization,
    Dropout: dropout,
    Flatten: flatten,
    Dense: dense,
    Add: add,
    Subtract: subtract,
    Multiply: multiply,
    Average: average,
    Maximum: maximum,
    Minimum: minimum,
    Concatenate: concatenate,
    Reshape: reshape,
    Permute: permute,
    RepeatVector: repeatVector,
    ZeroPadding2D: zeroPadding2d,
    ZeroPadding1D: zeroPadding1d,
    Cropping2D: cropping2d,
    Cropping1D: cropping1d,
    UpSampling2D: upSampling2d,
    Resizing: resizing,
    UpSampling1D: upSampling1d,
    GlobalAveragePooling2D: globalAveragePooling2d,
    GlobalMaxPooling2D: globalMaxPooling2d,
    GlobalAveragePooling1D: globalAveragePooling1d,
    GlobalMaxPooling1D: globalMaxPooling1d,
    LayerNormalization: layerNormalization,
    Lambda: lambdaOf,
    GroupNormalization: groupNormalization,
    Rescaling: rescaling,
    PReLU: pRelu,
    RMSNormalization: rmsNormalization,
    UnitNormalization: unitNormalization,
    Dot: dot,
    Embedding: embedding,
    SpatialDropout1D: spatialDropout1d,
    SpatialDropout2D: spatialDropout2d,
    GaussianNoise: gaussianNoise,
    GaussianDropout: gaussianDropout,
    Normalization: normalization,
    RandomFlip: randomFlip,
    RandomTranslation: randomTranslation,
    RandomRotation: randomRotation,
    RandomZoom: randomZoom,
    RandomContrast: randomContrast,
    RandomBrightness: randomBrightness,
    RandomCrop: randomCrop,
    Identity: identityLayer,
    ELU: eluLayer,
    LeakyReLU: leakyReluLayer,
    ReLU: reluLayer,
    Softmax: softmaxLayer,
  },
  optimizers: OPTIMIZERS,
  schedules: {
    cosineDecay,
    cosineDecayRestarts,
    exponentialDecay,
    inverseTimeDecay,
    piecewiseConstantDecay,
    polynomialDecay,
  },
  transforms: {
    clipNorm: ({ norm }) => clipNorm(norm),
    clipValue: ({ value }) => clipValue(value),
    globalClipNorm: ({ norm }) => globalClipNorm(norm),
  },
  wrappers: { withEma, withGradientAccumulation },
  losses: LOSSES,
  metrics: METRICS,
  augmentations: { MixUp: mixUp, CutMix: cutMix },
  options: (config) => partsMade(activationsMade(initializersMade(config, "config"), "config"), "config"),
};
