import { knownKeys, wrong } from "../base/errors.ts";
import { evaluated } from "../ops/pointwise/pointwise.ts";
import type { Constraint } from "./define-constraint.ts";
import { defineLayer } from "./define-layer.ts";
import type { Regularizer } from "./define-regularizer.ts";
import { type Initializer, initializerOption } from "./initializers.ts";
import type { Layer } from "./layer.ts";
import { withParts } from "./layer-parts.ts";
import { LAYER_OPTIONS, type LayerOptions, layerOptions, shortList } from "./options.ts";

export interface PReluOptions extends LayerOptions {
  /** First values of alpha. Default `zeros`. */
  readonly alphaInitializer?: Initializer;
  /** What alpha adds to the loss, such as `l2()`. Default: nothing. */
  readonly alphaRegularizer?: Regularizer;
  /** What alpha becomes after each step, such as `maxNorm()`. Default: what it is. */
  readonly alphaConstraint?: Constraint;
  /** Axes along which alpha is shared, counted from 1: `[1, 2]` for one alpha a channel of images. Default: none. */
  readonly sharedAxes?: readonly number[];
}

/**
 * x above 0, alpha x below, with an alpha for each number of a sample that is learned: Keras's `PReLU`, He et al. 2015.
 *
 * @throws FeaturemapError `value` for an option that is unknown or wrong, or an axis that the input does not have
 * @example
 * pRelu({ sharedAxes: [1, 2] });
 */
export function pRelu(options: PReluOptions = {}): Layer {
  const where = "pRelu";
  knownKeys(
    options,
    ["alphaInitializer", "alphaRegularizer", "alphaConstraint", "sharedAxes", ...LAYER_OPTIONS],
    where,
  );
  const initializer = initializerOption(options.alphaInitializer ?? "zeros", `${where}: alphaInitializer`);
  const sharedAxes = shortList(options.sharedAxes ?? [], `${where}: sharedAxes`);
  return defineLayer(
    withParts(
      {
        type: "PReLU",
        ...layerOptions(options, where),
        config: { alphaInitializer: initializer, sharedAxes },
        variables: ({ input }) => {
          if (!sharedAxes.every((axis) => Number.isInteger(axis) && axis >= 1 && axis <= input.length))
            throw wrong(`${where}: sharedAxes`, `be axes from 1 to ${input.length}`, sharedAxes);
          const shape = input.map((size, i) => (sharedAxes.includes(i + 1) ? 1 : size));
          return [{ name: "alpha", shape, initializer }];
        },
        call: ({ input: x, variables: { alpha }, add }) =>
          evaluated(add, ["where", ["greater", "x", 0], "x", ["multiply", "alpha", "x"]], { x, alpha: alpha! }),
      },
      options,
      where,
    ),
  );
}
