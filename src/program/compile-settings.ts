import type { Runtime } from "../gpu/runtime.ts";
import type { Choices, MemoryMode } from "../graph/tile.ts";
import type { Loss } from "../losses/losses.ts";
import type { Optimizer } from "../optimizers/optimizer.ts";
import type { CompileProgress } from "../plan/executable.ts";
import type { Tuner } from "../plan/tuning-task.ts";

/** What `compile` was told, checked. */
export interface CompileSettings {
  readonly runtime: Runtime;
  readonly ownsRuntime: boolean;
  /** Without it, as without an optimizer, the model predicts and is neither trained nor evaluated. */
  readonly loss: Loss | undefined;
  readonly optimizer: Optimizer | undefined;
  readonly withAccuracy: boolean;
  readonly seed: number;
  readonly choices: Choices;
  readonly memory: MemoryMode;
  readonly winograd: boolean;
  readonly tune: Tuner | undefined;
  readonly onProgress: ((progress: CompileProgress) => void | Promise<void>) | undefined;
}
