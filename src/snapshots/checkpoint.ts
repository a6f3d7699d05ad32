import { firstNotFinite } from "../base/check.ts";
import { FeaturemapError, finiteNumber, knownKeys, positiveInteger, show } from "../base/errors.ts";
import { assertModel, type WithInternals } from "../model/internals.ts";
import type { Callback } from "../training/callback.ts";
import { snapshot } from "./snapshot.ts";
import type { Snapshot } from "./snapshot-format.ts";

/** Times of snapshots: one of the two, or both. */
export interface CheckpointOptions {
  /** Milliseconds from one snapshot to the next, within an epoch too. It is taken after the submit that is done by then. */
  readonly everyMs?: number;
  /** Epochs from one snapshot to the next, which is taken at an epoch's end. */
  readonly everyEpochs?: number;
  /**
   * Keeps a snapshot. Its promise is awaited before the next snapshot, and before `fit` returns. `fit` throws what it throws. It is
   * not called with a snapshot that has a NaN or Infinity in it: the last good one stays.
   */
  save(snapshot: Snapshot): void | Promise<void>;
}

/**
 * Takes snapshots while a model trains: `fit(x, y, { callbacks: [checkpoint(model, { everyMs: 5000, save })] })`. Within an
 * epoch training does not wait for them. After a lost device (`error.code === "lost"`), `restore` the last one to a new model and
 * `fit` with `resume: true`.
 *
 * @throws FeaturemapError `value` for an option that is missing, unknown or out of range
 */
export function checkpoint(model: WithInternals, options: CheckpointOptions): Callback {
  assertModel(model, "checkpoint");
  knownKeys(options, ["everyMs", "everyEpochs", "save"], "checkpoint");
  const { everyMs, everyEpochs, save } = options;
  if (everyMs === undefined && everyEpochs === undefined)
    throw new FeaturemapError("value", "checkpoint needs everyMs, everyEpochs or both.");
  if (everyMs !== undefined) finiteNumber(everyMs, "checkpoint: everyMs", 0);
  if (everyEpochs !== undefined) positiveInteger(everyEpochs, "checkpoint: everyEpochs");
  if (typeof save !== "function")
    throw new FeaturemapError("value", `checkpoint: save must be a function, got ${show(save)}.`);

  let last = 0;
  /** Snapshot under way, and its saving. The promise never rejects, since `fit` may end before anybody asks. */
  let saving: Promise<void> | undefined;
  let failure: { readonly error: unknown } | undefined;
  const assertSaved = () => {
    const failed = failure;
    failure = undefined;
    if (failed) throw failed.error;
  };
  const saved = async () => {
    await saving;
    assertSaved();
  };
  /** Resolves when the snapshot is taken. */
  const take = async () => {
    last = performance.now();
    const taking = snapshot(model);
    saving = taking
      .then((taken) => (isSound(taken) ? save(taken) : undefined))
      .catch((error: unknown) => {
        failure = { error };
      })
      .finally(() => {
        saving = undefined;
      });
    await taking.catch(() => {});
  };
  return {
    onTrainBegin: () => {
      last = performance.now();
      failure = undefined;
    },
    onTrainBatchEnd: () => {
      assertSaved();
      if (everyMs !== undefined && !saving && performance.now() - last >= everyMs) void take();
    },
    onEpochEnd: async (epoch) => {
      if (everyEpochs === undefined || (epoch + 1) % everyEpochs !== 0) return;
      await saved();
      await take();
    },
    onTrainEnd: saved,
  };
}

/** Tells whether training can go on from a snapshot. `restore` takes no other. */
export function isSound({ variables }: Snapshot): boolean {
  const trained = variables.filter(({ role }) => role !== "metric" && role !== "state");
  return trained.every(({ data }) => firstNotFinite(data as Float32Array) < 0);
}
