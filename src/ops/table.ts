import { opTable } from "../graph/op.ts";
import { activationOps } from "./activation/activation.ts";
import { batchOps } from "./batch/batch.ts";
import { denseOps } from "./dense/dense.ts";
import { addOps } from "./elementwise/add.ts";
import { reshapeOps } from "./elementwise/reshape.ts";
import { matmulOps } from "./product/matmul.ts";
import { softmaxOps } from "./softmax/softmax.ts";
import { sgdOps } from "./updates/sgd.ts";

/**
 * The ops that every model has. Those that one kind of layer or a loss asks for come with it, so that an app ships what it
 * uses; their rewrites follow these, in the order of the layers, then the loss.
 */
export const coreOps = opTable(batchOps, reshapeOps, addOps, activationOps, matmulOps, denseOps, softmaxOps, sgdOps);
