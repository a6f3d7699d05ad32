import { type OpTable, opTable } from "../../src/graph/op.ts";
import { averagePooling2d, conv2d, maxPooling2d } from "../../src/index.ts";
import { lossNamed } from "../../src/model/losses.ts";
import { coreOps } from "../../src/ops/table.ts";

const layers = [conv2d({ filters: 1, kernelSize: 1 }), maxPooling2d(), averagePooling2d()];

/** Every op of the library, those that layers and losses bring among them. */
export const allOps: OpTable = opTable(
  [...coreOps.values()],
  ...layers.map(({ ops }) => ops!),
  lossNamed("categoricalCrossentropy").ops!,
);
