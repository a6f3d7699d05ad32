// Where the lab runs: a browser's page, or this process.

import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build, type InlineConfig } from "vite";
import { launchBrowser } from "../../cli/browser.ts";
import { CliError, type Log } from "../../cli/errors.ts";
import { leanShaders } from "../../cli/lean-shaders.ts";
import { findMnist } from "../../cli/mnist.ts";
import { browserLabel } from "../../cli/report.ts";
import { openPage, startBrowser } from "../browser.ts";
import { type Dawn, loadDawn } from "../dawn.ts";
import { ensurePeers } from "../peers.ts";
import { startServer } from "../server.ts";
import type { HostName } from "./hosts.ts";
import type { Lab } from "./lab.ts";
import type { nodeLab } from "./node.ts";

type Awaitable<T> = { [K in keyof T]: T[K] extends (...args: infer A) => infer R ? (...args: A) => R : never };

export interface OpenLab {
  readonly lab: Awaitable<Lab>;
  /** The browser or Node, with its version. */
  readonly host: string;
  close(): Promise<void>;
}

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const OUT = join(ROOT, "build/bench/lab");

const BUILD: InlineConfig = { configFile: false, logLevel: "error", publicDir: false, plugins: [leanShaders()] };

/** Builds the lab for a host and starts it. Throws a CliError (exit 1) where there is no WebGPU. */
export function openLab(host: HostName, log: Log): Promise<OpenLab> {
  return host === "browser" ? inBrowser(log) : inNode(log);
}

async function inBrowser(log: Log): Promise<OpenLab> {
  const built = join(OUT, "page");
  await build({
    ...BUILD,
    root: join(ROOT, "bench/lab/page"),
    base: "./",
    build: { outDir: built, emptyOutDir: true, target: "es2022", modulePreload: false },
  });
  const launched = await launchBrowser({ log });
  await launched.browser.close();
  const server = await startServer(findMnist(), built);
  const browser = await startBrowser(launched);
  const close = async () => {
    await Promise.allSettled([browser.close(), server.close()]);
  };
  try {
    const page = await openPage<Lab>(browser, server.url, "featuremapLab", log);
    const call = page.call as (name: string, ...args: unknown[]) => unknown;
    const get =
      (_: object, name: string) =>
      (...args: unknown[]) =>
        call(name, ...args);
    const lab = new Proxy({}, { get }) as Awaitable<Lab>;
    return { lab, host: browserLabel(launched), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function inNode(log: Log): Promise<OpenLab> {
  ensurePeers(log, "webgpu");
  await bundle(join(ROOT, "bench/lab/node.ts"), join(OUT, "node"));
  const built = (await import(pathToFileURL(join(OUT, "node/node.js")).href)) as { nodeLab: typeof nodeLab };
  const lab = built.nodeLab(await dawn(), findMnist(), log);
  return { lab, host: (await lab.info()).host, close: async () => {} };
}

/** Bundles a file with its shaders for Node or Deno; nothing is minified. */
export async function bundle(entry: string, outDir: string): Promise<void> {
  await build({
    ...BUILD,
    root: ROOT,
    ssr: { noExternal: true },
    build: { outDir, emptyOutDir: true, target: "es2022", ssr: entry, minify: false },
  });
}

/** VK_ICD_FILENAMES names a driver for Vulkan. */
async function dawn(): Promise<Dawn> {
  try {
    return await loadDawn(join(ROOT, "bench/node_modules/webgpu/index.js"));
  } catch (cause) {
    const why = (cause as Error).message;
    throw new CliError(1, `The package webgpu does not load here: ${why}. Run "npm ci --prefix bench".`, { cause });
  }
}
