// borch comes as a Python wheel: what of it runs in a page is one JavaScript file.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CliError, type Log } from "../cli/errors.ts";

const VERSION = "1.14.1";
const WHEEL = `pyborch-${VERSION}-py3-none-any.whl`;
const SHA256 = "80809bb34907f5d1a31e919c0affd228f16baa871592a24815d812298992c19c";
const MODULES = fileURLToPath(new URL("node_modules", import.meta.url));
const BORCH = join(MODULES, "borch");
const PYTHON = process.platform === "win32" ? "python" : "python3";

/** Whether `borch` can be imported as this benchmark wants it. */
export function hasBorch(folder = BORCH): boolean {
  const file = join(folder, "package.json");
  return existsSync(file) && (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version === VERSION;
}

/** Puts the package `borch` into bench/node_modules where it is missing. Throws a CliError (exit 1) where it cannot. */
export function ensureBorch(log: Log): void {
  if (hasBorch()) return;
  log(`Fetching borch: pip download pyborch==${VERSION} (about 1 MB, once).`);
  mkdirSync(MODULES, { recursive: true });
  const work = mkdtempSync(join(MODULES, ".borch-"));
  try {
    const wheel = download(work);
    const unpacked = join(work, "wheel");
    python(["-m", "zipfile", "-e", wheel, unpacked], "its wheel cannot be unpacked");
    const made = packageOf(unpacked, join(work, "borch"));
    rmSync(BORCH, { recursive: true, force: true });
    renameSync(made, BORCH);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** The wheel's file. What runs is none of its Python, so any version of Python will do. */
function download(folder: string): string {
  const exactly = ["--no-deps", "--only-binary=:all:", "--ignore-requires-python"];
  const quietly = ["--quiet", "--disable-pip-version-check"];
  python(["-m", "pip", "download", ...exactly, ...quietly, "-d", folder, `pyborch==${VERSION}`], "pip cannot fetch it");
  const wheel = join(folder, WHEEL);
  const found = createHash("sha256").update(readFileSync(wheel)).digest("hex");
  if (found !== SHA256) throw new CliError(1, `${WHEEL} has the SHA-256 ${found}, not the expected ${SHA256}.`);
  return wheel;
}

/** Makes a package that bundlers know out of an unpacked wheel: the file, its licence and its name. */
export function packageOf(unpacked: string, folder: string): string {
  mkdirSync(folder);
  copyFileSync(join(unpacked, "borch_webgpu/_borch.js"), join(folder, "_borch.js"));
  copyFileSync(join(unpacked, `pyborch-${VERSION}.dist-info/licenses/LICENSE`), join(folder, "LICENSE"));
  const description = { name: "borch", version: VERSION, license: "Apache-2.0", type: "module", main: "_borch.js" };
  writeFileSync(join(folder, "package.json"), `${JSON.stringify(description, null, 2)}\n`);
  return folder;
}

function python(args: readonly string[], problem: string): void {
  const { status, error, stderr } = spawnSync(PYTHON, args, { encoding: "utf8" });
  if (status === 0) return;
  const needed = "borch comes as a Python wheel";
  const without = "or leave borch out with --only";
  if (error) throw new CliError(1, `${needed}, and ${PYTHON} does not start. Install Python 3, ${without}.`);
  if (/No module named pip/.test(stderr)) {
    throw new CliError(1, `${needed}, and ${PYTHON} has no pip. Install it (Debian's python3-pip), ${without}.`);
  }
  const lines = stderr.trim().split("\n");
  const reason = lines.findLast((line) => line.startsWith("ERROR")) ?? lines.at(-1)!;
  throw new CliError(1, `borch: ${problem}: ${reason.trim()}. Try again, ${without}.`);
}
