/**
 * Tests that want a GPU and run in Node on Dawn, `test/NAME.gpu.test.ts`, in this order: kernels first, then what is built of them. `tuner` keeps what it
 * measured in memory, since Node has no IndexedDB; `golden`, `sequential` and `optimizer` want MNIST's first 960 training images.
 */
export const FILES = [
  "ops/product/matmul",
  "ops/product/shared",
  "ops/dense/dense",
  "ops/conv2d/conv2d",
  "ops/conv2d/naive-conv2d",
  "ops/pooling/conv2d-pooling",
  "ops/pooling/conv2d-average-pooling",
  "ops/pooling/pooling2d",
  "ops/softmax/dense-cross-entropy",
  "plan/merge-dispatches",
  "ops/softmax/softmax",
  "ops/elementwise/elementwise",
  "ops/non-finite",
  "ops/non-finite-fused",
  "ops/batch/batch",
  "ops/elementwise/dropout",
  "optimizers/optimizer",
  "golden/golden",
  "model/choices",
  "ops/extension",
  "ops/product/many-rows",
  "ops/conv2d/winograd",
  "ops/conv2d/winograd-step",
  "ops/conv2d/winograd-outlier",
  "ops/product/hoisted",
  "model/ledger",
  "model/sequential",
  "model/odd-times",
  "model/memory",
  "tune/tuner",
  "gpu/pipelines",
  "model/hyperparameters",
  "snapshots/snapshot",
  "observe/probe",
  "training/pause",
  "formats/saving",
  "model/lifetime",
  "plan/executable",
  "model/callers-memory",
  "gpu/gpu-errors",
  "callbacks/terminate-on-nan",
  "snapshots/recovery",
] as const;

/** Those that do not run there, and why. */
export const LEFT_OUT: Readonly<Record<string, string>> = {
  guide: "wants Vite to read the pages of docs/guide, and a page, for its worker",
  "base/arrays": "wants a page, for its iframe",
};
