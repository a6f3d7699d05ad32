import { type Initializer, initialize } from "../../src/layers/initializers.ts";
import type { Part } from "./keras-golden.ts";
import { initializerOf } from "./keras-names.ts";

/** What `test/golden/keras/initializers.py` wrote of an initializer. */
export interface InitializerCase {
  readonly name: string;
  readonly initializer: string;
  readonly config: Part["config"];
  readonly shape: readonly number[];
  /** Numbers of one that draws none. */
  readonly values?: readonly number[];
  /** Square of the length of each row or column of an orthogonal one. */
  readonly square?: number;
  /** Law that Keras draws from: `truncatedNormal` is cut off at two deviations. */
  readonly law?: "uniform" | "normal" | "truncatedNormal";
  readonly low?: number;
  readonly high?: number;
  readonly mean?: number;
  readonly deviation?: number;
}

/** Makes the numbers of a case. @throws FeaturemapError where the library lacks it */
export function initialized({ initializer, config, shape }: InitializerCase): Float32Array {
  const made: Initializer = initializerOf(initializer, config);
  return initialize(made, shape, 7);
}
