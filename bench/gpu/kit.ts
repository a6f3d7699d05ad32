// `npm run gpu:kit`: makes the folder that measures a machine with a GPU and nothing else on it.

import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { CliError, reportError } from "../../cli/errors.ts";
import { findMnist } from "../../cli/mnist.ts";
import { ensurePeers } from "../peers.ts";
import { IMAGES_AT, LABELS_AT, PIXELS } from "../systems/system.ts";
import { buildParts, partNames } from "./build.ts";
import { buildTests } from "./tests/build.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const KEPT = join(ROOT, "build/gpu-kit");
const MOST_BYTES = 60e6;
/** MNIST's images that travel. */
const IMAGES = 6400;
/** Vulkan's loader, and what a vendor's driver looks for beside it. */
const LIBRARIES = [
  "libvulkan1",
  "libegl1",
  "libglvnd0",
  "libopengl0",
  "libgl1",
  "libglx0",
  "libgles2",
  "libx11-6",
  "libxcb1",
  "libxau6",
  "libxdmcp6",
  "libxext6",
  "libbsd0",
  "libmd0",
];

/** What a kit consists of: an older one is removed by these names. */
const CONTENTS = ["kit.json", "node.xz", "webgpu", "mnist", "lib", "parts", "tests", "run.sh", "torch_step.py"];

const USAGE = `Usage: npm run gpu:kit -- [options]

  --out FOLDER   where the kit goes (.gpu)
  --parts NAMES  only these parts beside the tests: adapter,steps; without peers no peer is needed to build it
  --fast         packs Node in seconds rather than a minute; it takes 5 MB more`;

async function main(): Promise<void> {
  const { help, out, parts, fast } = readOptions();
  if (help) {
    console.log(USAGE);
    return;
  }
  if (process.platform !== "linux" || process.arch !== "x64") {
    throw new CliError(
      1,
      `The kit carries this machine's Node and Dawn, and wants Linux on x64, got ${process.platform} ${process.arch}.`,
    );
  }
  const kit = resolve(out);
  for (const name of CONTENTS) rmSync(join(kit, name), { recursive: true, force: true });
  ensurePeers(console.error, "webgpu");
  mkdirSync(kit, { recursive: true });
  cpSync(packedNode(fast), join(kit, "node.xz"));
  webgpu(join(kit, "webgpu"));
  mnist(join(kit, "mnist"));
  cpSync(libraries(), join(kit, "lib"), { recursive: true });
  await buildParts(join(kit, "parts"), parts);
  await buildTests(join(kit, "tests"));
  for (const file of ["run.sh", "torch_step.py"]) cpSync(join(ROOT, "bench/gpu", file), join(kit, file));
  writeFileSync(join(kit, "kit.json"), JSON.stringify(versions()));
  const bytes = sizeOf(kit);
  console.log(`${relative(process.cwd(), kit) || kit}: ${(bytes / 1e6).toFixed(1)} MB of at most ${MOST_BYTES / 1e6}.`);
  for (const name of readdirSync(kit).sort()) {
    console.log(`  ${name.padEnd(14)} ${(sizeOf(join(kit, name)) / 1e6).toFixed(1)} MB`);
  }
  if (bytes > MOST_BYTES) throw new CliError(1, "The kit is too large.");
  console.log("Copy the folder to a machine with a GPU and run there: bash .gpu/run.sh OUT");
  console.log("Then, here: npm run gpu:tables -- OUT");
}

function readOptions() {
  const text = { type: "string" } as const;
  const flag = { type: "boolean", default: false } as const;
  try {
    const { values } = parseArgs({ options: { out: text, parts: text, fast: flag, help: flag } });
    const parts = values.parts?.split(",") ?? partNames();
    const unknown = parts.filter((name) => !partNames().includes(name));
    if (unknown.length > 0) throw new Error(`--parts takes ${partNames().join(", ")}, got ${unknown.join(", ")}.`);
    return { ...values, parts, out: values.out ?? join(ROOT, ".gpu") };
  } catch (error) {
    throw new CliError(2, `${(error as Error).message} See --help.`);
  }
}

/** What tables say of a run. */
function versions() {
  const versionOf = (file: string) => JSON.parse(readFileSync(join(ROOT, file), "utf8")).version as string;
  const git = (...args: string[]) => spawnSync("git", args, { cwd: ROOT, encoding: "utf8" }).stdout?.trim();
  const commit = git("rev-parse", "--short", "HEAD");
  const changed = git("status", "--porcelain", "--", "src", "shaders", "bench", ":!*.md", ":!bench/gpu/results");
  const featuremap = [versionOf("package.json"), commit && ` at ${commit}`, commit && changed && " with changes"];
  return {
    node: process.version,
    webgpu: versionOf("bench/node_modules/webgpu/package.json"),
    featuremap: featuremap.filter(Boolean).join(""),
  };
}

