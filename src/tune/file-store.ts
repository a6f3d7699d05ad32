import { FeaturemapError } from "../errors.ts";
import type { TuningStore } from "./answers.ts";

type Files = typeof import("node:fs/promises");

/**
 * Keeps what was measured in a JSON file, for Node, Deno and Bun. The file is made where there is none, and read once.
 *
 * Its methods throw a FeaturemapError `data` where the file is no JSON object or cannot be read or written. A tuner warns of
 * that and leaves the file as it is.
 */
export function fileStore(path: string | URL): TuningStore {
  let entries: Promise<Record<string, unknown>> | undefined;
  let writing: Promise<unknown> = Promise.resolve();
  const read = () => {
    entries ??= readEntries(path);
    return entries;
  };
  return {
    get: async (key) => (await read())[key],
    set: async (key, choices) => {
      const all = await read();
      all[key] = choices;
      // One after the other, each with all that is known.
      writing = writing.then(() => writeEntries(path, all));
      await writing;
    },
  };
}

async function readEntries(path: string | URL): Promise<Record<string, unknown>> {
  const files = await nodeFiles();
  let text: string;
  try {
    text = await files.readFile(path, "utf8");
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") return {};
    throw broken(path, `cannot be read: ${(error as Error).message}.`, error);
  }
  return parseEntries(text, path);
}

function parseEntries(text: string, path: string | URL): Record<string, unknown> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw broken(path, "is no JSON. Delete it.", error);
  }
  if (typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)) return parsed as Record<string, unknown>;
  throw broken(path, "holds no JSON object of choices. Delete it.");
}

async function writeEntries(path: string | URL, entries: Record<string, unknown>): Promise<void> {
  const files = await nodeFiles();
  try {
    await files.writeFile(path, `${JSON.stringify(entries, null, 2)}\n`);
  } catch (error) {
    throw broken(path, `cannot be written: ${(error as Error).message}.`, error);
  }
}

async function nodeFiles(): Promise<Files> {
  // Joined at run time, so that bundlers leave the import alone.
  const specifier = ["node:fs", "promises"].join("/");
  try {
    return (await import(/* @vite-ignore */ specifier)) as Files;
  } catch (error) {
    throw new FeaturemapError("data", "fileStore needs Node, Deno or Bun. Use indexedDbStore in a browser.", {
      cause: error,
    });
  }
}

function broken(path: string | URL, what: string, cause?: unknown): FeaturemapError {
  return new FeaturemapError("data", `fileStore: ${path} ${what}`, { cause });
}
