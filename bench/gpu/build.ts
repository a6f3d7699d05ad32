// Bundles the kit's parts for Node: each with its shaders, what they share in chunks beside them.

import { readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import { leanShaders } from "../../cli/lean-shaders.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const PARTS = fileURLToPath(new URL("parts", import.meta.url));

export async function buildParts(outDir: string): Promise<void> {
  const files = readdirSync(PARTS).filter((name) => name.endsWith(".ts"));
  await build({
    configFile: false,
    logLevel: "error",
    publicDir: false,
    plugins: [leanShaders()],
    root: ROOT,
    ssr: { noExternal: true },
    build: {
      outDir,
      emptyOutDir: true,
      target: "es2022",
      ssr: true,
      minify: false,
      rolldownOptions: { input: Object.fromEntries(files.map((name) => [basename(name, ".ts"), join(PARTS, name)])) },
    },
  });
}
