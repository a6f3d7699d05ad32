import type { AnyLayer } from "../layers/layer.ts";
import type { Loss } from "../losses/loss.ts";
import type { Metric } from "../metrics/metric.ts";
import type { GradientTransform, Optimizer, Schedule } from "../optimizers/optimizer.ts";
import type { Augmentation } from "../program/augmentation.ts";

/** Function that makes a part of a model from the `config` that was written down. */
// biome-ignore lint/suspicious/noExplicitAny: a factory says itself which options it takes, and checks them
export type PartFactory<T> = (config: any) => T;

/** Function that makes an app's own layer from the `config` that `toConfig` wrote down. */
export type LayerFactory = PartFactory<AnyLayer>;

/** Function that wraps an optimizer by the options that its `config` has. */
// biome-ignore lint/suspicious/noExplicitAny: a wrapper checks its own options
export type OptimizerWrapper = (optimizer: Optimizer, options: any) => Optimizer;

type Factories<T> = Readonly<Record<string, PartFactory<T>>>;

/** Parts that models are read with, by their names in files. */
export interface ModelParts {
  /** Layers by class name: `Conv2D`. */
  readonly layers: Factories<AnyLayer>;
  /** Optimizers by the names of their functions. */
  readonly optimizers: Factories<Optimizer>;
  /** Schedules of learning rates by the names of their functions. */
  readonly schedules: Factories<Schedule>;
  /** Gradient transforms by the names of their functions. */
  readonly transforms: Factories<GradientTransform>;
  /** What optimizers are wrapped in, by the names of their functions. */
  readonly wrappers: Readonly<Record<string, OptimizerWrapper>>;
  /** Losses by the names of their functions. They serve as metrics, too. */
  readonly losses: Factories<Loss>;
  /** Metrics by the names of their functions. */
  readonly metrics: Factories<Metric>;
  /** Augmentations of batches by class name: `MixUp`. */
  readonly augmentations: Factories<Augmentation>;
  /** Turns a layer's options of a file into what its factory takes. */
  options(config: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>>;
}
