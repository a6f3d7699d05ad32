// What stands in for src/tune/indexed-db.ts where there is no IndexedDB (an alias in build.ts): the same store, in memory.

import type { Choice } from "../../../src/graph/tile.ts";
import type { TuningStore } from "../../../src/tune/answers.ts";

const databases = new Map<string, Map<string, readonly Choice[]>>();

/** The tests that make databases delete them. */
Object.assign(globalThis, { indexedDB: { deleteDatabase: (name: string) => void databases.delete(name) } });

export function indexedDbStore(name = "featuremap"): TuningStore {
  const database = () => databases.get(name) ?? databases.set(name, new Map()).get(name)!;
  return {
    get: async (key) => structuredClone(database().get(key)),
    set: async (key, choices) => void database().set(key, structuredClone(choices)),
  };
}
