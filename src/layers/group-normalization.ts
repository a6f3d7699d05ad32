import { FeaturemapError, finiteNumber, flag, knownKeys, wholeNumber, wrong } from "../base/errors.ts";
import { batchShape } from "../base/shape.ts";
import { reshape } from "../ops/elementwise/reshape.ts";
import { defineLayer } from "./define-layer.ts";
import { type Initializer, initializerOption } from "./initializers.ts";
import { type Layer, subject } from "./layer.ts";
import { normalized } from "./normalized.ts";
import { LAYER_OPTIONS, type LayerOptions, layerOptions } from "./options.ts";

export interface GroupNormalizationOptions extends LayerOptions {
  /** Number of groups of channels. -1: each channel alone, which is instance normalization. Default 32. */
  readonly groups?: number;
  /** What is added to the variance, so that nothing is divided by 0. Default 0.001. */
  readonly epsilon?: number;
  /** Whether `beta` is added. Default true. */
  readonly center?: boolean;
  /** Whether it is multiplied by `gamma`. Default true. */
  readonly scale?: boolean;
  /** First values of `beta`. Default `zeros`. */
  readonly betaInitializer?: Initializer;
  /** First values of `gamma`. Default `ones`. */
  readonly gammaInitializer?: Initializer;
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
  knownKeys(options, OPTIONS, where);
  const groups = wholeNumber(options.groups ?? 32, `${where}: groups`);
  if (groups < 1 && groups !== -1)
    throw wrong(`${where}: groups`, "be at least 1, or -1 for each channel alone", groups);
  const epsilon = finiteNumber(options.epsilon ?? 1e-3, `${where}: epsilon`, 0);
  const center = flag(options.center ?? true, `${where}: center`);
  const scale = flag(options.scale ?? true, `${where}: scale`);
  const betaInitializer = initializerOption(options.betaInitializer ?? "zeros", `${where}: betaInitializer`);
  const gammaInitializer = initializerOption(options.gammaInitializer ?? "ones", `${where}: gammaInitializer`);
  const type = "GroupNormalization";
  return defineLayer({
    type,
    ...layerOptions(options, where),
    config: { groups, epsilon, center, scale, betaInitializer, gammaInitializer },
    variables: ({ name, input }) => {
      const channels = input.at(-1)!;
      if (channels % (groups === -1 ? channels : groups) !== 0) {
        const message = `has ${groups} groups, which do not divide the channels of ${batchShape(input)}`;
        throw new FeaturemapError("shape", `${subject(type, name)} ${message}. Choose groups that divide ${channels}.`);
      }
      const shape = [channels];
      return [
        ...(scale ? [{ name: "gamma", shape, initializer: gammaInitializer }] : []),
        ...(center ? [{ name: "beta", shape, initializer: betaInitializer }] : []),
      ];
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
  });
}

const OPTIONS = [
  "groups",
  "epsilon",
  "center",
  "scale",
  "betaInitializer",
  "gammaInitializer",
  ...LAYER_OPTIONS,
] as const satisfies readonly (keyof GroupNormalizationOptions)[];
