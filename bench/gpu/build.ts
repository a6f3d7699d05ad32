// Bundles the kit's parts for Node: each with its shaders, what they share in chunks beside them.

import { readdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import { leanShaders } from "../../cli/lean-shaders.ts";
import { ensurePeers } from "../peers.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const PARTS = fileURLToPath(new URL("parts", import.meta.url));

export function partNames(): string[] {
  return readdirSync(PARTS)
    .filter((name) => name.endsWith(".ts"))
    .map((name) => basename(name, ".ts"));
}

export async function buildParts(outDir: string, names: readonly string[] = partNames()): Promise<void> {
  // The peers are bundled, too. borch comes last: to install the others empties the folder.
  if (names.includes("peers")) for (const peer of ["@jax-js/jax", "borch"] as const) ensurePeers(console.error, peer);
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
      rolldownOptions: { input: Object.fromEntries(names.map((name) => [name, join(PARTS, `${name}.ts`)])) },
    },
  });
  // Modules, also to a Node that does not look into a file to find out.
  writeFileSync(join(outDir, "package.json"), '{ "type": "module" }\n');
}
