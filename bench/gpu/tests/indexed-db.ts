// What stands in for src/base/indexed-db.ts where there is no IndexedDB (a plugin in build.ts): the same tables, in memory.

import type { Table } from "../../../src/base/indexed-db.ts";

const databases = new Map<string, Map<string, unknown>>();

/** The tests that make databases delete them. */
Object.assign(globalThis, { indexedDB: { deleteDatabase: (name: string) => void databases.delete(name) } });

export function indexedDbTable<T>(name: string): Table<T> {
  const database = () => databases.get(name) ?? databases.set(name, new Map()).get(name)!;
  return {
    get: async (key) => structuredClone(database().get(key)) as T | undefined,
    set: async (key, value) => void database().set(key, structuredClone(value)),
  };
}
