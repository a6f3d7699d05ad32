import { defineOp } from "../../graph/op.ts";

/** View of x through which no gradient passes: Keras's `ops.stop_gradient`. */
export const stopGradient = defineOp({
  name: "stopGradient",
  inputs: ["x"],
  outputs: ["y"],
  view: true,
  infer: ({ x }) => ({ y: x }),
  gradient: () => ({}),
});
