// Programs of docs/guide, so that tests compile and run what the pages show.

import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Plugin, transformWithOxc } from "vite";
import { ENTRIES } from "./entries.ts";
import { MAIN, programsOf } from "./guide-code.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
export const GUIDE = join(ROOT, "docs/guide");

/** Pages of the guide, as `training.md`. */
export function guidePages(): string[] {
  return readdirSync(GUIDE).filter((name) => name.endsWith(".md"));
}

/** Text of a page. */
export function guideText(page: string): string {
  return readFileSync(join(GUIDE, page), "utf8");
}

/** Lets a page of docs/guide be imported as its program, with the library's sources for the entries of the package. */
export function importGuide(): Plugin {
  const compiled = async (code: string, file: string) => (await transformWithOxc(code, file)).code;
  /** Page that shows a file of its own, as `train-worker.ts`. */
  const pageOf = (file: string) =>
    file === MAIN ? undefined : guidePages().find((page) => programsOf(guideText(page)).has(file));
  return {
    name: "featuremap-guide",
    enforce: "pre",
    resolveId(source, importer) {
      const entry = ENTRIES.find(({ name }) => name === source);
      if (entry) return importer?.startsWith(GUIDE) ? join(ROOT, entry.source) : null;
      // Such a file is asked for by its address, and is not on the disk.
      const [, name, query = ""] = /^(?:.*\/docs\/guide|\.)\/([\w-]+\.ts)(\?.*)?$/.exec(source) ?? [];
      return name && pageOf(name) ? join(GUIDE, name) + query : null;
    },
    async load(id) {
      const [file, query = ""] = id.split("?") as [string, string?];
      if (dirname(file) !== GUIDE || /(^|&)raw\b/.test(query)) return null;
      const name = basename(file);
      if (name.endsWith(".md")) return compiled(programsOf(guideText(name)).get(MAIN) ?? "", `${file}.ts`);
      const page = pageOf(name);
      return page ? compiled(programsOf(guideText(page)).get(name)!, file) : null;
    },
  };
}
