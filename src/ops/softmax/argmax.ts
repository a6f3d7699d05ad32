import nanSource from "../../../shaders/lib/nan.wgsl";
import source from "../../../shaders/softmax/argmax.wgsl";
import { elements } from "../../base/shape.ts";
import { defineOp } from "../../graph/op.ts";
import type { Kernel } from "../../wgsl/kernel.ts";
import { dispatchEach } from "../access.ts";

const kernel: Kernel<{ x: "read"; y: "write" }> = source;

/** Class numbers y [...], as floats: the place of the first maximum of x [..., classes] along its last axis. It has no gradient. */
export const argmax = defineOp({
  name: "argmax",
  inputs: ["x"],
  outputs: ["y"],
  infer: ({ x }) => ({ y: { shape: x.shape.length > 1 ? x.shape.slice(0, -1) : [1], dtype: "f32" } }),
  lower: ({ inputs: { x }, outputs: { y } }) => {
    const [ROWS, CLASSES] = [elements(y.shape), x.shape.at(-1)!];
    const constants = { ROWS, CLASSES };
    return [dispatchEach(kernel, ROWS, { bind: { x, y }, constants, libraries: [nanSource] })];
  },
});
