import { FeaturemapError, finiteNumber, knownKeys, wholeNumber, wrong } from "../base/errors.ts";
import { batchShape } from "../base/shape.ts";
import { reshape } from "../ops/elementwise/reshape.ts";
import { AFFINE_OPTIONS, type AffineOptions, affineOptions } from "./affine.ts";
import { defineLayer } from "./define-layer.ts";
import { type Layer, subject } from "./layer.ts";
import { withParts } from "./layer-parts.ts";
import { normalized } from "./normalized.ts";
import { LAYER_OPTIONS, type LayerOptions, layerOptions } from "./options.ts";

export interface GroupNormalizationOptions extends LayerOptions, AffineOptions {
  /** Number of groups of channels. -1: each channel alone, which is instance normalization. Default 32. */
  readonly groups?: number;
  /** What is added to the variance, so that nothing is divided by 0. Default 0.001. */
  readonly epsilon?: number;
}

/**
 * Group normalization over the last axis, Keras's `GroupNormalization` (Wu and He 2018). The channels of x [batch, ..., channels] are cut
 * into groups of neighbours. Each group of each sample is normalized by its own mean and biased variance, over all positions. `gamma` and
 * `beta` are [channels]. Training and inference are alike.
 *
 * @throws FeaturemapError `value` for an option that is unknown or out of range; `shape`, when it is called or built, where the groups do
 *   not divide the channels
 * @example
 * groupNormalization({ groups: 8 });
 */
export function groupNormalization(options: GroupNormalizationOptions = {}): Layer {
  const where = "groupNormalization";
  knownKeys(options, ["groups", "epsilon", ...AFFINE_OPTIONS, ...LAYER_OPTIONS], where);
  const groups = wholeNumber(options.groups ?? 32, `${where}: groups`);
  if (groups < 1 && groups !== -1)
    throw wrong(`${where}: groups`, "be at least 1, or -1 for each channel alone", groups);
  const epsilon = finiteNumber(options.epsilon ?? 1e-3, `${where}: epsilon`, 0);
  const affine = affineOptions(options, where);
  const type = "GroupNormalization";
  return defineLayer(
    withParts(
      {
        type,
        ...layerOptions(options, where),
        config: { groups, epsilon, ...affine.config },
        variables: ({ name, input }) => {
          const channels = input.at(-1)!;
          if (channels % (groups === -1 ? channels : groups) !== 0) {
            const message = `has ${groups} groups, which do not divide the channels of ${batchShape(input)}`;
            throw new FeaturemapError(
              "shape",
              `${subject(type, name)} ${message}. Choose groups that divide ${channels}.`,
            );
          }
          const shape = [channels];
          return affine.variables(shape);
        },
        call: ({ input, variables, add, shapeOf }) => {
          const shape = shapeOf(input);
          const channels = shape.at(-1)!;
          const count = groups === -1 ? channels : groups;
          const cut = [count, channels / count];
          const grouped = (x: number, lead: readonly number[]) => add(reshape, { x }, { shape: [...lead, ...cut] }).y;
          const x = grouped(input, shape.slice(0, -1));
          // All but the batch's and the groups'.
          const axes = [...shape.keys(), shape.length].filter((axis) => axis !== 0 && axis !== shape.length - 1);
          const own = {
            gamma: variables.gamma && grouped(variables.gamma, []),
            beta: variables.beta && grouped(variables.beta, []),
          };
          return add(reshape, { x: normalized(add, x, axes, epsilon, own) }, { shape }).y;
        },
      },
      options,
      where,
    ),
  );
}
