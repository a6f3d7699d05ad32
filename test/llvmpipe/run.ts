/**
 * Runs the tests of kernels a second time, through other compilers: in Deno (wgpu and Naga where Chromium has Dawn and Tint)
 * on Mesa's llvmpipe (LLVM where Chromium has SwiftShader). Arguments go to Vitest.
 *
 * `FEATUREMAP_LLVMPIPE` names the driver's manifest where it is not among Vulkan's.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const MANIFESTS = "/usr/share/vulkan/icd.d";

function driverManifest(): string {
  const named = process.env.FEATUREMAP_LLVMPIPE;
  const found = existsSync(MANIFESTS)
    ? readdirSync(MANIFESTS).find((name) => /^lvp_icd.*\.json$/.test(name))
    : undefined;
  const path = named ?? (found && join(MANIFESTS, found));
  if (path !== undefined && existsSync(path)) return path;
  const got =
    named === undefined ? `no lvp_icd*.json in ${MANIFESTS}` : `FEATUREMAP_LLVMPIPE=${named}, which is not there`;
  throw new Error(
    `The tests on llvmpipe want Mesa's Vulkan driver for processors, got ${got}. ` +
      "Install it (Debian: apt-get install mesa-vulkan-drivers), or set FEATUREMAP_LLVMPIPE to its manifest.",
  );
}

const require = createRequire(import.meta.url);
const vitest = join(require.resolve("vitest/package.json"), "../vitest.mjs");
const deno = join(require.resolve("deno/package.json"), "../bin.cjs");
const config = fileURLToPath(new URL("vitest.config.ts", import.meta.url));
const driver = driverManifest();
const { status, error } = spawnSync(
  process.execPath,
  [deno, "run", "--allow-all", vitest, "run", "--config", config, ...process.argv.slice(2)],
  { stdio: "inherit", env: { ...process.env, VK_DRIVER_FILES: driver, VK_ICD_FILENAMES: driver } },
);
if (error) throw error;
process.exitCode = status ?? 1;
