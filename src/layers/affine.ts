import { flag } from "../base/errors.ts";
import type { Shape } from "../base/shape.ts";
import { type Initializer, initializerOption } from "./initializers.ts";
import type { VariableSpec } from "./layer.ts";

/** Options of a layer that multiplies what it has normalized by `gamma` and adds `beta`. */
export interface AffineOptions {
  /** Whether `beta` is added. Default true. */
  readonly center?: boolean;
  /** Whether it is multiplied by `gamma`. Default true. */
  readonly scale?: boolean;
  /** First values of `beta`. Default `zeros`. */
  readonly betaInitializer?: Initializer;
  /** First values of `gamma`. Default `ones`. */
  readonly gammaInitializer?: Initializer;
}

export const AFFINE_OPTIONS = [
  "center",
  "scale",
  "betaInitializer",
  "gammaInitializer",
] as const satisfies readonly (keyof AffineOptions)[];

/** @throws FeaturemapError `value` for an option that is wrong; `where` names the layer */
export function affineOptions(options: AffineOptions, where: string) {
  const center = flag(options.center ?? true, `${where}: center`);
  const scale = flag(options.scale ?? true, `${where}: scale`);
  const betaInitializer = initializerOption(options.betaInitializer ?? "zeros", `${where}: betaInitializer`);
  const gammaInitializer = initializerOption(options.gammaInitializer ?? "ones", `${where}: gammaInitializer`);
  return {
    /** Part of these options in a layer's `config`. */
    config: { center, scale, betaInitializer, gammaInitializer },
    /** Gives `gamma` and `beta`, in the order in which Keras saves them. */
    variables: (shape: Shape): VariableSpec[] => [
      ...(scale ? [{ name: "gamma", shape, initializer: gammaInitializer }] : []),
      ...(center ? [{ name: "beta", shape, initializer: betaInitializer }] : []),
    ],
  };
}
