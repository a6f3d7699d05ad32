import { cut, FeaturemapError } from "../base/errors.ts";
import { elements } from "../base/shape.ts";
import { stepState } from "../graph/step-state.ts";
import { checkedSpecs, type Variable } from "../graph/variable.ts";
import type { Network } from "../network/network.ts";
import type { Optimizer } from "../optimizers/optimizer.ts";
import type { Measures } from "./measures.ts";

/** Makes the variable of the step's state: its number, and its place in the data. */
export function stateVariable(): Variable {
  return { path: "state", shape: [stepState().words], dtype: "u32", role: "state", trainable: false };
}

/** Makes the variables that an optimizer keeps beside a parameter. */
export function slotsOf(optimizer: Optimizer | undefined, { path, shape, trainable }: Variable): Variable[] {
  if (!trainable) return [];
  return checkedSpecs(optimizer?.slots?.(shape) ?? [], `Optimizer "${cut(optimizer?.name ?? "")}": slots()`).map(
    (slot): Variable => ({
      path: `${path}/${slot.name}`,
      shape: slot.shape,
      dtype: "f32",
      role: "slot",
      trainable: false,
    }),
  );
}

/** Makes the variables of an optimizer's hyperparameters. */
export function ratesOf(optimizer: Optimizer | undefined): Variable[] {
  return Object.keys(optimizer?.hyperparameters ?? {}).map(
    (name): Variable => ({ path: name, shape: [1], dtype: "f32", role: "rate", trainable: false }),
  );
}

/**
 * Lists all variables of a model.
 *
 * @throws FeaturemapError `value` where two have one path, as a layer named `dense/kernel` and the kernel of `dense` may
 */
export function variablesOf(
  network: Network,
  optimizer: Optimizer | undefined,
  measures: Measures | undefined,
): readonly Variable[] {
  const variables = [
    ...network.variables,
    ...network.parameters.flatMap((parameter) => slotsOf(optimizer, parameter)),
    ...ratesOf(optimizer),
    ...(measures?.variables ?? []),
    stateVariable(),
  ];
  const paths = new Set<string>();
  for (const { path } of variables) {
    if (paths.has(path))
      throw new FeaturemapError(
        "value",
        `The model has two variables named "${cut(path)}". Rename a layer or a metric.`,
      );
    paths.add(path);
  }
  return variables;
}

/** Counts the numbers in all variables of some roles. */
export function countOf(variables: readonly Variable[], ...roles: readonly Variable["role"][]): number {
  return variables.reduce((sum, { role, shape }) => sum + (roles.includes(role) ? elements(shape) : 0), 0);
}
