import { FeaturemapError } from "./errors.ts";

type Files = typeof import("node:fs/promises");

interface Host {
  readonly process?: { getBuiltinModule?(name: "node:fs/promises"): Files };
}

/**
 * The files of Node, Deno or Bun. Asked for at run time and without an `import`, of which webpack would warn.
 *
 * @throws FeaturemapError `data` in a browser
 */
export function nodeFiles(where: string, inBrowser: string): Files {
  const files = (globalThis as Host).process?.getBuiltinModule?.("node:fs/promises");
  if (!files) throw new FeaturemapError("data", `${where} needs Node, Deno or Bun. Use ${inBrowser} in a browser.`);
  return files;
}
