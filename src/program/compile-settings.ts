import type { Runtime } from "../gpu/runtime.ts";
import type { Choices, MemoryMode } from "../graph/tile.ts";
import type { Optimizer } from "../optimizers/optimizer.ts";
import type { CompileProgress } from "../plan/executable.ts";
import type { Tuner } from "../plan/tuning-task.ts";
import type { Augmentation } from "./augmentation.ts";
import type { OutputSettings } from "./measures.ts";

/** Options of `compile`, checked. */
export interface CompileSettings {
  readonly runtime: Runtime;
  readonly ownsRuntime: boolean;
  /** Settings of training. Without them, the model can predict only. */
  readonly training: TrainingSettings | undefined;
  readonly seed: number;
  readonly choices: Choices;
  readonly memory: MemoryMode;
  readonly winograd: boolean;
  readonly tune: Tuner | undefined;
  readonly onProgress: ((progress: CompileProgress) => void | Promise<void>) | undefined;
}

export interface TrainingSettings {
  /** Settings of the model's outputs that have a loss, in their order. */
  readonly outputs: readonly OutputSettings[];
  readonly optimizer: Optimizer;
  /** What is done to batches before the first layer, in this order. */
  readonly augment: readonly Augmentation[];
}
