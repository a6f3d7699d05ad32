import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const QUIET = ["--no-audit", "--no-fund", "--no-save"];

/** A fresh project in a temporary folder that has the package installed as users have it: packed. */
export function projectWithPackage(): string {
  const folder = mkdtempSync(join(tmpdir(), "featuremap-app-"));
  const packed = execFileSync("npm", ["pack", "--json", "--pack-destination", folder], { cwd: ROOT, encoding: "utf8" });
  const tarball = /"filename": "([^"]+)"/.exec(packed)![1]!;
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "app", private: true, type: "module" }));
  execFileSync("npm", ["install", "--offline", ...QUIET.slice(0, 2), join(folder, tarball)], { cwd: folder });
  return folder;
}

/** Adds packages from the registry to a project. False where this machine does not reach it. */
export function addPackages(folder: string, packages: readonly string[]): boolean {
  const { status, stderr } = spawnSync("npm", ["install", "--prefer-offline", ...QUIET, ...packages], {
    cwd: folder,
    encoding: "utf8",
  });
  if (status === 0) return true;
  if (/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH/.test(stderr)) return false;
  throw new Error(`npm cannot install ${packages.join(" ")}: ${stderr}`);
}
