import hashSource from "../../../shaders/lib/hash.wgsl";
import stateSource from "../../../shaders/lib/state.wgsl";
import source from "../../../shaders/mix/mix_draws.wgsl";
import functionsSource from "../../../shaders/pointwise/lib/functions.wgsl";
import turnSource from "../../../shaders/random/lib/turn.wgsl";
import { keyOf } from "../../base/random.ts";
import { defineOp, typed } from "../../graph/op.ts";
import type { Kernel } from "../../wgsl/kernel.ts";
import { dispatchEach } from "../access.ts";
import { activationSources } from "../activation/activation.ts";

const kernel: Kernel<{ state: "read"; partners: "write"; weights: "write" }> = source;

interface Attributes {
  readonly batch: number;
  /** Range of a, which a step draws evenly, above 0. */
  readonly low: number;
  readonly high: number;
  readonly seed: number;
}

/**
 * Draws for a batch that is mixed within itself: for each row a partner, partners [batch], and the row's own share, weights [batch], of
 * Beta(a, a). Partners are a permutation of the rows in use. The seed, the node's name and the step make all of it. No gradient passes.
 */
export const mixDraws = defineOp({
  name: "mixDraws",
  inputs: ["state"],
  outputs: ["partners", "weights"],
  attributes: typed<Attributes>(),
  infer: (_, { batch }) => ({
    partners: { shape: [batch], dtype: "u32" },
    weights: { shape: [batch], dtype: "f32" },
  }),
  gradient: () => ({}),
  lower: ({ node, inputs, outputs, attributes: { batch, low, high, seed } }) => [
    dispatchEach(kernel, batch, {
      bind: { ...inputs, ...outputs },
      constants: { BATCH: batch, KEY: keyOf(seed, node.name), LOW: low, SPAN: high - low },
      libraries: [stateSource, hashSource, functionsSource, turnSource, ...activationSources],
    }),
  ],
});
