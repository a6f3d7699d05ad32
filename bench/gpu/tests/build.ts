// Bundles tests that want a GPU for a machine that has Node and Dawn and nothing else. It names those files to the bundler and
// imports none: no other file of bench/ or cli/ knows where tests are.

import { existsSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, normalizePath, type Plugin } from "vite";
import { leanShaders } from "../../../cli/lean-shaders.ts";
import { FILES } from "./files.ts";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

/** Writes main.js, which runs the tests (see main.ts for its options), and all that it needs, golden figures included. */
export function buildTests(outDir: string): Promise<void> {
  return bundleTests(
    FILES.map((name) => join(ROOT, `test/${name}.gpu.test.ts`)),
    outDir,
  );
}

/** The same of any files named `*.test.ts`, to be run in this order. */
export async function bundleTests(files: readonly string[], outDir: string): Promise<void> {
  const names = files.map((file) => basename(file).replace(/(\.gpu)?\.test\.ts$/, ""));
  const tests = Object.fromEntries(names.map((name, i) => [`tests/${name}`, files[i]!]));
  await build({
    configFile: false,
    logLevel: "error",
    publicDir: false,
    root: ROOT,
    plugins: [leanShaders(), tablesInMemory()],
    resolve: { alias: [{ find: /^vitest$/, replacement: join(HERE, "vitest.ts") }] },
    ssr: { noExternal: true },
    build: {
      outDir,
      emptyOutDir: true,
      target: "es2022",
      minify: false,
      ssr: true,
      rolldownOptions: {
        input: { main: join(HERE, "main.ts"), child: join(HERE, "child.ts"), ...tests },
        output: { entryFileNames: "[name].js", chunkFileNames: "chunks/[name]-[hash].js" },
      },
    },
  });
  writeFileSync(join(outDir, "package.json"), '{ "type": "module" }\n');
  writeFileSync(join(outDir, "files.json"), `${JSON.stringify(names)}\n`);
}

/** Puts `indexed-db.ts` beside this file in the place of the library's, however an import spells its path. */
function tablesInMemory(): Plugin {
  const replaced = normalizePath(join(ROOT, "src/base/indexed-db.ts"));
  if (!existsSync(replaced)) throw new Error(`${replaced} is not there: what opens IndexedDB has moved.`);
  return {
    name: "tables-in-memory",
    enforce: "pre",
    async resolveId(source, importer) {
      if (!source.endsWith("/indexed-db.ts")) return null;
      const resolved = await this.resolve(source, importer, { skipSelf: true });
      return resolved?.id === replaced ? join(HERE, "indexed-db.ts") : null;
    },
  };
}
