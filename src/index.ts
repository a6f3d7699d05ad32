export { type ErrorCode, FeaturemapError } from "./base/errors.ts";
export type { Shape } from "./base/shape.ts";
export { type Progress, progressLine } from "./callbacks/progress.ts";
export { progressBar, type Terminal } from "./callbacks/progress-bar.ts";
export { type NonFinite, type TerminateOnNaN, terminateOnNaN } from "./callbacks/terminate-on-nan.ts";
export { createDataset, type Dataset } from "./data/dataset.ts";
export { type DataInput, type NestedNumbers, oneHot, type TensorData, type TypedArray, tensor } from "./data/tensor.ts";
export {
  type FromConfigOptions,
  fromConfig,
  type LayerConfig,
  type LayerFactory,
  type ModelConfig,
  toConfig,
} from "./formats/config.ts";
export type { SafeArray, SafeType } from "./formats/element-types.ts";
export {
  type FetchIdxOptions,
  fetchIdx,
  type IdxArray,
  parseIdx,
  type ReadIdxOptions,
  readIdxFile,
} from "./formats/idx.ts";
export {
  type Named,
  parseSafetensors,
  type SafeTensor,
  type SafetensorsFile,
  toSafetensors,
} from "./formats/safetensors.ts";
export { type LoadOptions, loadModel, loadWeights, saveModel } from "./formats/saving.ts";
export { type AdapterSummary, createRuntime, type Runtime, type RuntimeOptions } from "./gpu/runtime.ts";
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
export type { Loss, LossName, MetricName } from "./losses/losses.ts";
export type { Labelled } from "./model/calls.ts";
export type { CompileOptions } from "./model/compile-options.ts";
export { getHyperparameters, setHyperparameters } from "./model/hyperparameters.ts";
export {
  type Evaluation,
  type Sequential,
  sequential,
  type Weight,
} from "./model/sequential.ts";
export type { ModelStats } from "./model/stats.ts";
export type { LayerInfo } from "./network/network.ts";
export { type ParameterBuffer, parameterBuffers } from "./observe/parameter-buffers.ts";
export {
  createProbe,
  type LayerOutput,
  outputsOf,
  type Probe,
  type ProbeBuffer,
  type ProbeOptions,
} from "./observe/probe.ts";
export { type AdagradOptions, adagrad } from "./optimizers/adagrad.ts";
export { type AdamOptions, type AdamWOptions, adam, adamW } from "./optimizers/adam.ts";
export { type Optimizer, type OptimizerStep, type SgdOptions, sgd } from "./optimizers/optimizer.ts";
export { type RmspropOptions, rmsprop } from "./optimizers/rmsprop.ts";
export type { CompileProgress } from "./plan/executable.ts";
export type { Plan } from "./plan/plan.ts";
export type { Tuner } from "./plan/tuning-task.ts";
export { type CheckpointOptions, checkpoint } from "./snapshots/checkpoint.ts";
export {
  type LastingData,
  type Recovered,
  type Recovery,
  RecoveryError,
  type RecoveryOptions,
  trainWithRecovery,
} from "./snapshots/recovery.ts";
export { type RestoreOptions, restore, type Snapshot, snapshot } from "./snapshots/snapshot.ts";
export { indexedDbSnapshots, type SnapshotStore } from "./snapshots/snapshot-store.ts";
export type { Callback, TrainingParams } from "./training/callback.ts";
export type { BatchOptions, FitOptions } from "./training/fit-options.ts";
export type { History, Logs } from "./training/history.ts";
export { type PauseSwitch, pauseSwitch } from "./training/pause.ts";
export type { TuningStore } from "./tune/answers.ts";
export { fileStore } from "./tune/file-store.ts";
export { indexedDbStore } from "./tune/indexed-db.ts";
export { type TunerOptions, tuner } from "./tune/tuner.ts";
export { dispatch } from "./wgsl/dispatch.ts";
export { defineKernel, type Kernel } from "./wgsl/kernel.ts";
export type { Source } from "./wgsl/specialize.ts";
