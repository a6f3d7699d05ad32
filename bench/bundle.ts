import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build, type Plugin, type Rolldown } from "vite";
import type { NetworkName } from "./networks.ts";
import type { SystemName } from "./systems/system.ts";
import { hasBorch } from "./wheel.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const OUT = join(ROOT, "build/bench");

/** Bytes of JavaScript that a page loads for a system's module: the network, its training and inference, and the library. */
export interface Bundle {
  readonly gzipBytes: number;
  readonly bytes: number;
}

/** Which chunks behind `import()` a system loads. jax-js keeps each device but wasm in one. */
const LOADED: Partial<Record<SystemName, RegExp>> = { "jax-js-webgpu": /webgpu/ };

/** Modules of a system for one network, which leave out what only another needs. */
const ALONE: Partial<Record<`${SystemName} ${NetworkName}`, string>> = { "featuremap article": "featuremap-article" };

/** Builds our library as it is published, so that it is measured as its peers are: out of its package. */
export async function buildLibrary(): Promise<void> {
  await build({
    root: ROOT,
    configFile: join(ROOT, "vite.config.ts"),
    logLevel: "error",
    build: { outDir: join(OUT, "library"), emptyOutDir: true },
  });
}

/** Puts the published library in the place of its sources. */
export function publishedLibrary(): Plugin {
  return {
    name: "featuremap-published",
    enforce: "pre",
    resolveId: (source) => (source.endsWith("/src/index.ts") ? join(OUT, "library/featuremap.js") : null),
  };
}

/** Minifies a system's module as Vite does by default, and sums what a page would load. Wants `buildLibrary` before. */
export async function bundleOf(name: SystemName, network: NetworkName): Promise<Bundle> {
  const file = `bench/systems/${ALONE[`${name} ${network}`] ?? name}.ts`;
  const output = (await build({
    root: ROOT,
    configFile: false,
    logLevel: "error",
    publicDir: false,
    plugins: [publishedLibrary()],
    build: {
      write: false,
      target: "es2022",
      modulePreload: false,
      chunkSizeWarningLimit: 1e5,
      rolldownOptions: { input: join(ROOT, file), preserveEntrySignatures: "strict" },
    },
  })) as Rolldown.RolldownOutput;
  const chunks = output.output.filter((part) => part.type === "chunk");
  const dynamic = LOADED[name];
  const loaded = chunks.filter(
    (chunk) => chunk.isEntry || !chunk.isDynamicEntry || dynamic?.test(chunk.facadeModuleId ?? chunk.fileName),
  );
  const codes = loaded.map(({ code }) => Buffer.from(code));
  return {
    bytes: codes.reduce((sum, code) => sum + code.length, 0),
    gzipBytes: codes.reduce((sum, code) => sum + gzipSync(code, { level: 9 }).length, 0),
  };
}

/** The versions that were measured. */
export function versions(): Record<string, string> {
  const tfjs = ["@tensorflow/tfjs-core", "@tensorflow/tfjs-layers", "@tensorflow/tfjs-backend-webgpu"];
  const names = [...tfjs, "@jax-js/jax", ...(hasBorch() ? ["borch"] : [])];
  const of = (file: string) => (JSON.parse(readFileSync(join(ROOT, file), "utf8")) as { version: string }).version;
  return Object.fromEntries([
    ["featuremap", of("package.json")],
    ...names.map((name) => [name, of(`bench/node_modules/${name}/package.json`)]),
  ]);
}
