import { addressText, reasonOf } from "../base/check.ts";
import { FeaturemapError } from "../base/errors.ts";
import { nodeFiles } from "../base/node-files.ts";
import type { TuningStore } from "./tuning-cache.ts";

/**
 * Keeps a tuner's choices in a JSON file, for Node, Deno and Bun. The file is made if there is none, and read once.
 *
 * Its methods throw a FeaturemapError `data` where the file is no JSON object or cannot be read or written. A tuner warns of
 * that and leaves the file as it is.
 *
 * @throws FeaturemapError `value` where `path` is no path
 */
export function fileStore(path: string | URL): TuningStore {
  addressText(path, "fileStore: path", "be the path or URL of a file");
  let entries: Promise<Entries> | undefined;
  let writing: Promise<unknown> = Promise.resolve();
  const read = () => {
    entries ??= readEntries(path);
    return entries;
  };
  return {
    get: async (key) => (await read()).get(key),
    set: async (key, choices) => {
      const all = await read();
      all.set(key, choices);
      // Writes follow each other, each with all entries. One that failed does not hold up the next.
      writing = writing.catch(() => {}).then(() => writeEntries(path, all));
      await writing;
    },
  };
}

/** Entries of the file. A key may be any text, also the name of something that every object has. */
type Entries = Map<string, unknown>;

async function readEntries(path: string | URL): Promise<Entries> {
  const files = nodeFiles("fileStore", "indexedDbStore");
  let text: string;
  try {
    text = await files.readFile(path, "utf8");
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") return new Map();
    throw broken(path, `cannot be read: ${reasonOf(error)}.`, error);
  }
  return parseEntries(text, path);
}

function parseEntries(text: string, path: string | URL): Entries {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw broken(path, "is no JSON. Delete it.", error);
  }
  if (typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)) return new Map(Object.entries(parsed));
  throw broken(path, "holds no JSON object of choices. Delete it.");
}

async function writeEntries(path: string | URL, entries: Entries): Promise<void> {
  const files = nodeFiles("fileStore", "indexedDbStore");
  try {
    await files.writeFile(path, `${JSON.stringify(Object.fromEntries(entries), null, 2)}\n`);
  } catch (error) {
    throw broken(path, `cannot be written: ${reasonOf(error)}.`, error);
  }
}

function broken(path: string | URL, what: string, cause?: unknown): FeaturemapError {
  return new FeaturemapError("data", `fileStore: ${path} ${what}`, { cause });
}
