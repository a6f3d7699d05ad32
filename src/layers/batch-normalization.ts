import { finiteNumber, knownKeys, wholeNumber } from "../base/errors.ts";
import { batchNormalization as batchNormalizationOp } from "../ops/normalization/batch-normalization.ts";
import { normalization } from "../ops/normalization/normalization.ts";
import { AFFINE_OPTIONS, type AffineOptions, affineOptions } from "./affine.ts";
import { alongAxis } from "./along-axis.ts";
import { sampleAxes } from "./axes.ts";
import { defineLayer } from "./define-layer.ts";
import { type Initializer, initializerOption } from "./initializers.ts";
import { type Layer, subject } from "./layer.ts";
import { withParts } from "./layer-parts.ts";
import { LAYER_OPTIONS, type LayerOptions, layerOptions } from "./options.ts";

export interface BatchNormalizationOptions extends LayerOptions, AffineOptions {
  /** Axis of the channels, counted with the batch's, which is 0, or from the end. Default -1. */
  readonly axis?: number;
  /** Share of a moving statistic that a training step keeps, at least 0 and below 1. Default 0.99. */
  readonly momentum?: number;
  /** What is added to the variance, so that nothing is divided by 0. Default 0.001. */
  readonly epsilon?: number;
  /** First values of `moving_mean`. Default `zeros`. */
  readonly movingMeanInitializer?: Initializer;
  /** First values of `moving_variance`. Default `ones`. */
  readonly movingVarianceInitializer?: Initializer;
}

/**
 * Batch normalization, Keras's `BatchNormalization`: y = gamma (x - mean) / sqrt(variance + epsilon) + beta, for x
 * [batch, ..., channels]. All variables are [channels]. If the channels are another axis, x is turned before and back after, which costs
 * two copies.
 *
 * In training the mean and the biased variance are the batch's, over all axes but the last. Rows that a short batch does not use
 * count for nothing. Each step moves the moving statistics: moving = moving * momentum + batch * (1 - momentum). Otherwise those
 * are what it normalizes by. So it does in training too where the layer is frozen by `trainable: false`, and then nothing moves.
 *
 * An activation that follows costs no kernel of its own.
 *
 * @throws FeaturemapError `value` for an option that is unknown or out of range
 * @example
 * sequential([
 *   conv2d({ filters: 32, kernelSize: 3, useBias: false, inputShape: [28, 28, 1] }),
 *   batchNormalization(),
 *   activation({ activation: "relu" }),
 * ]);
 */
export function batchNormalization(options: BatchNormalizationOptions = {}): Layer {
  const where = "batchNormalization";
  knownKeys(
    options,
    [
      "axis",
      "momentum",
      "epsilon",
      ...AFFINE_OPTIONS,
      "movingMeanInitializer",
      "movingVarianceInitializer",
      ...LAYER_OPTIONS,
    ],
    where,
  );
  const axis = wholeNumber(options.axis ?? -1, `${where}: axis`);
  const momentum = finiteNumber(options.momentum ?? 0.99, `${where}: momentum`, 0, 1);
  const epsilon = finiteNumber(options.epsilon ?? 1e-3, `${where}: epsilon`, 0);
  const affine = affineOptions(options, where);
  const initializer = <Name extends keyof BatchNormalizationOptions>(name: Name, byDefault: Initializer) =>
    initializerOption(options[name] ?? byDefault, `${where}: ${name}`);
  const movingMeanInitializer = initializer("movingMeanInitializer", "zeros");
  const movingVarianceInitializer = initializer("movingVarianceInitializer", "ones");
  const type = "BatchNormalization";
  return defineLayer(
    withParts(
      {
        type,
        ...layerOptions(options, where),
        config: {
          axis,
          momentum,
          epsilon,
          ...affine.config,
          movingMeanInitializer,
          movingVarianceInitializer,
        },
        // Names and order are those by which Keras saves them.
        variables: ({ name, input }) => {
          const [at] = sampleAxes([axis], input.length + 1, `${subject(type, name)}: axis`);
          const shape = [input[at! - 1]!];
          return [
            ...affine.variables(shape),
            { name: "moving_mean", shape, initializer: movingMeanInitializer, role: "statistic" },
            { name: "moving_variance", shape, initializer: movingVarianceInitializer, role: "statistic" },
          ];
        },
        call: (call) => {
          const { variables, trainingState: state, trainable, add } = call;
          const { gamma, beta, moving_mean, moving_variance } = variables;
          const [mean, variance] = [moving_mean!, moving_variance!];
          return alongAxis(call, call.input, axis, where, (x) => {
            if (state === undefined || !trainable)
              return add(normalization, { x, mean, variance, gamma, beta }, { epsilon }).y;
            const moving = { movingMean: mean, movingVariance: variance };
            return add(batchNormalizationOp, { x, state, ...moving, gamma, beta }, { epsilon, momentum }).y;
          });
        },
      },
      options,
      where,
    ),
  );
}
