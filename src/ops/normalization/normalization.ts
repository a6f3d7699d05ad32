import source from "../../../shaders/normalization/normalization.wgsl";
import { sameShape } from "../../base/shape.ts";
import { defineOp, type Rewrite, typed } from "../../graph/op.ts";
import type { Tensor, TensorId } from "../../graph/tensor.ts";
import type { AdapterClass } from "../../graph/tile.ts";
import type { Dispatch, Kernel } from "../../wgsl/kernel.ts";
import { dispatchEach, operand, output } from "../access.ts";
import { activationNumber, activationSources } from "../activation/activation.ts";
import type { Epilogue } from "../product/epilogue.ts";
import { assertChannels, positionsOf, runsFor, type Statistics, statisticsCall } from "./channels.ts";
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
  residual: "read?";
  y: "write";
}> = source;

/** y = act(gamma (x - mean) / sqrt(variance + epsilon) + beta + residual), by whatever statistics. */
export function dispatchNormalization(
  {
    x,
    beta,
    residual,
    y,
    ...statistics
  }: Statistics & {
    readonly x: Tensor;
    readonly beta?: Tensor | undefined;
    readonly residual?: Tensor | undefined;
    readonly y: Tensor;
  },
  { epsilon, activation }: NormalizationAttributes,
  adapter: AdapterClass,
): Dispatch<TensorId> {
  const { channels, positions, sources } = positionsOf(x.shape);
  const { RUN, invocations } = runsFor({ channels, positions }, adapter);
  const by = statisticsCall(statistics, { channels, epsilon, scales: true });
  return dispatchEach(kernel, invocations, {
    bind: { x, beta, residual, y, ...by.bind },
    constants: {
      RUN,
      HAS_BETA: beta !== undefined,
      HAS_RESIDUAL: residual !== undefined,
      ACTIVATION: activationNumber(activation),
    },
    libraries: [
      ...sources,
      ...by.libraries,
      operand("x", channels),
      operand("beta", channels),
      operand("residual", channels),
      output("y", channels),
      ...activationSources,
    ],
  });
}

/**
 * A residual connection, y = normalization(x) + residual, is added by the kernel that normalizes, if nothing else reads what it made.
 * It is the sum of two tensors of one shape, as the layer `add` has it.
 */
export const fuseResidual: Rewrite = {
  op: "pointwise",
  apply: (edit, node) => {
    const { expression, reduction, activation } = node.attributes;
    const { a, b } = node.inputs;
    if (reduction !== undefined || a === undefined || b === undefined || a === b) return false;
    if (JSON.stringify(expression) !== JSON.stringify(["add", "a", "b"])) return false;
    const y = node.outputs.y!;
    if (![a, b].every((id) => sameShape(edit.tensor(id).shape, edit.tensor(y).shape))) return false;
    for (const [sum, residual] of [
      [a, b],
      [b, a],
    ] as const) {
      const producer = edit.producer(sum);
      if (!producer || !edit.opOf(producer).fuses?.includes("residual") || producer.outputs.y !== sum) continue;
      if (producer.attributes.activation !== undefined || producer.inputs.residual !== undefined) continue;
      if (edit.usedElsewhere(sum, [node])) continue;
      const change = { inputs: { residual }, attributes: { activation } };
      edit.replace([producer, node], [edit.changed(producer, change, { ...producer.outputs, y })]);
      return true;
    }
    return false;
  },
};

/**
 * y = act(gamma (x - mean) / sqrt(variance + epsilon) + beta), over the last axis, by a mean and a variance that are given, [channels].
 * `residual`, of x's shape, is added before the activation; it comes by `fuseResidual`.
 */
export const normalization = defineOp({
  name: "normalization",
  inputs: ["x", "mean", "variance", "gamma?", "beta?", "residual?"],
  outputs: ["y"],
  attributes: typed<NormalizationAttributes>(),
  infer: ({ x, residual: _, ...own }, __, where) => {
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
  fuses: ["activation", "residual"],
  rewrites: [fuseResidual],
  lower: ({ inputs, outputs, attributes, adapter }) => [
    dispatchNormalization({ ...inputs, ...outputs }, attributes, adapter),
  ],
});
