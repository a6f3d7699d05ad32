// Bundles tests of test/gpu for a machine that has Node and Dawn and nothing else.

import { writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import { leanShaders } from "../../../cli/lean-shaders.ts";
import { FILES } from "./files.ts";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

/** Writes main.js, which runs the tests (see main.ts for its options), and all that it needs, golden figures included. */
export function buildTests(outDir: string): Promise<void> {
  return bundleTests(
    FILES.map((name) => join(ROOT, `test/gpu/${name}.test.ts`)),
    outDir,
  );
}

/** The same of any files named `*.test.ts`, to be run in this order. */
export async function bundleTests(files: readonly string[], outDir: string): Promise<void> {
  const names = files.map((file) => basename(file, ".test.ts"));
  const tests = Object.fromEntries(names.map((name, i) => [`tests/${name}`, files[i]!]));
  await build({
    configFile: false,
    logLevel: "error",
    publicDir: false,
    root: ROOT,
    plugins: [leanShaders()],
    resolve: {
      alias: [
        { find: /^vitest$/, replacement: join(HERE, "vitest.ts") },
        { find: /^\.\.\/indexed-db\.ts$/, replacement: join(HERE, "indexed-db.ts") },
      ],
    },
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
