import { opTable } from "../graph/op.ts";
import { activationOps } from "./activation.ts";
import { addOps } from "./add.ts";
import { averagePooling2dOps } from "./average-pooling2d.ts";
import { batchOps } from "./batch.ts";
import { conv2dOps } from "./conv2d.ts";
import { denseOps } from "./dense.ts";
import { denseCrossEntropyOps } from "./dense-cross-entropy.ts";
import { matmulOps } from "./matmul.ts";
import { maxPooling2dOps } from "./max-pooling2d.ts";
import { reshapeOps } from "./reshape.ts";
import { sgdOps } from "./sgd.ts";
import { softmaxOps } from "./softmax.ts";
import { softmaxCrossEntropyOps } from "./softmax-cross-entropy.ts";
import { winogradOps } from "./winograd.ts";

/** Every op of the library; a model adds those of its layers and its optimizer. */
export const coreOps = opTable(
  batchOps,
  reshapeOps,
  addOps,
  activationOps,
  conv2dOps,
  winogradOps,
  maxPooling2dOps,
  averagePooling2dOps,
  matmulOps,
  denseOps,
  softmaxOps,
  softmaxCrossEntropyOps,
  sgdOps,
  // After those whose rewrites prepare what it takes in.
  denseCrossEntropyOps,
);
