import { binaryCrossentropy, binaryFocalCrossentropy } from "../losses/binary-crossentropy.ts";
import { categoricalCrossentropy, categoricalFocalCrossentropy } from "../losses/categorical-crossentropy.ts";
import { cosineSimilarity } from "../losses/cosine-similarity.ts";
import { dice, tversky } from "../losses/dice.ts";
import { categoricalHinge, hinge, squaredHinge } from "../losses/hinge.ts";
import { huber } from "../losses/huber.ts";
import { klDivergence } from "../losses/kl-divergence.ts";
import { logCosh } from "../losses/log-cosh.ts";
import { meanAbsoluteError } from "../losses/mean-absolute-error.ts";
import { meanAbsolutePercentageError } from "../losses/mean-absolute-percentage-error.ts";
import { meanSquaredError } from "../losses/mean-squared-error.ts";
import { meanSquaredLogarithmicError } from "../losses/mean-squared-logarithmic-error.ts";
import { poisson } from "../losses/poisson.ts";
import {
  categoricalGeneralizedCrossEntropy,
  sparseCategoricalCrossentropy,
} from "../losses/sparse-categorical-crossentropy.ts";
import { accuracy } from "../metrics/accuracy.ts";
import { auc } from "../metrics/auc.ts";
import { binaryAccuracy } from "../metrics/binary-accuracy.ts";
import { categoricalAccuracy, sparseCategoricalAccuracy } from "../metrics/categorical-accuracy.ts";
import { confusionMatrix } from "../metrics/confusion-matrix.ts";
import { cosineSimilarityMetric } from "../metrics/cosine-similarity-metric.ts";
import { f1Score, fBetaScore } from "../metrics/f-score.ts";
import { binaryIoU, iou, meanIoU, oneHotIoU, oneHotMeanIoU } from "../metrics/iou.ts";
import { logCoshError } from "../metrics/log-cosh-error.ts";
import {
  falseNegatives,
  falsePositives,
  precision,
  recall,
  trueNegatives,
  truePositives,
} from "../metrics/precision.ts";
import { r2Score } from "../metrics/r2-score.ts";
import { rootMeanSquaredError } from "../metrics/root-mean-squared-error.ts";
import {
  precisionAtRecall,
  recallAtPrecision,
  sensitivityAtSpecificity,
  specificityAtSensitivity,
} from "../metrics/sensitivity-specificity.ts";
import { sparseTopKCategoricalAccuracy, topKCategoricalAccuracy } from "../metrics/top-k-accuracy.ts";
import { weighted } from "../metrics/weighted.ts";
import { adadelta } from "../optimizers/adadelta.ts";
import { adagrad } from "../optimizers/adagrad.ts";
import { adam, adamW } from "../optimizers/adam.ts";
import { adamax } from "../optimizers/adamax.ts";
import { lion } from "../optimizers/lion.ts";
import { nadam } from "../optimizers/nadam.ts";
import { rmsprop } from "../optimizers/rmsprop.ts";
import { sgd } from "../optimizers/sgd.ts";
import type { ModelParts } from "./parts.ts";

/** Optimizers, losses and metrics of the library, by the names of their functions. */
export const OPTIMIZERS: ModelParts["optimizers"] = {
  adadelta,
  adagrad,
  adam,
  adamW,
  adamax,
  lion,
  nadam,
  rmsprop,
  sgd,
};

export const LOSSES: ModelParts["losses"] = {
  binaryCrossentropy,
  binaryFocalCrossentropy,
  categoricalCrossentropy,
  categoricalFocalCrossentropy,
  categoricalGeneralizedCrossEntropy,
  categoricalHinge,
  cosineSimilarity,
  dice,
  hinge,
  huber,
  klDivergence,
  logCosh,
  meanAbsoluteError,
  meanAbsolutePercentageError,
  meanSquaredError,
  meanSquaredLogarithmicError,
  poisson,
  sparseCategoricalCrossentropy,
  squaredHinge,
  tversky,
};

export const METRICS: ModelParts["metrics"] = {
  accuracy,
  auc,
  binaryAccuracy,
  binaryIoU,
  categoricalAccuracy,
  confusionMatrix,
  cosineSimilarityMetric,
  f1Score,
  falseNegatives,
  falsePositives,
  fBetaScore,
  iou,
  logCoshError,
  meanIoU,
  oneHotIoU,
  oneHotMeanIoU,
  precision,
  precisionAtRecall,
  r2Score,
  recall,
  recallAtPrecision,
  rootMeanSquaredError,
  sensitivityAtSpecificity,
  sparseCategoricalAccuracy,
  sparseTopKCategoricalAccuracy,
  specificityAtSensitivity,
  topKCategoricalAccuracy,
  trueNegatives,
  truePositives,
  weighted: ({ metric, ...options }) => weighted(metric, options),
};
