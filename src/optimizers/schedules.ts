import { finiteNumber, flag, knownKeys, listOf, wholeNumber, wrong } from "../base/errors.ts";
import { type ScheduleAttributes, schedule } from "../ops/updates/schedule.ts";
import {
  cosineSources,
  exponentialSources,
  inverseTimeSources,
  piecewiseSources,
  polynomialSources,
  restartsSources,
} from "../ops/updates/schedule-sources.ts";
import { defineSchedule } from "./define-schedule.ts";
import type { Schedule } from "./optimizer.ts";

/** Options of schedules that decay a rate over steps. */
interface DecayOptions {
  /** Rate at the first step. */
  readonly initialLearningRate: number;
  /** Steps of a decay, above 0. */
  readonly decaySteps: number;
}

export interface ExponentialDecayOptions extends DecayOptions {
  /** Factor of the rate after each `decaySteps` steps, at least 0. */
  readonly decayRate: number;
  /** Whether the rate falls once each `decaySteps` steps instead of at every step. Default false. */
  readonly staircase?: boolean;
}

/** Options of `inverseTimeDecay`: those of `exponentialDecay`. */
export type InverseTimeDecayOptions = ExponentialDecayOptions;

export interface PolynomialDecayOptions extends DecayOptions {
  /** Rate at the end. Default 0.0001. */
  readonly endLearningRate?: number;
  /** Power of the share that is left, at least 0. Default 1: a straight line. */
  readonly power?: number;
  /** Whether the decay becomes a longer one whenever it is over. Default false: the rate stays at its end. */
  readonly cycle?: boolean;
}

export interface CosineDecayOptions extends DecayOptions {
  /** Share of the rate that is left at the end. Default 0. */
  readonly alpha?: number;
  /** Rate at the end of a warm-up, from which it decays. Default: no warm-up. */
  readonly warmupTarget?: number | undefined;
  /** Steps of the warm-up. Default 0. */
  readonly warmupSteps?: number;
}

export interface CosineDecayRestartsOptions {
  /** Rate at the first step. */
  readonly initialLearningRate: number;
  /** Steps of the first period, above 0. */
  readonly firstDecaySteps: number;
  /** Length of a period as a multiple of the one before, at least 1. Default 2. */
  readonly tMul?: number;
  /** First rate of a period as a multiple of that of the one before, at least 0. Default 1. */
  readonly mMul?: number;
  /** Share of `initialLearningRate` that is always left. Default 0. */
  readonly alpha?: number;
}

export interface PiecewiseConstantDecayOptions {
  /** Last step of each value but the last one: whole numbers of at least 0, each above the one before. Steps count from 0. */
  readonly boundaries: readonly number[];
  /** Rates, one more than there are boundaries, at most 100. */
  readonly values: readonly number[];
}

/**
 * Exponential decay: initialLearningRate decayRate^(t / decaySteps) after t steps, as Keras's `ExponentialDecay` has it
 * (`keras/src/optimizers/schedules/learning_rate_schedule.py`, as all schedules).
 *
 * @throws FeaturemapError `value` for an option that is missing, unknown or out of range
 * @example
 * const optimizer = sgd({ learningRate: exponentialDecay({ initialLearningRate: 0.1, decaySteps: 1000, decayRate: 0.96 }) });
 */
export function exponentialDecay(options: ExponentialDecayOptions): Schedule {
  const config = decayOptions(options, "exponentialDecay");
  const { initialLearningRate: INITIAL, decaySteps: STEPS, decayRate, staircase: STAIRCASE } = config;
  const constants = { INITIAL, STEPS, LOG_RATE: logarithm(decayRate), STAIRCASE };
  return made("exponentialDecay", config, exponentialSources, constants);
}

/**
 * Inverse time decay: initialLearningRate / (1 + decayRate t / decaySteps) after t steps, as Keras's `InverseTimeDecay` has it.
 *
 * @throws FeaturemapError `value` for an option that is missing, unknown or out of range
 * @example
 * const optimizer = sgd({ learningRate: inverseTimeDecay({ initialLearningRate: 0.1, decaySteps: 100, decayRate: 0.5 }) });
 */
