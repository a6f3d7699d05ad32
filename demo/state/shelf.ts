// What this browser keeps for the page (IndexedDB). Every failure is told in words of the page's, with what to do.

import { createStore, del, get, keys, set } from "idb-keyval";

/** A database that does not answer is given up, in ms. A slow disk has answered by then. */
const PATIENCE_MS = 10_000;

export type Key = IDBValidKey;

/** What was found under a key, unchecked, or why it cannot be read. */
export type Found = { readonly key: Key } & ({ readonly value: unknown } | { readonly error: Error });

/** A store of the browser's. All of it rejects with an `Error` in words. */
export interface Shelf {
  /** `undefined` where there is nothing. The value may be anything. */
  get(key: Key): Promise<unknown>;
  set(key: Key, value: unknown): Promise<void>;
  del(key: Key): Promise<void>;
  /** Each entry by itself, so that one that cannot be read hides no other. */
  all(): Promise<Found[]>;
}

/** @param database Default: idb-keyval's own. */
export function createShelf(database = "keyval-store", table = "keyval"): Shelf {
  const store = createStore(database, table);
  const read = (key: Key) => told(() => get<unknown>(key, store));
  return {
    get: read,
    set: (key, value) => told(() => set(key, value, store)),
    del: (key) => told(() => del(key, store)),
    async all() {
      const known = await told(() => keys(store));
      return Promise.all(
        known.map((key) =>
          read(key).then(
            (value) => ({ key, value }),
            (error: Error) => ({ key, error }),
          ),
        ),
      );
    },
  };
}

async function told<T>(ask: () => Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(LATE)), PATIENCE_MS);
  });
  try {
    return await Promise.race([ask(), late]);
  } catch (error) {
    throw new Error(wordsOf(error), { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

const LATE = `The browser's storage has not answered for ${PATIENCE_MS / 1000} seconds. Close other tabs of this page, and reload it.`;
const REFUSED =
  "This browser gives the page no storage, as in a private window or where site data is blocked. Allow it in the " +
  "browser's settings, or use an ordinary window. All else works: download what you want to keep.";
const FULL =
  "The browser has no room left for this page. Remove networks that are kept here, or free space on the disk, then try again.";

/** @param error of IndexedDB's, or ours */
function wordsOf(error: unknown): string {
  const { name, message } = Object(error) as { name?: unknown; message?: unknown };
  if (message === LATE) return LATE;
  if (name === "QuotaExceededError") return FULL;
  if (name === "SecurityError" || !hasStorage()) return REFUSED;
  const said = [name, message].filter((part) => typeof part === "string" && part !== "").join(": ");
  return (
    `The browser's storage failed (${said || String(error)}). Reload the page. If it fails again, clear this site's data in the ` +
    "browser's settings, which also removes what is kept here."
  );
}

function hasStorage(): boolean {
  try {
    return Boolean(globalThis.indexedDB);
  } catch {
    return false;
  }
}
