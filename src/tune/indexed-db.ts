import type { Choice } from "../graph/tile.ts";
import type { TuningStore } from "./answers.ts";

const TABLE = "tuning";

/**
 * Keeps what was measured in the browser, for pages and workers of one origin.
 *
 * @param name of the database. Default "featuremap".
 */
export function indexedDbStore(name = "featuremap"): TuningStore {
  let opened: Promise<IDBDatabase> | undefined;
  const table = async (mode: IDBTransactionMode) => {
    opened ??= open(name);
    return (await opened).transaction(TABLE, mode).objectStore(TABLE);
  };
  return {
    get: async (key) => done((await table("readonly")).get(key)),
    set: async (key, choices: readonly Choice[]) => {
      await done((await table("readwrite")).put(choices, key));
    },
  };
}

async function open(name: string): Promise<IDBDatabase> {
  const request = indexedDB.open(name, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(TABLE);
  const database = await done(request);
  // So that the page can delete the database, or a later version of it change it.
  database.onversionchange = () => database.close();
  return database;
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
