import { finiteNumber, knownKeys, wholeNumber, wrong } from "../base/errors.ts";
import { nonNegative } from "../ops/updates/non-negative.ts";
import { type NormConstraintAttributes, normConstraint } from "../ops/updates/norm-constraint.ts";
import { type Constraint, defineConstraint } from "./define-constraint.ts";
import { shortList } from "./options.ts";

/** Options of constraints of norms. */
export interface UnitNormOptions {
  /**
   * Axis or axes along which a norm is taken, from 0. Default 0: of a dense kernel [inputs, units] the weights of each unit. For the
   * filters of a convolution it is `[0, 1, 2]`.
   */
  readonly axis?: number | readonly number[];
}

export interface MaxNormOptions extends UnitNormOptions {
  /** Largest norm, at least 0. Default 2. */
  readonly maxValue?: number;
}

export interface MinMaxNormOptions extends UnitNormOptions {
  /** Smallest norm, at least 0. Default 0. */
  readonly minValue?: number;
  /** Largest norm, at least `minValue`. Default 1. */
  readonly maxValue?: number;
  /** Share of the way that a norm outside is brought back by each step, from 0 to 1. Default 1: all of it. */
  readonly rate?: number;
}

/**
 * Scales weights whose norm is above `maxValue` down to it: Keras's `MaxNorm` (`keras/src/constraints/constraints.py`, as all
 * constraints). Keras adds 1e-7 to the norm that it divides by, so weights of a smaller norm shrink by that share, too.
 *
 * @throws FeaturemapError `value` for an option that is unknown or out of range; as plans are made, for an axis that the weights do not have
 * @example
 * dense({ units: 10, kernelConstraint: maxNorm({ maxValue: 3 }) });
 */
export function maxNorm(options: MaxNormOptions = {}): Constraint {
  const where = "maxNorm";
  knownKeys(options, ["maxValue", "axis"], where);
  const maxValue = finiteNumber(options.maxValue ?? 2, `${where}: maxValue`, 0);
  const axis = axisOption(options.axis, where);
  return ofNorm("MaxNorm", { maxValue, axis }, axis, { least: 0, most: maxValue, rate: 1 });
}

/**
 * Brings norms to between `minValue` and `maxValue`, or `rate` of the way there: Keras's `MinMaxNorm`.
 *
 * @throws FeaturemapError `value` for an option that is unknown or out of range; as plans are made, for an axis that the weights do not have
 * @example
 * conv2d({ filters: 8, kernelSize: 3, kernelConstraint: minMaxNorm({ minValue: 0.5, maxValue: 2, axis: [0, 1, 2] }) });
 */
export function minMaxNorm(options: MinMaxNormOptions = {}): Constraint {
  const where = "minMaxNorm";
  knownKeys(options, ["minValue", "maxValue", "rate", "axis"], where);
  const minValue = finiteNumber(options.minValue ?? 0, `${where}: minValue`, 0);
  const maxValue = finiteNumber(options.maxValue ?? 1, `${where}: maxValue`, 0);
  if (maxValue < minValue) throw wrong(`${where}: maxValue`, `be at least minValue, ${minValue}`, maxValue);
  const rate = finiteNumber(options.rate ?? 1, `${where}: rate`, 0);
  if (rate > 1) throw wrong(`${where}: rate`, "be at most 1", rate);
  const axis = axisOption(options.axis, where);
  return ofNorm("MinMaxNorm", { minValue, maxValue, rate, axis }, axis, { least: minValue, most: maxValue, rate });
}

/**
 * Scales weights to a norm of 1: Keras's `UnitNorm`. A norm of 0 stays 0.
 *
 * @throws FeaturemapError `value` for an option that is unknown or out of range; as plans are made, for an axis that the weights do not have
 * @example
 * dense({ units: 10, kernelConstraint: unitNorm() });
 */
export function unitNorm(options: UnitNormOptions = {}): Constraint {
  knownKeys(options, ["axis"], "unitNorm");
  const axis = axisOption(options.axis, "unitNorm");
  return ofNorm("UnitNorm", { axis }, axis, { least: 1, most: 1, rate: 1 });
}

/**
 * Makes weights below 0 to 0: Keras's `NonNeg`.
 *
 * @example
 * dense({ units: 10, biasConstraint: nonNeg() });
 */
export function nonNeg(options: Readonly<Record<never, never>> = {}): Constraint {
  knownKeys(options, [], "nonNeg");
  return defineConstraint({
    name: "NonNeg",
    config: {},
    constrain: ({ parameter: p, add }) => {
      add(nonNegative, { p });
    },
  });
}

function axisOption(axis: UnitNormOptions["axis"], where: string): number | readonly number[] {
  const checked = (each: unknown) => wholeNumber(each, `${where}: axis`);
  return Array.isArray(axis) ? shortList<number>(axis, `${where}: axis`).map(checked) : checked(axis ?? 0);
}

function ofNorm(
  name: string,
  config: Readonly<Record<string, unknown>>,
  axis: number | readonly number[],
  bounds: Omit<NormConstraintAttributes, "axes">,
): Constraint {
  return defineConstraint({
    name,
    config,
    constrain: ({ parameter: p, add, shapeOf }) => {
      const rank = shapeOf(p).length;
      const axes = [axis].flat().map((each) => (each < 0 ? rank + each : each));
      add(normConstraint, { p }, { axes, ...bounds });
    },
  });
}
