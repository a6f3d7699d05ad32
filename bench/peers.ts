import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CliError, type Log } from "../cli/errors.ts";
import { ensureBorch } from "./wheel.ts";

const FOLDER = fileURLToPath(new URL(".", import.meta.url));

/**
 * Installs the peers, Node's `webgpu` and Deno into bench/node_modules where the one that is wanted is missing; borch, which
 * npm does not have, by itself, and after the others: `npm ci` empties the folder. Throws a CliError (exit 1) where it
 * cannot.
 */
export function ensurePeers(log: Log, wanted: "@jax-js/jax" | "webgpu" | "deno" | "borch" = "@jax-js/jax"): void {
  if (wanted === "borch") {
    ensureBorch(log);
    return;
  }
  if (existsSync(join(FOLDER, "node_modules", wanted))) return;
  log("Installing the peers: npm ci --prefix bench (about 350 MB, once).");
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  const { status, stderr } = spawnSync(npm, ["ci", "--no-audit", "--no-fund"], {
    cwd: FOLDER,
    encoding: "utf8",
    shell: process.platform === "win32",
  });
  if (status === 0) return;
  const reason = stderr?.split("\n").find((line) => line.includes("error")) ?? "npm did not start";
  throw new CliError(1, `The peers could not be installed: ${reason.trim()}. Run "npm ci --prefix bench" to see why.`);
}
