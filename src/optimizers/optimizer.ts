import { aFunction, anObject, aWord, listOf } from "../base/errors.ts";
import type { Shape } from "../base/shape.ts";
import type { Add } from "../graph/op.ts";
import type { TensorId } from "../graph/tensor.ts";

export interface OptimizerStep {
  readonly parameter: TensorId;
  readonly gradient: TensorId;
  /** Slots of the parameter, by the names of `slots`. */
  readonly slots: Readonly<Record<string, TensorId>>;
  /** State of the step (`shaders/lib/state.wgsl`). Its first word is the number of steps made so far. */
  readonly state: TensorId;
  /** Gives a hyperparameter as a tensor [1]. */
  hyperparameter(name: string): TensorId;
  /** Adds a node and returns its outputs by name. */
  readonly add: Add;
}

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

/** Transform of gradients, such as clipping: Keras's `clipnorm` and its like. The library's own and a user's have the same interface. */
export interface GradientTransform {
  readonly name: string;
  /** Options that make the transform again, as plain JSON. `saveModel` writes them down. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Adds nodes, and returns the tensors that replace the gradients, of the same paths and shapes. Anything else is an error. */
  transform(call: TransformCall): ReadonlyMap<string, TensorId>;
}

/** Optimizer: how parameters follow their gradients. The library's own and a user's have the same interface. */
export interface Optimizer {
  readonly name: string;
  /** Options that make the optimizer again, as plain JSON. `saveModel` writes them down. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Numbers that live on the GPU, so that changing one compiles nothing. */
  readonly hyperparameters: Readonly<Record<string, number>>;
  /** Gives the names and shapes of a parameter's slots, which begin at 0. Default: no slots. */
  slots?(parameter: Shape): readonly { readonly name: string; readonly shape: Shape }[];
  /** Transforms of the gradients before the parameters are stepped, one after the other. Default: none. */
  readonly transforms?: readonly GradientTransform[];
  /** Adds the nodes that step one parameter. */
  step(step: OptimizerStep): void;
}

/** Options of every optimizer of the library. */
export interface OptimizerOptions {
  /** Transforms of the gradients before each step, one after the other. Default: none. */
  readonly transforms?: readonly GradientTransform[] | undefined;
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
  const made = transforms.map(({ name, config }) => ({ name, ...(config && { config }) }));
  return { ...config, ...(made.length > 0 && { transforms: made }) };
}
