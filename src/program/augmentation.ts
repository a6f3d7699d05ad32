import type { Stage } from "./builder.ts";
import type { Measures } from "./measures.ts";

/** Augmentation of whole batches, inputs and labels together, from `mixUp` and its like. `compile` takes a list of them. */
export interface Augmentation {
  /** Class name of Keras's layer: `MixUp`. */
  readonly name: string;
  /** Options that make it again, as plain JSON. `saveModel` writes them down. */
  readonly config: Readonly<Record<string, unknown>>;
  /** @internal Gives the stage that changes a batch between `gather` and `forward`, in training only. */
  stage(measures: Measures): Stage;
}