export function inverseTimeDecay(options: InverseTimeDecayOptions): Schedule {
  const config = decayOptions(options, "inverseTimeDecay");
  const { initialLearningRate: INITIAL, decaySteps: STEPS, decayRate: RATE, staircase: STAIRCASE } = config;
  return made("inverseTimeDecay", config, inverseTimeSources, { INITIAL, STEPS, RATE, STAIRCASE });
}

/**
 * Polynomial decay: endLearningRate + (initialLearningRate - endLearningRate) (1 - t / decaySteps)^power, t at most `decaySteps`, as
 * Keras's `PolynomialDecay` has it. With `cycle`, the least multiple of `decaySteps` that t does not exceed is in their place.
 *
 * @throws FeaturemapError `value` for an option that is missing, unknown or out of range
 * @example
 * const optimizer = adam({ learningRate: polynomialDecay({ initialLearningRate: 0.01, decaySteps: 500, power: 0.5 }) });
 */
export function polynomialDecay(options: PolynomialDecayOptions): Schedule {
  const where = "polynomialDecay";
  knownKeys(options, ["initialLearningRate", "decaySteps", "endLearningRate", "power", "cycle"], where);
  const { endLearningRate: END = 1e-4, power: POWER = 1, cycle: CYCLE = false } = options;
  const initial = rate(options.initialLearningRate, `${where}: initialLearningRate`);
  const STEPS = steps(options.decaySteps, `${where}: decaySteps`);
  rate(END, `${where}: endLearningRate`);
  finiteNumber(POWER, `${where}: power`, 0);
  flag(CYCLE, `${where}: cycle`);
  const config = { initialLearningRate: initial, decaySteps: STEPS, endLearningRate: END, power: POWER, cycle: CYCLE };
  const constants = { SPAN: initial - END, END, STEPS, POWER, CYCLE };
  return made(where, config, polynomialSources, constants);
}

/**
 * Cosine decay: initialLearningRate ((1 - alpha) (1 + cos(pi t / decaySteps)) / 2 + alpha), t at most `decaySteps`, as Keras's
 * `CosineDecay` has it. With `warmupTarget`, the rate first goes there in a straight line, in `warmupSteps` steps, and decays from there.
 *
 * @throws FeaturemapError `value` for an option that is missing, unknown or out of range
 * @example
 * const learningRate = cosineDecay({ initialLearningRate: 0, decaySteps: 900, warmupTarget: 0.1, warmupSteps: 100 });
 */
export function cosineDecay(options: CosineDecayOptions): Schedule {
  const where = "cosineDecay";
  knownKeys(options, ["initialLearningRate", "decaySteps", "alpha", "warmupTarget", "warmupSteps"], where);
  const { alpha: ALPHA = 0, warmupTarget, warmupSteps = 0 } = options;
  const INITIAL = rate(options.initialLearningRate, `${where}: initialLearningRate`);
  const STEPS = steps(options.decaySteps, `${where}: decaySteps`);
  finiteNumber(ALPHA, `${where}: alpha`, 0);
  finiteNumber(warmupSteps, `${where}: warmupSteps`, 0);
  const warm = warmupTarget === undefined ? {} : { warmupTarget: rate(warmupTarget, `${where}: warmupTarget`) };
  const config = { initialLearningRate: INITIAL, decaySteps: STEPS, alpha: ALPHA, ...warm, warmupSteps };
  const constants = {
    INITIAL,
    FROM: warmupTarget ?? INITIAL,
    STEPS,
    ALPHA,
    WARMUP: "warmupTarget" in warm ? warmupSteps : 0,
  };
  return made(where, config, cosineSources, constants);
}

/**
 * Cosine decay with restarts: the rate falls as by `cosineDecay`, and begins anew, for `tMul` times as many steps and from `mMul` times
 * the rate: Keras's `CosineDecayRestarts`. Periods are counted exactly; Keras computes their number by a logarithm.
 *
 * @throws FeaturemapError `value` for an option that is missing, unknown or out of range
 * @example
 * const learningRate = cosineDecayRestarts({ initialLearningRate: 0.1, firstDecaySteps: 1000, mMul: 0.9 });
 */
