import { FeaturemapError } from "./errors.ts";

/** Values by key, kept in the browser for pages and workers of one origin. */
export interface Table<T> {
  get(key: string): Promise<T | undefined>;
  set(key: string, value: T): Promise<void>;
}

/**
 * Opens a table of an IndexedDB database. Both are made when they are first needed.
 *
 * Its methods throw a FeaturemapError `data` where there is no IndexedDB, or the browser refuses to read or write. `set` also throws it
 * for a value that cannot be cloned. It reads the value before it returns its promise.
 */
export function indexedDbTable<T>(database: string, name: string): Table<T> {
  let opened: Promise<IDBDatabase> | undefined;
  const close = () => {
    opened = undefined; // The next call opens it again.
  };
  const failed = (what: "read" | "written", cause: unknown) => {
    const why = cause instanceof Error ? cause.message : String(cause);
    return new FeaturemapError("data", `The IndexedDB database "${database}" cannot be ${what}: ${why}`, { cause });
  };
  const run = async <R>(mode: IDBTransactionMode, act: (table: IDBObjectStore) => IDBRequest<R>): Promise<R> => {
    try {
      opened ??= open(database, name, close);
      return await done(act((await opened).transaction(name, mode).objectStore(name)));
    } catch (cause) {
      close();
      throw failed(mode === "readonly" ? "read" : "written", cause);
    }
  };
  return {
    get: (key) => run<T | undefined>("readonly", (table) => table.get(key)),
    set: async (key, value) => {
      let copy: T;
      try {
        copy = structuredClone(value);
      } catch (cause) {
        throw failed("written", cause);
      }
      await run("readwrite", (table) => table.put(copy, key));
    },
  };
}

async function open(database: string, name: string, onClose: () => void): Promise<IDBDatabase> {
  const request = indexedDB.open(database, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(name);
  const made = await done(request);
  // So that the page can delete the database, or a later version of the page can change it.
  made.onversionchange = () => {
    made.close();
    onClose();
  };
  made.onclose = onClose;
  return made;
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
