import { FeaturemapError } from "./errors.ts";

type Files = typeof import("node:fs/promises");

interface Host {
  readonly process?: { getBuiltinModule?(name: "node:fs/promises"): Files };
}

/**
 * Gives the file functions of Node, Deno or Bun. They are found at run time and without `import`, since webpack would warn of one.
 *
 * @throws FeaturemapError `data` in a browser
 */
export function nodeFiles(where: string, inBrowser: string): Files {
  const files = (globalThis as Host).process?.getBuiltinModule?.("node:fs/promises");
  if (!files) throw new FeaturemapError("data", `${where} needs Node, Deno or Bun. Use ${inBrowser} in a browser.`);
  return files;
}
