import type { Lifetime } from "../program/lifetime.ts";
import type { Figures } from "../program/measures.ts";
import { type Callback, GUARD, type TrainedModel, type TrainingParams } from "./callback.ts";
import { Hooks } from "./hooks.ts";
import type { SweepSettings } from "./sweep.ts";

/** Call of a model that callbacks follow. */
export interface FollowedCall {
  readonly model: TrainedModel;
  readonly lifetime: Lifetime;
  readonly callbacks: readonly Callback[];
  readonly signal: AbortSignal | undefined;
  readonly params: TrainingParams;
}

/** Runs a call with hooks of its callbacks: tells them of the model, and frees their guards whatever ends it. */
export async function withCallbacks<T>(call: FollowedCall, run: (hooks: Hooks) => Promise<T>): Promise<T> {
  const { model, lifetime, callbacks } = call;
  const hooks = new Hooks(callbacks, call.signal);
  hooks.begin();
  const disposal = lifetime.disposeAtEnd({ dispose: () => hooks.abandon() });
  try {
    for (const callback of callbacks) callback.setModel?.(model);
    for (const callback of callbacks) callback.setParams?.(call.params);
    const result = await run(hooks);
    lifetime.assertLive();
    return result;
  } finally {
    hooks.end();
    disposal.cancel();
    for (const callback of callbacks) callback[GUARD]?.release(model);
  }
}

/** Gives the settings by which a sweep calls the hooks of batches, for those that callbacks have. */
export function batchHooks(
  hooks: Hooks,
  pass: "Train" | "Test" | "Predict",
): Pick<SweepSettings, "ended" | "reads" | "onBegin" | "onProgress"> {
  const [begin, end] = [`on${pass}BatchBegin`, `on${pass}BatchEnd`] as const;
  const reads = hooks.has("exactLogs") ? "exact" : "at once";
  return {
    ended: hooks.abandoned,
    ...(hooks.has(begin) && { onBegin: (made) => hooks.call((callback) => callback[begin]?.(made)) }),
    ...(hooks.has(end) && {
      reads: hooks.has(GUARD) && reads !== "exact" ? "always" : reads,
      onProgress: ({ done, metrics, repeated }) =>
        hooks.call((callback) => {
          // A guard sees the last figures, though the submit was told of with older ones.
          if (repeated && !callback[GUARD]) return undefined;
          return metrics ? callback[end]?.(done - 1, metrics.logs, metrics) : callback.onPredictBatchEnd?.(done - 1);
        }),
    }),
  };
}

/** Runs an evaluation between its hooks. One that was stopped has no end. */
export async function evaluateWith(
  hooks: Hooks,
  run: (settings: ReturnType<typeof batchHooks>) => Promise<Figures | undefined>,
  stopped: () => boolean,
): Promise<Figures | undefined> {
  await hooks.call((callback) => callback.onTestBegin?.());
  const figures = await run(batchHooks(hooks, "Test"));
  if (figures && !stopped()) await hooks.call((callback) => callback.onTestEnd?.({ ...figures.logs }));
  return figures;
}
