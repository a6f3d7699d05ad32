/**
 * Files of test/gpu that run in Node on Dawn, in this order: kernels first, then what is built of them. `tuning` keeps what it
 * measured in memory, since Node has no IndexedDB; golden, model and optimizers want MNIST's first 960 training images.
 */
export const FILES = [
  "matmul",
  "shared",
  "dense",
  "conv2d",
  "conv2d-pooling",
  "conv2d-average-pooling",
  "pooling2d",
  "dense-cross-entropy",
  "merge",
  "softmax",
  "elementwise",
  "batch",
  "dropout",
  "optimizers",
  "golden",
  "choices",
  "extension",
  "many-rows",
  "winograd",
  "winograd-step",
  "hoisted",
  "ledger",
  "model",
  "odd-times",
  "memory",
  "tuning",
  "pipelines",
  "hyperparameters",
  "snapshot",
  "probe",
  "pause",
  "saving",
  "lifetime",
  "compile-progress",
] as const;

/** Those that do not run there, and why: none, so far. */
export const LEFT_OUT: Readonly<Record<string, string>> = {};
