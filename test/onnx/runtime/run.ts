/**
 * Runs models that `toOnnx` wrote in ONNX Runtime, and compares with `predict`: `npm run test:onnx`. No other test needs it. An argument
 * picks the cases that have it in their names.
 *
 * Wants Python with `pip install onnx onnxruntime`; `FEATUREMAP_PYTHON` names it where it is not `python3`.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createServer } from "vite";
import { launchBrowser } from "../../../cli/browser.ts";
import { leanShaders } from "../../../cli/lean-shaders.ts";
import type * as page from "./page.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const FOLDER = join(ROOT, "build/onnx");

declare global {
  var onnxPage: typeof page | undefined;
}

rmSync(FOLDER, { recursive: true, force: true });
mkdirSync(FOLDER, { recursive: true });
const server = await createServer({
  root: ROOT,
  configFile: false,
  logLevel: "error",
  plugins: [leanShaders()],
  optimizeDeps: { include: ["pbf"], noDiscovery: true },
  server: { host: "127.0.0.1", port: 0, hmr: false, ws: false, watch: null },
});
const { browser } = await launchBrowser({ log: console.error });
try {
  await server.listen();
  const tab = await browser.newPage();
  tab.on("pageerror", (error) => console.error(error.message));
  await tab.goto(`${server.resolvedUrls!.local[0]}test/onnx/runtime/index.html`);
  await tab.waitForFunction(() => globalThis.onnxPage !== undefined);
  const all = await tab.evaluate(() => globalThis.onnxPage!.names());
  const names = all.filter((name) => name.includes(process.argv[2] ?? ""));
  if (names.length === 0)
    throw new Error(`No case has "${process.argv[2]}" in its name. There are: ${all.join("; ")}.`);
  for (const [i, name] of names.entries()) {
    const { file, ...rest } = await tab.evaluate((name) => globalThis.onnxPage!.run(name), name);
    const path = join(FOLDER, String(i).padStart(2, "0"));
    writeFileSync(`${path}.onnx`, Buffer.from(file, "base64"));
    writeFileSync(`${path}.json`, JSON.stringify(rest));
  }
} finally {
  await browser.close();
  await server.close();
}
const python = process.env.FEATUREMAP_PYTHON ?? "python3";
const script = fileURLToPath(new URL("check.py", import.meta.url));
const { status, error } = spawnSync(python, [script, FOLDER], { stdio: "inherit" });
if (error) throw error;
process.exitCode = status ?? 1;