/** Compresses a file; the kit's machine has xz or Python. */
function pack(from: string, to: string, level = 6): void {
  const { status, stdout, stderr, error } = spawnSync("xz", [`-${level}`, "-T0", "-c", from], { maxBuffer: 2 ** 30 });
  if (error || status !== 0)
    throw new CliError(1, `xz could not pack ${from}: ${error?.message ?? stderr}. Install it (Debian: xz-utils).`);
  mkdirSync(join(to, ".."), { recursive: true });
  // Whole or not at all: it may be kept.
  writeFileSync(`${to}.part`, stdout);
  renameSync(`${to}.part`, to);
}

/** Node's own program, which is the same from kit to kit: it is kept in build/. */
function packedNode(fast: boolean): string {
  // Distributions build Node of many libraries, which a bare machine lacks.
  const { stdout } = spawnSync("ldd", [process.execPath], { encoding: "utf8" });
  const foreign = [...(stdout ?? "").matchAll(/^\s*(lib\S+)/gm)].map(([, name]) => name!);
  const missing = foreign.filter((name) => !/^lib(c|m|dl|rt|pthread|stdc\+\+|gcc_s|atomic)\.so/.test(name));
  if (missing.length > 0) {
    throw new CliError(
      1,
      `The kit wants a Node that needs no libraries, as nodejs.org has it; ${process.execPath} needs ${missing.join(", ")}.`,
    );
  }
  const kept = join(KEPT, `node-${process.version}.xz`);
  const quickly = join(KEPT, `node-${process.version}-fast.xz`);
  if (existsSync(kept)) return kept;
  if (!fast) pack(process.execPath, kept);
  else if (!existsSync(quickly)) pack(process.execPath, quickly, 0);
  return fast ? quickly : kept;
}

function webgpu(folder: string): void {
  const from = join(ROOT, "bench/node_modules/webgpu");
  mkdirSync(folder, { recursive: true });
  pack(join(from, "dist/linux-x64/dawn.node"), join(folder, "dawn.node.xz"));
  // As the package's own, for the one platform of the kit.
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }\n');
  writeFileSync(
    join(folder, "index.js"),
    'import { createRequire } from "node:module";\nexport const { create, globals } = createRequire(import.meta.url)("./dawn.node");\n',
  );
}

/** The first images and labels, in files like MNIST's own. */
function mnist(folder: string): void {
  const scratch = mkdtempSync(join(tmpdir(), "featuremap-mnist-"));
  const files = [
    ["train-images-idx3-ubyte", IMAGES_AT, PIXELS],
    ["train-labels-idx1-ubyte", LABELS_AT, 1],
  ] as const;
  for (const [name, at, bytes] of files) {
    const file = readFileSync(join(findMnist(), name)).subarray(0, at + IMAGES * bytes);
    const header = Buffer.from(file);
    header.writeUInt32BE(IMAGES, 4);
    writeFileSync(join(scratch, name), header);
    pack(join(scratch, name), join(folder, `${name}.xz`));
  }
  rmSync(scratch, { recursive: true });
}

/** The shared libraries of Debian's packages, flat; they are kept in build/. */
function libraries(): string {
  const folder = join(KEPT, "lib");
  if (existsSync(folder)) return folder;
  mkdirSync(KEPT, { recursive: true });
  const scratch = mkdtempSync(join(KEPT, "lib-"));
  const run = (command: string, ...args: string[]) => {
    const { status, stderr, error } = spawnSync(command, args, { cwd: scratch, encoding: "utf8" });
    if (error || status !== 0) {
      throw new CliError(
        1,
        `${command} ${args.join(" ")} failed: ${error?.message ?? stderr.trim()}. The kit takes Vulkan's loader from Debian's packages.`,
      );
    }
  };
  try {
    run("apt-get", "download", ...LIBRARIES);
    for (const name of readdirSync(scratch).filter((file) => file.endsWith(".deb")))
      run("dpkg", "-x", name, "unpacked");
    const found = join(scratch, "unpacked/usr/lib/x86_64-linux-gnu");
    for (const name of readdirSync(found)) {
      // Links become files: some ways of copying lose links.
      if (/\.so\.\d+$/.test(name) && existsSync(join(found, name)))
        cpSync(join(found, name), join(scratch, "lib", name), { dereference: true });
    }
    renameSync(join(scratch, "lib"), folder);
  } finally {
    rmSync(scratch, { recursive: true });
  }
  return folder;
}

function sizeOf(path: string): number {
  if (!statSync(path).isDirectory()) return statSync(path).size;
  return readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0);
}

await main().catch((error) => {
  process.exitCode = reportError(error);
});
