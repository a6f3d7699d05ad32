export { createDataset, type Dataset } from "./data/dataset.ts";
export type { SafeArray, SafeType } from "./data/element-types.ts";
export {
  type FetchIdxOptions,
  fetchIdx,
  type IdxArray,
  parseIdx,
  type ReadIdxOptions,
  readIdxFile,
} from "./data/idx.ts";
export {
  type Named,
  parseSafetensors,
  type SafeTensor,
  type SafetensorsFile,
  toSafetensors,
} from "./data/safetensors.ts";
export { type DataInput, type NestedNumbers, oneHot, type TensorData, type TypedArray, tensor } from "./data/tensor.ts";
export { type ErrorCode, FeaturemapError } from "./errors.ts";
export { dispatch } from "./gpu/dispatch.ts";
export { defineKernel, type Kernel } from "./gpu/kernel.ts";
export { type AdapterSummary, createRuntime, type Runtime, type RuntimeOptions } from "./gpu/runtime.ts";
export type { Source } from "./gpu/specialize.ts";
export type { Attributes, Graph, Node, Tensor, TensorId, TensorSpec } from "./graph/graph.ts";
export {
  defineOp,
  type GradientContext,
  type GraphEdit,
  type LowerContext,
  type Op,
  type Rewrite,
} from "./graph/op.ts";
export type { Choices, MemoryMode, Tile } from "./graph/tile.ts";
export { averagePooling2d } from "./layers/average-pooling2d.ts";
export { type Conv2dOptions, conv2d } from "./layers/conv2d.ts";
export { type DenseOptions, dense } from "./layers/dense.ts";
export { type DropoutOptions, dropout } from "./layers/dropout.ts";
export { flatten } from "./layers/flatten.ts";
export type { Initializer } from "./layers/initializers.ts";
export type { Layer, LayerCall, LayerPlace, ParameterSpec } from "./layers/layer.ts";
export { maxPooling2d } from "./layers/max-pooling2d.ts";
export type { Pooling2dOptions } from "./layers/pooling2d.ts";
export { type AdagradOptions, adagrad } from "./model/adagrad.ts";
export { type AdamOptions, type AdamWOptions, adam, adamW } from "./model/adam.ts";
export type { Callback, TrainingParams } from "./model/callbacks.ts";
export type { Labelled } from "./model/calls.ts";
export { type CheckpointOptions, checkpoint } from "./model/checkpoint.ts";
export type { CompileOptions } from "./model/compile-options.ts";
export {
  type FromConfigOptions,
  fromConfig,
  type LayerConfig,
  type LayerFactory,
  type ModelConfig,
  toConfig,
} from "./model/config.ts";
export type { BatchOptions, FitOptions } from "./model/fit.ts";
export type { History, Logs } from "./model/history.ts";
export { getHyperparameters, setHyperparameters } from "./model/hyperparameters.ts";
export type { Loss, LossName, MetricName } from "./model/losses.ts";
export type { LayerInfo } from "./model/network.ts";
export { type Optimizer, type OptimizerStep, type SgdOptions, sgd } from "./model/optimizers.ts";
export { type ParameterBuffer, parameterBuffers } from "./model/parameter-buffers.ts";
export { type PauseSwitch, pauseSwitch } from "./model/pause.ts";
export {
  createProbe,
  type LayerOutput,
  outputsOf,
  type Probe,
  type ProbeBuffer,
  type ProbeOptions,
} from "./model/probe.ts";
export { type Progress, progressLine } from "./model/progress.ts";
export { progressBar, type Terminal } from "./model/progress-bar.ts";
export {
  type LastingData,
  type Recovered,
  type Recovery,
  RecoveryError,
  type RecoveryOptions,
  trainWithRecovery,
} from "./model/recovery.ts";
export { type RmspropOptions, rmsprop } from "./model/rmsprop.ts";
export { type LoadOptions, loadModel, loadWeights, saveModel } from "./model/saving.ts";
export {
  type Evaluation,
  type Sequential,
  sequential,
  type Weight,
} from "./model/sequential.ts";
export { type RestoreOptions, restore, type Snapshot, snapshot } from "./model/snapshot.ts";
export { indexedDbSnapshots, type SnapshotStore } from "./model/snapshot-store.ts";
export type { ModelStats } from "./model/stats.ts";
export { type NonFinite, type TerminateOnNaN, terminateOnNaN } from "./model/terminate-on-nan.ts";
export type { CompileProgress } from "./plan/executable.ts";
export type { Plan } from "./plan/plan.ts";
export type { Tuner } from "./plan/tuning.ts";
export type { Shape } from "./shape.ts";
export type { TuningStore } from "./tune/answers.ts";
export { fileStore } from "./tune/file-store.ts";
export { indexedDbStore } from "./tune/indexed-db.ts";
export { type TunerOptions, tuner } from "./tune/tuner.ts";
