import hashSource from "../../../shaders/lib/hash.wgsl";
import stateSource from "../../../shaders/lib/state.wgsl";
import functionsSource from "../../../shaders/pointwise/lib/functions.wgsl";
import turnSource from "../../../shaders/random/lib/turn.wgsl";
import source from "../../../shaders/random/random.wgsl";
import { keyOf } from "../../base/random.ts";
import { ceilDiv, elements, type Shape } from "../../base/shape.ts";
import { defineOp, typed } from "../../graph/op.ts";
import type { Kernel } from "../../wgsl/kernel.ts";
import { dispatchEach, output } from "../access.ts";
import { activationSources } from "../activation/activation.ts";

const kernel: Kernel<{ state: "read"; y: "write" }> = source;

interface Attributes {
  readonly shape: Shape;
  readonly distribution: "uniform" | "normal";
  readonly seed: number;
  /** Name of the node whose numbers these are. Default: the node itself. */
  readonly drawsOf?: string;
}

/**
 * Random numbers, uniform in [0, 1) or of the standard normal distribution. The seed, the node's name and the step make them, so that the
 * same step has the same ones. No gradient passes.
 */
export const random = defineOp({
  name: "random",
  inputs: ["state"],
  outputs: ["y"],
  attributes: typed<Attributes>(),
  infer: (_, { shape }) => ({ y: { shape, dtype: "f32" } }),
  gradient: () => ({}),
  sharesDispatch: true,
  lower: ({ node, inputs, outputs, attributes: { shape, distribution, seed, drawsOf = node.name } }) => {
    const SIZE = elements(shape);
    return [
      dispatchEach(kernel, ceilDiv(SIZE, 4), {
        bind: { ...inputs, ...outputs },
        constants: { SIZE, KEY: keyOf(seed, drawsOf), NORMAL: distribution === "normal" },
        libraries: [stateSource, hashSource, output("y", SIZE), functionsSource, turnSource, ...activationSources],
      }),
    ];
  },
});
