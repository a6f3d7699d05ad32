import { FeaturemapError, show } from "../base/errors.ts";
import { indexedDbTable } from "../base/indexed-db.ts";
import type { Snapshot } from "./snapshot-format.ts";

/** Store that keeps the last snapshot of one training beyond the page. */
export interface SnapshotStore {
  /** Gives the snapshot that was set last; `undefined` or `null` if there is none. */
  get(): Snapshot | null | undefined | Promise<Snapshot | null | undefined>;
  /** Replaces the snapshot. `undefined` forgets it. */
  set(snapshot: Snapshot | undefined): void | Promise<void>;
}

/**
 * Keeps the last snapshot of a training in the browser, for pages and workers of one origin. Give each training a name of its own.
 * `await indexedDbSnapshots("digits").set(undefined)` forgets it.
 *
 * Its methods throw a FeaturemapError `data` where there is no IndexedDB, or the browser refuses to read or write.
 */
export function indexedDbSnapshots(name: string): SnapshotStore {
  if (typeof name !== "string" || name === "")
    throw new FeaturemapError("value", `indexedDbSnapshots: name must be a word for the training, got ${show(name)}.`);
  const table = indexedDbTable<Snapshot | undefined>("featuremap-snapshots", "snapshots");
  return { get: () => table.get(name), set: (snapshot) => table.set(name, snapshot) };
}
