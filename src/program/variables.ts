import { allocateFloats } from "../base/arrays.ts";
import { cut, FeaturemapError, finiteNumber } from "../base/errors.ts";
import { elements } from "../base/shape.ts";
import { stepState } from "../graph/step-state.ts";
import { checkedSpecs, type Variable } from "../graph/variable.ts";
import type { Network } from "../network/network.ts";
import type { Optimizer, SlotSpec } from "../optimizers/optimizer.ts";
import type { Measures } from "./measures.ts";

/** Makes the variable of the step's state: its number, and its place in the data. */
export function stateVariable(): Variable {
  return { path: "state", shape: [stepState().words], dtype: "u32", role: "state", trainable: false };
}

/** Makes the variables that an optimizer keeps beside a parameter. */
export function slotsOf(optimizer: Optimizer | undefined, { path, shape, trainable }: Variable): Variable[] {
  if (!trainable) return [];
  return keptBy(optimizer, "slots()", `${path}/`, optimizer?.slots?.(shape));
}

/** Begin of the paths of what an optimizer keeps for itself. Paths of a layer's variables have a slash behind its name. */
export const OWN = "optimizer.";

/** Makes the variables that an optimizer keeps for itself. */
export function ownVariablesOf(optimizer: Optimizer | undefined): Variable[] {
  return keptBy(optimizer, "variables()", OWN, optimizer?.variables?.());
}

/** Makes variables of what an optimizer's `method` gave. */
function keptBy(
  optimizer: Optimizer | undefined,
  method: string,
  prefix: string,
  specs: readonly SlotSpec[] = [],
): Variable[] {
  const where = `Optimizer "${cut(optimizer?.name ?? "")}": ${method}`;
  return checkedSpecs(specs, where).map(({ name, shape, initial = 0 }): Variable => {
    const path = `${prefix}${name}`;
    const first = finiteNumber(initial, `${where}: initial of "${cut(name)}"`);
    const filled = () => allocateFloats(elements(shape), path).fill(first);
    return { path, shape, dtype: "f32", role: "slot", trainable: false, ...(first !== 0 && { initial: filled }) };
  });
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
    ...ownVariablesOf(optimizer),
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
