import source from "../../../shaders/normalization/normalization.wgsl";
import { defineOp, typed } from "../../graph/op.ts";
import type { Tensor, TensorId } from "../../graph/tensor.ts";
import type { Dispatch, Kernel } from "../../wgsl/kernel.ts";
import { dispatchEach, operand, output } from "../access.ts";
import { activationNumber, activationSources } from "../activation/activation.ts";
import type { Epilogue } from "../product/epilogue.ts";
import { assertChannels, positionsOf, type Statistics, statisticsCall } from "./channels.ts";
import { normalizationGradient } from "./normalization-gradient.ts";

export interface NormalizationAttributes extends Pick<Epilogue, "activation"> {
  /** What is added to the variance. */
  readonly epsilon: number;
}

const kernel: Kernel<{
  x: "read";
  moments: "read?";
  mean: "read?";
  variance: "read?";
  gamma: "read?";
  beta: "read?";
  y: "write";
}> = source;

/** y = act(gamma (x - mean) / sqrt(variance + epsilon) + beta), by whatever statistics. */
export function dispatchNormalization(
  {
    x,
    beta,
    y,
    ...statistics
  }: Statistics & { readonly x: Tensor; readonly beta?: Tensor | undefined; readonly y: Tensor },
  { epsilon, activation }: NormalizationAttributes,
): Dispatch<TensorId> {
  const { channels, blocks, sources } = positionsOf(x.shape);
  const by = statisticsCall(statistics, { channels, epsilon, scales: true });
  return dispatchEach(kernel, blocks, {
    bind: { x, beta, y, ...by.bind },
    constants: { HAS_BETA: beta !== undefined, ACTIVATION: activationNumber(activation) },
    libraries: [
      ...sources,
      ...by.libraries,
      operand("x", channels),
      operand("beta", channels),
      output("y", channels),
      ...activationSources,
    ],
  });
}

/** y = act(gamma (x - mean) / sqrt(variance + epsilon) + beta), over the last axis, by a mean and a variance that are given, [channels]. */
export const normalization = defineOp({
  name: "normalization",
  inputs: ["x", "mean", "variance", "gamma?", "beta?"],
  outputs: ["y"],
  attributes: typed<NormalizationAttributes>(),
  infer: ({ x, ...own }, _, where) => {
    assertChannels(x, own, where);
    return { y: x };
  },
  gradient: ({ gradients: { y: dy }, inputs: { x, mean, variance, gamma }, attributes, wanted, state, add }) => {
    const { epsilon } = attributes;
    const { x: wantsX, gamma: wantsGamma = false, beta: wantsBeta = false } = wanted;
    const own = { epsilon, wanted: { x: wantsX, gamma: wantsGamma, beta: wantsBeta } };
    const made = add(normalizationGradient, { dy: dy!, source: x, state, mean, variance, gamma }, own);
    return { x: made.dx, gamma: made.dgamma, beta: made.dbeta };
  },
  fuses: ["activation"],
  lower: ({ inputs, outputs, attributes }) => [dispatchNormalization({ ...inputs, ...outputs }, attributes)],
});
