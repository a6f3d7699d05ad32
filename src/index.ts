export { type CutMixOptions, cutMix } from "./augmentations/cut-mix.ts";
export { type MixUpOptions, mixUp } from "./augmentations/mix-up.ts";
export type { MixOptions } from "./augmentations/mixing.ts";
export { type ErrorCode, FeaturemapError } from "./base/errors.ts";
export type { Shape } from "./base/shape.ts";
export { type CsvLoggerOptions, csvLogger } from "./callbacks/csv-logger.ts";
export { type EarlyStopping, type EarlyStoppingOptions, earlyStopping } from "./callbacks/early-stopping.ts";
export { lambdaCallback } from "./callbacks/lambda-callback.ts";
export { learningRateScheduler } from "./callbacks/learning-rate-scheduler.ts";
export type { MonitorOptions } from "./callbacks/monitor.ts";
export { type Progress, progressLine } from "./callbacks/progress.ts";
export { progressBar, type Terminal } from "./callbacks/progress-bar.ts";
export { type ReduceLrOnPlateauOptions, reduceLrOnPlateau } from "./callbacks/reduce-lr-on-plateau.ts";
export { type NonFinite, type TerminateOnNaN, terminateOnNaN } from "./callbacks/terminate-on-nan.ts";
export type { Batches, StreamBatch, StreamSource } from "./data/batches.ts";
export type { ColumnInputs, DataInputs } from "./data/columns.ts";
export {
  type ColumnInput,
  type DataInput,
  type GpuData,
  type NestedNumbers,
  oneHot,
  type TensorData,
  type TypedArray,
  tensor,
} from "./data/tensor.ts";
export {
  type BatchingOptions,
  createDataset,
  type SelectableDataset as Dataset,
  type SplitOptions,
} from "./datasets/create-dataset.ts";
export type { ColumnMapping, DatasetMapping } from "./datasets/mapping.ts";
export { byName, type NamedCompileOptions } from "./formats/by-name.ts";
export { checkpointFiles } from "./formats/checkpoint-files.ts";
export { type FromConfigOptions, type LayerConfig, type ModelConfig, toConfig } from "./formats/config.ts";
export type { SafeArray, SafeType } from "./formats/element-types.ts";
export { fromConfig } from "./formats/from-config.ts";
export {
  type FetchIdxOptions,
  fetchIdx,
  type IdxArray,
  parseIdx,
  type ReadIdxOptions,
  readIdxFile,
} from "./formats/idx.ts";
export { loadModel } from "./formats/load-model.ts";
export { type CheckpointInfo, type ModelCheckpointOptions, modelCheckpoint } from "./formats/model-checkpoint.ts";
export { type ModelLoader, type ModelLoaderParts, modelLoader } from "./formats/model-loader.ts";
export type { LayerFactory, ModelParts, OptimizerWrapper, PartFactory } from "./formats/parts.ts";
export {
  type Named,
  parseSafetensors,
  type SafeTensor,
  type SafetensorsFile,
  toSafetensors,
} from "./formats/safetensors.ts";
export { type LoadOptions, loadWeights, saveModel } from "./formats/saving.ts";
export { type AdapterSummary, createRuntime, type Runtime, type RuntimeOptions } from "./gpu/runtime.ts";
export type { Graph } from "./graph/graph.ts";
export {
  type Add,
  type Algorithm,
  defineOp,
  type Fusion,
  type GradientContext,
  type GraphEdit,
  type InPlace,
  type LowerContext,
  type Op,
  type OpDefinition,
  type Rewrite,
  typed,
} from "./graph/op.ts";
export type { Attributes, Node, Tensor, TensorId, TensorSpec } from "./graph/tensor.ts";
export type { Choices, MemoryMode, Tile } from "./graph/tile.ts";
export { type ActivationOptions, activation } from "./layers/activation.ts";
export {
  type AxisOptions,
  celu,
  elu,
  exponential,
  gelu,
  hardShrink,
  hardSigmoid,
  hardSilu,
  hardTanh,
  leakyRelu,
  logSigmoid,
  logSoftmax,
  mish,
  type ReluOptions,
  relu,
  relu6,
  selu,
  silu,
  softmax,
  softShrink,
  softsign,
  sparsemax,
  sparsePlus,
  sparseSigmoid,
  squareplus,
  tanhShrink,
} from "./layers/activations.ts";
export { type ActivityRegularizationOptions, activityRegularization } from "./layers/activity-regularization.ts";
export { add } from "./layers/add.ts";
export type { AffineOptions } from "./layers/affine.ts";
export type { AugmentationOptions, FactorOption, WarpOptions } from "./layers/augmentation.ts";
export { average } from "./layers/average.ts";
export { averagePooling1d } from "./layers/average-pooling1d.ts";
export { averagePooling2d } from "./layers/average-pooling2d.ts";
export { type BatchNormalizationOptions, batchNormalization } from "./layers/batch-normalization.ts";
export { type ConcatenateOptions, concatenate } from "./layers/concatenate.ts";
export {
  type MaxNormOptions,
  type MinMaxNormOptions,
  maxNorm,
  minMaxNorm,
  nonNeg,
  type UnitNormOptions,
  unitNorm,
} from "./layers/constraints.ts";
export { type Conv1dOptions, conv1d } from "./layers/conv1d.ts";
export { type Conv2dOptions, conv2d } from "./layers/conv2d.ts";
export { type Conv2dTransposeOptions, conv2dTranspose } from "./layers/conv2d-transpose.ts";
export { type Cropping1dOptions, cropping1d } from "./layers/cropping1d.ts";
export { type Cropping2dOptions, cropping2d } from "./layers/cropping2d.ts";
export { type Constraint, defineConstraint } from "./layers/define-constraint.ts";
export { defineLayer } from "./layers/define-layer.ts";
export { defineRegularizer, type PenaltyCall, type Regularizer } from "./layers/define-regularizer.ts";
export { type DenseOptions, dense } from "./layers/dense.ts";
export { type DepthwiseConv2dOptions, depthwiseConv2d } from "./layers/depthwise-conv2d.ts";
export { type DotOptions, dot } from "./layers/dot.ts";
export { type DropoutOptions, dropout } from "./layers/dropout.ts";
export type { EdgesOption } from "./layers/edges.ts";
export { type EmbeddingOptions, embedding } from "./layers/embedding.ts";
export { flatten } from "./layers/flatten.ts";
export { type GaussianDropoutOptions, gaussianDropout } from "./layers/gaussian-dropout.ts";
export { type GaussianNoiseOptions, gaussianNoise } from "./layers/gaussian-noise.ts";
export { globalAveragePooling1d } from "./layers/global-average-pooling1d.ts";
export { globalAveragePooling2d } from "./layers/global-average-pooling2d.ts";
export { globalMaxPooling1d } from "./layers/global-max-pooling1d.ts";
export { globalMaxPooling2d } from "./layers/global-max-pooling2d.ts";
export type { GlobalPoolingOptions } from "./layers/global-pooling.ts";
export { type GroupNormalizationOptions, groupNormalization } from "./layers/group-normalization.ts";
export type { Initializer } from "./layers/initializers.ts";
export { type InputOptions, input } from "./layers/input.ts";
export { type LambdaFunction, lambda } from "./layers/lambda.ts";
export type {
  ConstraintCall,
  Layer,
  LayerCall,
  LayerInput,
  LayerLossCall,
  LayerOutputs,
  LayerSpec,
  LayerUseTensors,
  SymbolicOutputs,
  SymbolicTensor,
  VariableSpec,
} from "./layers/layer.ts";
export { type LayerNormalizationOptions, layerNormalization } from "./layers/layer-normalization.ts";
export type { LayerPart } from "./layers/layer-parts.ts";
export { maxPooling1d } from "./layers/max-pooling1d.ts";
export { maxPooling2d } from "./layers/max-pooling2d.ts";
export { maximum } from "./layers/maximum.ts";
export { minimum } from "./layers/minimum.ts";
export { multiply } from "./layers/multiply.ts";
export type { SeededOptions, SpatialDropoutOptions } from "./layers/noise.ts";
export { type NormalizationLayer, type NormalizationOptions, normalization } from "./layers/normalization.ts";
export type { ActivationCall, ActivationFunction, LayerActivation } from "./layers/options.ts";
export { type PReluOptions, pRelu } from "./layers/p-relu.ts";
export { type PermuteOptions, permute } from "./layers/permute.ts";
export type { Pooling1dOptions } from "./layers/pooling1d.ts";
export type { Pooling2dOptions } from "./layers/pooling2d.ts";
export { type RandomBrightnessOptions, randomBrightness } from "./layers/random-brightness.ts";
export { type RandomContrastOptions, randomContrast } from "./layers/random-contrast.ts";
export { type RandomCropOptions, randomCrop } from "./layers/random-crop.ts";
export { type RandomFlipOptions, randomFlip } from "./layers/random-flip.ts";
export {
  constant,
  glorotNormal,
  glorotUniform,
  heNormal,
  heUniform,
  identity,
  lecunNormal,
  lecunUniform,
  type NormalOptions,
  type OrthogonalOptions,
  ones,
  orthogonal,
  type RandomUniformOptions,
  randomNormal,
  randomUniform,
  type SavableInitializer,
  type SeedOption,
  truncatedNormal,
  type VarianceScalingOptions,
  varianceScaling,
  zeros,
} from "./layers/random-initializers.ts";
export { type RandomRotationOptions, randomRotation } from "./layers/random-rotation.ts";
export { type RandomTranslationOptions, randomTranslation } from "./layers/random-translation.ts";
export { type RandomZoomOptions, randomZoom } from "./layers/random-zoom.ts";
export {
  type L1L2Options,
  type L1Options,
  type L2Options,
  l1,
  l1L2,
  l2,
  type OrthogonalRegularizerOptions,
  orthogonalRegularizer,
} from "./layers/regularizers.ts";
export { type RepeatVectorOptions, repeatVector } from "./layers/repeat-vector.ts";
export { type RescalingOptions, rescaling } from "./layers/rescaling.ts";
export { type ReshapeOptions, reshape } from "./layers/reshape.ts";
export { type ResizingOptions, resizing } from "./layers/resizing.ts";
export { type RmsNormalizationOptions, rmsNormalization } from "./layers/rms-normalization.ts";
export { type SeparableConv2dOptions, separableConv2d } from "./layers/separable-conv2d.ts";
export { spatialDropout1d } from "./layers/spatial-dropout1d.ts";
export { spatialDropout2d } from "./layers/spatial-dropout2d.ts";
export { subtract } from "./layers/subtract.ts";
export { type UnitNormalizationOptions, unitNormalization } from "./layers/unit-normalization.ts";
export { type UpSampling1dOptions, upSampling1d } from "./layers/up-sampling1d.ts";
export { type UpSampling2dOptions, upSampling2d } from "./layers/up-sampling2d.ts";
export { type ZeroPadding1dOptions, zeroPadding1d } from "./layers/zero-padding1d.ts";
export { type ZeroPadding2dOptions, zeroPadding2d } from "./layers/zero-padding2d.ts";
export {
  type BinaryCrossentropyOptions,
  type BinaryFocalCrossentropyOptions,
  binaryCrossentropy,
  binaryFocalCrossentropy,
} from "./losses/binary-crossentropy.ts";
export {
  type CategoricalCrossentropyOptions,
  type CategoricalFocalCrossentropyOptions,
  categoricalCrossentropy,
  categoricalFocalCrossentropy,
} from "./losses/categorical-crossentropy.ts";
export { cosineSimilarity } from "./losses/cosine-similarity.ts";
export { type DiceOptions, dice, type TverskyOptions, tversky } from "./losses/dice.ts";
export { categoricalHinge, hinge, squaredHinge } from "./losses/hinge.ts";
export { type HuberOptions, huber } from "./losses/huber.ts";
export { klDivergence } from "./losses/kl-divergence.ts";
export type { LossOptions } from "./losses/library-loss.ts";
export { logCosh } from "./losses/log-cosh.ts";
export type { FactorsCall, LabelKind, Loss, LossCall } from "./losses/loss.ts";
export type { LossName } from "./losses/losses.ts";
export { meanAbsoluteError } from "./losses/mean-absolute-error.ts";
export { meanAbsolutePercentageError } from "./losses/mean-absolute-percentage-error.ts";
export { meanSquaredError } from "./losses/mean-squared-error.ts";
export { meanSquaredLogarithmicError } from "./losses/mean-squared-logarithmic-error.ts";
export { poisson } from "./losses/poisson.ts";
export { type Reduction, withReduction } from "./losses/reduction.ts";
export {
  type CategoricalGeneralizedCrossEntropyOptions,
  categoricalGeneralizedCrossEntropy,
  type SparseCategoricalCrossentropyOptions,
  sparseCategoricalCrossentropy,
} from "./losses/sparse-categorical-crossentropy.ts";
export { accuracy } from "./metrics/accuracy.ts";
export { type AucOptions, auc } from "./metrics/auc.ts";
export { type BinaryAccuracyOptions, binaryAccuracy } from "./metrics/binary-accuracy.ts";
export { categoricalAccuracy, sparseCategoricalAccuracy } from "./metrics/categorical-accuracy.ts";
export { confusionMatrix, confusionMatrixOf } from "./metrics/confusion-matrix.ts";
export { cosineSimilarityMetric } from "./metrics/cosine-similarity-metric.ts";
export { type F1ScoreOptions, type FBetaScoreOptions, f1Score, fBetaScore } from "./metrics/f-score.ts";
export {
  type BinaryIoUOptions,
  binaryIoU,
  type IoUOptions,
  iou,
  type MeanIoUOptions,
  meanIoU,
  type OneHotIoUOptions,
  type OneHotMeanIoUOptions,
  oneHotIoU,
  oneHotMeanIoU,
} from "./metrics/iou.ts";
export type { MetricOptions } from "./metrics/library-metric.ts";
export { logCoshError } from "./metrics/log-cosh-error.ts";
export type { Accumulator, Metric, MetricCall } from "./metrics/metric.ts";
export type { MetricName } from "./metrics/metrics.ts";
export {
  type CountOptions,
  falseNegatives,
  falsePositives,
  type PrecisionOptions,
  precision,
  recall,
  trueNegatives,
  truePositives,
} from "./metrics/precision.ts";
export { type R2ScoreOptions, r2Score } from "./metrics/r2-score.ts";
export { rootMeanSquaredError } from "./metrics/root-mean-squared-error.ts";
export {
  precisionAtRecall,
  recallAtPrecision,
  sensitivityAtSpecificity,
  specificityAtSensitivity,
  type ThresholdOptions,
} from "./metrics/sensitivity-specificity.ts";
export {
  sparseTopKCategoricalAccuracy,
  type TopKAccuracyOptions,
  topKCategoricalAccuracy,
} from "./metrics/top-k-accuracy.ts";
export { weighted } from "./metrics/weighted.ts";
export type { Labelled, WeightOptions } from "./model/calls.ts";
export type { ByOutput, CompileOptions } from "./model/compile-options.ts";
export { finalizeVariableValues } from "./model/finalize-variable-values.ts";
export { type ModelOptions, model, type PredictionOf } from "./model/functional.ts";
export { type AnyModel, getInputs, getLayer, getLayers, getOutputs, type ModelLayer } from "./model/get-layer.ts";
export { getHyperparameters, setHyperparameters } from "./model/hyperparameters.ts";
export type { Model, Weight } from "./model/model.ts";
export { asLayer, type NestedModel, type NestedOptions, type NestedOutputs } from "./model/nested.ts";
export type { Evaluation, Prediction } from "./model/run-types.ts";
export { type Sequential, sequential } from "./model/sequential.ts";
export type { ModelStats } from "./model/stats.ts";
export { stream } from "./model/stream.ts";
export type { BatchStream, HeldOutData, StreamFitOptions, StreamOptions } from "./model/stream-door.ts";
export type { LayerInfo } from "./network/summary.ts";
export type { FlopsCall, FlopsRule } from "./observe/flops.ts";
export {
  type ModelSummary,
  type ModelSummaryOptions,
  modelSummary,
  type PlannedBytes,
  type SummaryLayer,
} from "./observe/model-summary.ts";
export { type ParameterBuffer, parameterBuffers } from "./observe/parameter-buffers.ts";
export {
  createProbe,
  type LayerOutput,
  outputsOf,
  type Probe,
  type ProbeBuffer,
  type ProbeOptions,
} from "./observe/probe.ts";
export * as ops from "./ops/ops.ts";
export type { Interpolation } from "./ops/resample/resample.ts";
export { type AdadeltaOptions, adadelta } from "./optimizers/adadelta.ts";
export { type AdagradOptions, adagrad } from "./optimizers/adagrad.ts";
export { type AdamOptions, type AdamWOptions, adam, adamW } from "./optimizers/adam.ts";
export { type AdamaxOptions, adamax } from "./optimizers/adamax.ts";
export { clipNorm, clipValue, globalClipNorm } from "./optimizers/clipping.ts";
export { defineSchedule } from "./optimizers/define-schedule.ts";
export { type EmaOptions, withEma } from "./optimizers/ema.ts";
export { type GradientAccumulationOptions, withGradientAccumulation } from "./optimizers/gradient-accumulation.ts";
export { type LionOptions, lion } from "./optimizers/lion.ts";
export { type NadamOptions, nadam } from "./optimizers/nadam.ts";
export type {
  AccumulateCall,
  FittedModel,
  GradientTransform,
  Optimizer,
  OptimizerBegin,
  OptimizerOptions,
  OptimizerStep,
  OptimizerStepped,
  Schedule,
  SlotSpec,
  TransformCall,
} from "./optimizers/optimizer.ts";
export { type RmspropOptions, rmsprop } from "./optimizers/rmsprop.ts";
export {
  type CosineDecayOptions,
  type CosineDecayRestartsOptions,
  cosineDecay,
  cosineDecayRestarts,
  type ExponentialDecayOptions,
  exponentialDecay,
  type InverseTimeDecayOptions,
  inverseTimeDecay,
  type PiecewiseConstantDecayOptions,
  type PolynomialDecayOptions,
  piecewiseConstantDecay,
  polynomialDecay,
} from "./optimizers/schedules.ts";
export { type SgdOptions, sgd } from "./optimizers/sgd.ts";
export type { CompileProgress } from "./plan/executable.ts";
export type { Plan } from "./plan/plan.ts";
export type { Tuner } from "./plan/tuning-task.ts";
export { type PlotConfusionMatrixOptions, plotConfusionMatrix } from "./plot/plot-confusion-matrix.ts";
export { type PlotHistoryOptions, type PlottedHistory, plotHistory } from "./plot/plot-history.ts";
export { type PlotModelOptions, plotModel } from "./plot/plot-model.ts";
export type { Augmentation } from "./program/augmentation.ts";
export type { Figures } from "./program/measures.ts";
export type { AppBuffer, AppBuffers, BufferRange } from "./record/app-buffers.ts";
export {
  createInferenceRecorder,
  type InferenceBuffers,
  type InferenceRecorder,
  type InferenceRecorderOptions,
  type RecordedInput,
} from "./record/inference-recorder.ts";
export type { RecordTarget } from "./record/target.ts";
export {
  createTrainingRecorder,
  type TrainingRecorder,
  type TrainingRecorderOptions,
} from "./record/training-recorder.ts";
export { type CheckpointOptions, checkpoint } from "./snapshots/checkpoint.ts";
export type { LastingData } from "./snapshots/lasting-data.ts";
export {
  type Recovered,
  type Recovery,
  RecoveryError,
  type RecoveryOptions,
  trainWithRecovery,
} from "./snapshots/recovery.ts";
export { type RestoreOptions, restore, snapshot } from "./snapshots/snapshot.ts";
export type { SavedVariable, Snapshot } from "./snapshots/snapshot-format.ts";
export { indexedDbSnapshots, type SnapshotStore } from "./snapshots/snapshot-store.ts";
export type { Callback, FiguresRead, TrainedModel, TrainingParams } from "./training/callback.ts";
export { type ClassWeights, classWeights } from "./training/class-weight.ts";
export type { BatchOptions, EvaluateOptions, FitOptions } from "./training/fit-options.ts";
export type { History, Logs } from "./training/history.ts";
export { type PauseSwitch, pauseSwitch } from "./training/pause.ts";
export { fileStore } from "./tune/file-store.ts";
export { indexedDbStore } from "./tune/indexed-db.ts";
export { type TunerOptions, tuner } from "./tune/tuner.ts";
export type { TuningStore } from "./tune/tuning-cache.ts";
export { dispatch } from "./wgsl/dispatch.ts";
export { defineKernel, type Kernel } from "./wgsl/kernel.ts";
export type { Source } from "./wgsl/specialize.ts";
