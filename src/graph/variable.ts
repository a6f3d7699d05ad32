import { aWord, listOf, wrong } from "../base/errors.ts";
import { isShape, type Shape } from "../base/shape.ts";
import type { Add } from "./op.ts";
import type { TensorId, TensorSpec } from "./tensor.ts";

/**
 * Role of a variable.
 * - `parameter`: learned by gradients, unless it is frozen
 * - `statistic`: followed by a layer as it trains, such as a moving mean
 * - `counter`: whole numbers that a layer keeps, such as a seed. It is no weight
 * - `slot`: kept by the optimizer beside a parameter, or once for all of them
 * - `rate`: a hyperparameter of the optimizer, such as the learning rate
 * - `metric`: an accumulator over the samples of a sweep
 * - `state`: the number of the step and its place in the data
 */
export type VariableRole = "parameter" | "statistic" | "counter" | "slot" | "rate" | "metric" | "state";

/** Roles of a layer's variables: what `getWeights` gives and files keep. */
export const WEIGHT_ROLES = ["parameter", "statistic"] as const satisfies readonly VariableRole[];

/** Roles of what training changes, and goes on from: what a snapshot keeps. Rates are kept by name. */
export const TRAINED_ROLES = [
  ...WEIGHT_ROLES,
  "counter",
  "slot",
  "metric",
  "state",
] as const satisfies readonly VariableRole[];

/** Variable: numbers on the GPU that outlive a step. */
export interface Variable extends TensorSpec {
  /** Name in its model: `dense/kernel`, `dense/kernel/momentum`, `optimizer.product`, `learningRate`. */
  readonly path: string;
  readonly shape: Shape;
  readonly dtype: "f32" | "u32";
  readonly role: VariableRole;
  /** Whether the optimizer steps it by its gradient. */
  readonly trainable: boolean;
  /** First values, by a seed. Default: zeros. */
  readonly initial?: (seed: number) => Float32Array | Uint32Array;
  /** First values that another model has for it, which go before `initial`. `undefined` if that model has none yet. */
  readonly carried?: (() => Promise<Float32Array | Uint32Array | undefined>) | undefined;
  /** Adds nodes that change a parameter after it was stepped. */
  readonly constrain?:
    | ((call: { parameter: TensorId; add: Add; shapeOf(tensor: TensorId): Shape }) => void)
    | undefined;
}

/** Tells whether each kind of sweep has a variable of its own, so that training and inference do not disturb each other. */
export function isOfSweep({ role }: Pick<Variable, "role">): boolean {
  return role === "metric" || role === "state";
}

/**
 * Checks the names and shapes of what a layer, an optimizer or a metric keeps: an app's own may return anything.
 *
 * @throws FeaturemapError `value` unless they are a list of objects with a name, each another one, and a shape
 */
export function checkedSpecs<Spec extends { readonly name: string; readonly shape: Shape }>(
  specs: readonly Spec[],
  where: string,
  form = "{ name, shape }",
): readonly Spec[] {
  const names = new Set<string>();
  for (const spec of listOf(specs, where)) {
    if (!isShape(spec?.shape)) throw wrong(where, `give a list of ${form}`, spec);
    const name = aWord(spec.name, `${where}: name`);
    if (names.has(name)) throw wrong(where, "give names that differ", name);
    names.add(name);
  }
  return specs;
}
