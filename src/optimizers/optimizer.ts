import { aFunction, anObject, aWord, finiteNumber, listOf } from "../base/errors.ts";
import type { Shape } from "../base/shape.ts";
import type { Runtime } from "../gpu/runtime.ts";
import type { Add } from "../graph/op.ts";
import type { TensorId } from "../graph/tensor.ts";
import type { Variable } from "../graph/variable.ts";

/** Numbers that an optimizer keeps from step to step, in a buffer of their own. */
export interface SlotSpec {
  /** Name, unlike those beside it. */
  readonly name: string;
  readonly shape: Shape;
  /** First value of all its numbers, a finite one. Default 0. */
  readonly initial?: number;
}

/** Parts of a call that `begin` and `step` have in common. */
interface OptimizerCall {
  /** State of the step (`shaders/lib/state.wgsl`). Its first word is the number of steps made so far. */
  readonly state: TensorId;
  /** State whose first word is the number of batches so far, where `state` counts updates (`withGradientAccumulation`). Default: `state`. */
  readonly batches?: TensorId | undefined;
  /** Gives a hyperparameter as a tensor [1]. */
  hyperparameter(name: string): TensorId;
  /** Adds a node and returns its outputs by name. */
  readonly add: Add;
  /** Gives the shape of a tensor. */
  shapeOf(tensor: TensorId): Shape;
}

export interface OptimizerBegin extends OptimizerCall {
  /** Gradients of the trainable parameters by path, after all transforms. */
  readonly gradients: ReadonlyMap<string, TensorId>;
  /** The optimizer's own variables, by the names of `variables`. */
  readonly variables: Readonly<Record<string, TensorId>>;
}

export interface OptimizerStep extends OptimizerCall {
  /** Path of the parameter: `dense/kernel`. */
  readonly path: string;
  readonly parameter: TensorId;
  readonly gradient: TensorId;
  /** Slots of the parameter, by the names of `slots`. */
  readonly slots: Readonly<Record<string, TensorId>>;
  /** Tensors that `begin` returned, by its names. */
  readonly shared: Readonly<Record<string, TensorId>>;
}

/** Call for a parameter that may have been stepped. */
export type OptimizerStepped = Omit<OptimizerStep, "gradient">;

export interface TransformCall {
  /** Gradients of the trainable parameters, by path. */
  readonly gradients: ReadonlyMap<string, TensorId>;
  /** State of the step (`shaders/lib/state.wgsl`). */
  readonly state: TensorId;
  /** Adds a node and returns its outputs by name. */
  readonly add: Add;
  /** Shape of a tensor. */
  shapeOf(tensor: TensorId): Shape;
}

export interface AccumulateCall extends TransformCall {
  /** Gives the tensor of a variable, such as one of `slots`. */
  variable(variable: Variable): TensorId;
}

/** Compiled model as an optimizer sees it at the end of `fit`. */
export interface FittedModel {
  readonly settings: { readonly runtime: Runtime };
  readonly variables: {
    readonly store: { of(...roles: readonly ("parameter" | "slot" | "state")[]): readonly FittedVariable[] };
    read(variables: readonly FittedVariable[]): Promise<ArrayBuffer[]>;
    rewind<T>(run: () => Promise<T>): Promise<T>;
  };
}

/** Variable of a compiled model, with its buffer. */
interface FittedVariable {
  readonly variable: Variable;
  readonly buffer: GPUBuffer;
}

/** Transform of gradients, such as clipping: Keras's `clipnorm` and its like. The library's own and a user's have the same interface. */
export interface GradientTransform {
  readonly name: string;
  /** Options that make the transform again, as plain JSON. `saveModel` writes them down. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Adds nodes, and returns the tensors that replace the gradients, of the same paths and shapes. Anything else is an error. */
  transform(call: TransformCall): ReadonlyMap<string, TensorId>;
}

/**
 * Schedule: a learning rate that is computed on the GPU, from the number of steps made so far. It reads nothing back, and a restored
 * model goes on at its step. `defineSchedule` makes one of an app's own.
 *
 * @example
 * const optimizer = sgd({ learningRate: cosineDecay({ initialLearningRate: 0.1, decaySteps: 1000 }) });
 */
export interface Schedule {
  readonly name: string;
  /** Options that make the schedule again, as plain JSON. `saveModel` writes them down, and `restore` compares them. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Adds the nodes that run once a step, and returns their tensor [1]. Anything else is an error. */
  rate(call: Pick<OptimizerCall, "state" | "add">): TensorId;
  /** Makes an optimizer follow it: what the optimizer asks for as its hyperparameter `learningRate` is then the schedule's. */
  follow(optimizer: Optimizer): Optimizer;
}

