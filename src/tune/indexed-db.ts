import { indexedDbTable } from "../base/indexed-db.ts";
import type { Choice } from "../graph/tile.ts";
import type { TuningStore } from "./tuning-cache.ts";

/**
 * Keeps a tuner's choices in the browser, for pages and workers of one origin.
 *
 * Its methods throw a FeaturemapError `data` where there is no IndexedDB, or the browser refuses to read or write.
 *
 * @param name Name of the database. Default "featuremap".
 */
export function indexedDbStore(name = "featuremap"): TuningStore {
  return indexedDbTable<readonly Choice[]>(name, "tuning");
}
