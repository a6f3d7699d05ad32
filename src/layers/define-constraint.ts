import { aFunction, anObject, aWord, wrong } from "../base/errors.ts";
import type { ConstraintCall, LayerSpec } from "./layer.ts";
import { type LayerPart, variableOf } from "./layer-parts.ts";

/** Constraint: what a parameter becomes after each step of the optimizer. */
export interface Constraint extends LayerPart {
  /**
   * Adds nodes that change the parameter in place. They run after the optimizer's, if their op has the parameter among its `updates`, as
   * `ops.nonNegative` has.
   */
  constrain(call: ConstraintCall): void;
}

/**
 * Makes a constraint of an app's own. It runs after each step, for a parameter that is trained, as in Keras (`apply` of
 * `keras/src/optimizers/base_optimizer.py`).
 *
 * @throws FeaturemapError `value` unless it is an object with a `name` and a `constrain`
 * @example
 * const unit = defineConstraint({
 *   name: "Unit",
 *   constrain: ({ parameter: p, add }) => {
 *     add(ops.normConstraint, { p }, { axes: [0], least: 1, most: 1, rate: 1 });
 *   },
 * });
 */
export function defineConstraint(constraint: Omit<Constraint, "onto">): Constraint {
  const where = "defineConstraint";
  const { name, config, constrain } = anObject(constraint, `${where}: constraint`);
  aWord(name, `${where}: name`);
  aFunction(constrain, `${where}: constrain`);
  if (config !== undefined) anObject(config, `${where}: config`);
  const made = { name, constrain, ...(config && { config: { ...config } }) };
  return { ...made, onto: (layer, option) => constrained(made, layer, option) };
}

function constrained(constraint: Omit<Constraint, "onto">, layer: LayerSpec, option: string): LayerSpec {
  const stem = option.replace(/Constraint$/, "");
  if (stem === option) throw wrong(`${layer.type}: ${option}`, "be a regularizer", constraint);
  return {
    ...layer,
    variables: (built) => {
      const specs = layer.variables?.(built) ?? [];
      const found = variableOf(Object.fromEntries(specs.map((spec) => [spec.name, spec])), stem);
      return specs.map((spec) => (spec === found ? { ...spec, constrain: constraint.constrain } : spec));
    },
  };
}
