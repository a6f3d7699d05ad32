import { type OpTable, opTable } from "../../src/graph/op.ts";
import { adagrad, adam, averagePooling2d, conv2d, dropout, maxPooling2d, rmsprop } from "../../src/index.ts";
import { lossNamed } from "../../src/losses/losses.ts";
import { coreOps } from "../../src/ops/table.ts";

const layers = [conv2d({ filters: 1, kernelSize: 1 }), maxPooling2d(), averagePooling2d(), dropout({ rate: 0.5 })];
const optimizers = [adam(), rmsprop(), adagrad()];

/** Every op of the library, those that layers, optimizers and losses bring among them. */
export const allOps: OpTable = opTable(
  [...coreOps.values()],
  ...layers.map(({ ops }) => ops!),
  ...optimizers.map(({ ops }) => ops!),
  lossNamed("categoricalCrossentropy").ops!,
);