/**
 * Optimizer: how parameters follow their gradients. The library's own and a user's have the same interface. What it keeps is
 * allocated with the model, counted by `summary`, and part of a snapshot. It begins anew once the model is compiled again.
 *
 * A node that changes a tensor in place runs after all nodes that read it. So a new value is read as an output of that node.
 *
 * What its methods return is checked as plans are made.
 *
 * @throws FeaturemapError `value` where a method returns something other than it promises
 *
 * @example
 * // A learning rate that `decay`, an op of the app's, computes from the number of the step.
 * const decaying: Optimizer = {
 *   name: "decaying",
 *   hyperparameters: { learningRate: 0.1 },
 *   begin: ({ state, hyperparameter, add }) => ({
 *     rate: add(decay, { state, initial: hyperparameter("learningRate") }).rate,
 *   }),
 *   step: ({ parameter: p, gradient: g, shared, add }) => {
 *     add(ops.sgd, { p, g, rate: shared.rate! });
 *   },
 * };
 */
export interface Optimizer {
  readonly name: string;
  /** Options that make the optimizer again, as plain JSON. `saveModel` writes them down. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Numbers that live on the GPU, so that changing one compiles nothing. One that follows a schedule is not among them. */
  readonly hyperparameters: Readonly<Record<string, number>>;
  /** Schedules by the names of the hyperparameters that follow them. `follow` of a schedule sets it. Default: none. */
  readonly schedules?: Readonly<Record<string, Schedule>>;
  /** Gives what is kept beside a parameter. Default: no slots. */
  slots?(parameter: Shape): readonly SlotSpec[];
  /** Gives what is kept once, for all parameters. `begin` gets it. Default: no variables. */
  variables?(): readonly SlotSpec[];
  /** Transforms of the gradients before the parameters are stepped, one after the other. Default: none. */
  readonly transforms?: readonly GradientTransform[];
  /** Replaces the gradients before they are transformed, as `withGradientAccumulation` does. Default: they stay as they are. */
  accumulate?(call: AccumulateCall): ReadonlyMap<string, TensorId>;
  /** Steps whose gradients make one update, as `withGradientAccumulation` sets it. Default 1. */
  readonly stepsPerUpdate?: number;
  /** Changes the model as `fit` ends, by itself or by `signal`, as `withEma` does. Default: it stays as it is. */
  finish?(model: FittedModel, signal?: Pick<AbortSignal, "aborted">): Promise<void>;
  /** Adds the nodes that run once a step. Returns tensors by name, which each `step` gets as `shared`. Default: no nodes. */
  begin?(call: OptimizerBegin): Readonly<Record<string, TensorId>>;
  /** Adds the nodes that step one parameter. */
  step(step: OptimizerStep): void;
  /** Adds the nodes that follow a parameter after its step, if it has one. A frozen parameter has no slots. Default: no nodes. */
  stepped?(this: Optimizer, step: OptimizerStepped): void;
}

/** Options of every optimizer of the library. */
export interface OptimizerOptions {
  /** Learning rate, a number or a schedule such as `cosineDecay`. Default 0.001; of `sgd` 0.01. */
  readonly learningRate?: number | Schedule | undefined;
  /**
   * Decoupled decay: before each step a parameter loses this share of itself, times the learning rate (`_apply_weight_decay` of
   * `keras/src/optimizers/base_optimizer.py`). Biases decay, too, as in Keras. Default: none; of `adamW` 0.004.
   */
  readonly weightDecay?: number | undefined;
  /** Transforms of the gradients before each step, one after the other. Default: none. */
  readonly transforms?: readonly GradientTransform[] | undefined;
}

/** Names of `OptimizerOptions`. */
export const COMMON_OPTIONS = ["learningRate", "transforms", "weightDecay"] as const;

/**
 * Makes an optimizer out of the options that all have, whose names are known, and of its own parts.
 *
 * @throws FeaturemapError `value` for an option that is out of range
 */
export function optimizerOf(
  options: OptimizerOptions,
  own: Omit<Optimizer, "hyperparameters" | "transforms">,
  defaultRate = 0.001,
): Optimizer {
  const { learningRate = defaultRate, weightDecay } = options;
  const schedule = isSchedule(learningRate) ? learningRate : undefined;
  const where = `${own.name}: `;
  const rates = { learningRate: schedule ? 0 : finiteNumber(learningRate, `${where}learningRate`, 0) };
  const decay = weightDecay !== undefined && { weightDecay: finiteNumber(weightDecay, `${where}weightDecay`, 0) };
  const transforms = checkedTransforms(options, where);
  const made = { ...own, config: { ...rates, ...decay, ...own.config }, hyperparameters: rates, transforms };
  return schedule ? schedule.follow(made) : made;
}

function isSchedule(value: number | Schedule): value is Schedule {
  return typeof (value as Schedule)?.follow === "function";
}

/** Checks and copies a list of transforms. @throws FeaturemapError `value` where it is none */
export function checkedTransforms({ transforms = [] }: OptimizerOptions, where: string): readonly GradientTransform[] {
  return Array.from(listOf(transforms, `${where}transforms`), (each) => {
    aFunction(each?.transform, `${where}transforms: transform`);
    aWord(each.name, `${where}transforms: name`);
    anObject(each.config ?? {}, `${where}transforms: config`);
    return each;
  });
}

/** Gives what an optimizer was made with, its transforms by name and config, as plain JSON. */
export function configOf({ config, transforms = [] }: Optimizer): Readonly<Record<string, unknown>> {
  if (transforms.length === 0) return { ...config };
  return { ...config, transforms: transforms.map(({ name, config }) => ({ name, ...(config && { config }) })) };
}
