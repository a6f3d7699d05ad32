import nanSource from "../../../shaders/lib/nan.wgsl";
import source from "../../../shaders/normalization/batch_moments.wgsl";
import totalSource from "../../../shaders/normalization/batch_moments_total.wgsl";
import momentsLibrary from "../../../shaders/normalization/lib/moments.wgsl";
import { defineOp, typed } from "../../graph/op.ts";
import type { TensorId } from "../../graph/tensor.ts";
import { type Dispatch, dispatch, type Kernel } from "../../wgsl/kernel.ts";
import type { Source } from "../../wgsl/specialize.ts";
import { operand, output } from "../access.ts";
import { assertChannels, deviation, lanesFor, positionsOf } from "./channels.ts";
import { dispatchNormalization, fuseResidual, type NormalizationAttributes } from "./normalization.ts";
import { normalizationGradient } from "./normalization-gradient.ts";

interface Attributes extends NormalizationAttributes {
  readonly momentum: number;
}

const momentsKernel: Kernel<{
  state: "read";
  x: "read";
  gamma: "read?";
  partial: "write?";
  moments: "write?";
  moving_mean: "write?";
  moving_variance: "write?";
}> = source;

const totalKernel: Kernel<{
  state: "read";
  partial: "read";
  gamma: "read?";
  moments: "write";
  moving_mean: "write";
  moving_variance: "write";
}> = totalSource;

/**
 * y = act(gamma (x - mean) / sqrt(variance + epsilon) + beta), over the last axis, by the mean and the biased variance of the rows in
 * use. `residual`, of x's shape, is added before the activation; it comes by `fuseResidual`. Moves the moving mean and variance towards them. `moments` [3, channels] is what the gradient reads.
 */
export const batchNormalization = defineOp({
  name: "batchNormalization",
  inputs: ["x", "state", "movingMean", "movingVariance", "gamma?", "beta?", "residual?"],
  outputs: ["y", "moments"],
  attributes: typed<Attributes>(),
  infer: ({ x, state: _, residual: __, ...own }, ___, where) => {
    assertChannels(x, own, where);
    return { y: x, moments: { shape: [3, x.shape.at(-1)!], dtype: "f32" } };
  },
  updates: ["movingMean", "movingVariance"],
  gradient: ({ gradients: { y: dy }, inputs: { x }, outputs: { moments }, attributes, wanted, state, add }) => {
    const { epsilon } = attributes;
    const { x: wantsX, gamma = false, beta = false } = wanted;
    const own = { epsilon, wanted: { x: wantsX, gamma, beta } };
    const made = add(normalizationGradient, { dy: dy!, source: x, state, moments }, own);
    return { x: made.dx, gamma: made.dgamma, beta: made.dbeta };
  },
  fuses: ["activation", "residual"],
  rewrites: [fuseResidual],
  lower: ({ inputs, outputs: { y, moments }, attributes, adapter, scratch }) => {
    const { x, state, movingMean, movingVariance, gamma, beta, residual } = inputs;
    const { channels, positions, sources } = positionsOf(x.shape);
    const { slices, source, workgroups, partial, total } = lanesFor(channels, positions, adapter);
    const { momentum, epsilon } = attributes;
    const ends = { gamma, moments, moving_mean: movingMean, moving_variance: movingVariance };
    const store: readonly Source[] = [
      { ...momentsLibrary, given: { HAS_GAMMA: gamma !== undefined, MOMENTUM: momentum, REST: 1 - momentum } },
      deviation(epsilon),
      nanSource,
      operand("gamma", channels),
      ...["moments", "moving_mean", "moving_variance"].map((letter) => output(letter, channels)),
    ];
    const parts = slices > 1 ? scratch("partial", partial) : undefined;
    const first: Dispatch<TensorId> = dispatch(momentsKernel, {
      bind: { state, x, ...(parts === undefined ? ends : { partial: parts }) },
      libraries: [...sources, source, operand("x", channels), output("partial", channels), ...store],
      workgroups,
    });
    const added: Dispatch<TensorId>[] =
      parts === undefined
        ? []
        : [
            dispatch(totalKernel, {
              bind: { state, partial: parts, ...ends },
              libraries: [...sources, total.source, operand("partial", channels), ...store],
              workgroups: total.workgroups,
            }),
          ];
    return [first, ...added, dispatchNormalization({ x, moments, beta, residual, y }, attributes, adapter)];
  },
});
