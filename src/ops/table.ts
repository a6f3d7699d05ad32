import { opTable } from "../graph/op.ts";
import { activationOps } from "./activation.ts";
import { addOps } from "./add.ts";
import { batchOps } from "./batch.ts";
import { denseOps } from "./dense.ts";
import { matmulOps } from "./matmul.ts";
import { reshapeOps } from "./reshape.ts";
import { sgdOps } from "./sgd.ts";
import { softmaxOps } from "./softmax.ts";

/**
 * The ops that every model has. Those that one kind of layer or a loss asks for come with it, so that an app ships what it
 * uses; their rewrites follow these, in the order of the layers, then the loss.
 */
export const coreOps = opTable(batchOps, reshapeOps, addOps, activationOps, matmulOps, denseOps, softmaxOps, sgdOps);
