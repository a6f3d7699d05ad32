import stepSource from "../../../shaders/updates/lib/step.wgsl";
import source from "../../../shaders/updates/sgd.wgsl";
import { defineOp, typed } from "../../graph/op.ts";
import type { Kernel } from "../../wgsl/kernel.ts";
import { channelsSource } from "../access.ts";
import { dispatchUpdate, fuseUpdate, inferUpdate } from "./update.ts";

const kernel: Kernel<{ rate: "read"; p: "write"; g: "read"; v: "write?" }> = source;

/** Constants of the kernel. */
interface Attributes {
  readonly MOMENTUM?: number;
  readonly NESTEROV?: boolean;
  readonly DECAY?: number;
}

/** Step of gradient descent, in place: p := p - rate * g; rate [1]. With momentum, the velocity v changes too. */
export const sgd = defineOp({
  name: "sgd",
  inputs: ["p", "g", "rate", "v?"],
  outputs: [],
  attributes: typed<Attributes>(),
  infer: (inputs, _, where) => inferUpdate(inputs, where),
  updates: ["p", "v"],
  inPlace: { library: stepSource, fits: ({ inputs, attributes }) => inputs.v === undefined && !attributes.DECAY },
  rewrites: [fuseUpdate("sgd")],
  lower: ({ inputs, attributes }) => [
    dispatchUpdate(kernel, inputs.p.shape, inputs.v ? ["p", "v"] : ["p"], {
      bind: inputs,
      constants: { ...attributes },
      libraries: [channelsSource(4), stepSource],
    }),
  ],
});
