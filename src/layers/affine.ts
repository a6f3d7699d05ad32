import { flag } from "../base/errors.ts";
import type { Shape } from "../base/shape.ts";
import type { Constraint } from "./define-constraint.ts";
import type { Regularizer } from "./define-regularizer.ts";
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
  /** What `beta` adds to the loss, such as `l2()`. Default: nothing. */
  readonly betaRegularizer?: Regularizer;
  /** What `gamma` adds to the loss, such as `l2()`. Default: nothing. */
  readonly gammaRegularizer?: Regularizer;
  /** What `beta` becomes after each step, such as `maxNorm()`. Default: what it is. */
  readonly betaConstraint?: Constraint;
  /** What `gamma` becomes after each step, such as `maxNorm()`. Default: what it is. */
  readonly gammaConstraint?: Constraint;
}

export const AFFINE_OPTIONS = [
  "center",
  "scale",
  "betaInitializer",
  "gammaInitializer",
  "betaRegularizer",
  "gammaRegularizer",
  "betaConstraint",
  "gammaConstraint",
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