export function cosineDecayRestarts(options: CosineDecayRestartsOptions): Schedule {
  const where = "cosineDecayRestarts";
  knownKeys(options, ["initialLearningRate", "firstDecaySteps", "tMul", "mMul", "alpha"], where);
  const { tMul: STRETCH = 2, mMul = 1, alpha: ALPHA = 0 } = options;
  const INITIAL = rate(options.initialLearningRate, `${where}: initialLearningRate`);
  const STEPS = steps(options.firstDecaySteps, `${where}: firstDecaySteps`);
  finiteNumber(STRETCH, `${where}: tMul`, 1);
  finiteNumber(mMul, `${where}: mMul`, 0);
  finiteNumber(ALPHA, `${where}: alpha`, 0);
  const config = { initialLearningRate: INITIAL, firstDecaySteps: STEPS, tMul: STRETCH, mMul, alpha: ALPHA };
  const constants = { INITIAL, STEPS, STRETCH, LOG_M: logarithm(mMul), ALPHA };
  return made(where, config, restartsSources, constants);
}

/**
 * Piecewise constant decay: `values[0]` up to the step `boundaries[0]`, that step with it, then `values[1]`, and so on, as Keras's
 * `PiecewiseConstantDecay` has it.
 *
 * @throws FeaturemapError `value` for an option that is missing, unknown or out of range
 * @example
 * const learningRate = piecewiseConstantDecay({ boundaries: [1000, 2000], values: [0.1, 0.01, 0.001] });
 */
export function piecewiseConstantDecay(options: PiecewiseConstantDecayOptions): Schedule {
  const where = "piecewiseConstantDecay";
  knownKeys(options, ["boundaries", "values"], where);
  const boundaries = [...listed(options.boundaries, `${where}: boundaries`)];
  boundaries.forEach((each, i) => {
    const least = i === 0 ? 0 : boundaries[i - 1]! + 1;
    if (wholeNumber(each, `${where}: boundaries`) < least || each > 0xffffffff)
      throw wrong(`${where}: boundaries`, "be whole numbers of at least 0 that rise", boundaries);
  });
  const values = Array.from(listed(options.values, `${where}: values`), (each) => rate(each, `${where}: values`));
  if (boundaries.length === 0) throw wrong(`${where}: boundaries`, "have a step", boundaries);
  if (values.length !== boundaries.length + 1)
    throw wrong(`${where}: values`, `have ${boundaries.length + 1} rates, one more than there are boundaries`, values);
  return made(where, { boundaries, values }, piecewiseSources(boundaries, values), {});
}

/** Most rates of a schedule: its shader has a function for each. */
const MOST_RATES = 100;

function listed(list: readonly number[], where: string): readonly number[] {
  if (listOf(list, where).length <= MOST_RATES) return list;
  throw wrong(where, `have at most ${MOST_RATES} entries`, list);
}

function decayOptions(options: ExponentialDecayOptions, where: string): Required<ExponentialDecayOptions> {
  knownKeys(options, ["initialLearningRate", "decaySteps", "decayRate", "staircase"], where);
  return {
    initialLearningRate: rate(options.initialLearningRate, `${where}: initialLearningRate`),
    decaySteps: steps(options.decaySteps, `${where}: decaySteps`),
    decayRate: finiteNumber(options.decayRate, `${where}: decayRate`, 0),
    staircase: flag(options.staircase ?? false, `${where}: staircase`),
  };
}

function rate(value: unknown, where: string): number {
  return finiteNumber(value, where, 0);
}

function steps(value: unknown, where: string): number {
  if (finiteNumber(value, where) > 0) return value as number;
  throw wrong(where, "be above 0", value);
}

/** Gives the logarithm of a factor. That of 0 is finite, too, and its powers but the first are 0. */
function logarithm(factor: number): number {
  return Math.max(Math.log(factor), -1e30);
}

function made(
  name: string,
  config: object,
  libraries: ScheduleAttributes["libraries"],
  constants: ScheduleAttributes["constants"],
): Schedule {
  return defineSchedule({
    name,
    config: { ...config },
    rate: ({ state, add }) => add(schedule, { state }, { libraries, constants }).rate,
  });
}
