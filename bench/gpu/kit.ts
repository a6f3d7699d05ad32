// `npm run gpu:kit`: makes the folder that measures a machine with a GPU and nothing else on it.

import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { CliError, reportError } from "../../cli/errors.ts";
import { findMnist } from "../../cli/mnist.ts";
import { ensurePeers } from "../peers.ts";
import { IMAGES_AT, LABELS_AT, PIXELS } from "../systems/system.ts";
import { buildParts } from "./build.ts";
import { buildTests } from "./tests/build.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const MOST_BYTES = 60e6;
/** MNIST's images that travel. */
const IMAGES = 6400;
/** Vulkan's loader, and what a vendor's driver looks for beside it. */
const LIBRARIES = [
  ...["libvulkan1", "libegl1", "libglvnd0", "libopengl0", "libgl1", "libglx0", "libgles2"],
  ...["libx11-6", "libxcb1", "libxau6", "libxdmcp6", "libxext6", "libbsd0", "libmd0"],
];

async function main(): Promise<void> {
  if (process.platform !== "linux" || process.arch !== "x64") {
    throw new CliError(
      1,
      `The kit carries this machine's Node and Dawn, and wants Linux on x64, got ${process.platform} ${process.arch}.`,
    );
  }
  const kit = join(ROOT, ".gpu");
  // Node takes a minute to pack, and is the same from kit to kit.
  for (const name of existsSync(kit) ? readdirSync(kit) : []) {
    if (!name.startsWith("node.")) rmSync(join(kit, name), { recursive: true });
  }
  ensurePeers(console.error);
  node(kit);
  webgpu(join(kit, "webgpu"));
  mnist(join(kit, "mnist"));
  libraries(join(kit, "lib"));
  await buildParts(join(kit, "parts"));
  await buildTests(join(kit, "tests"));
  for (const file of ["run.sh", "torch_step.py"]) cpSync(join(ROOT, "bench/gpu", file), join(kit, file));
  const bytes = sizeOf(kit);
  console.log(`${relative(process.cwd(), kit) || kit}: ${(bytes / 1e6).toFixed(1)} MB of at most ${MOST_BYTES / 1e6}.`);
  for (const name of readdirSync(kit).sort()) {
    console.log(`  ${name.padEnd(14)} ${(sizeOf(join(kit, name)) / 1e6).toFixed(1)} MB`);
  }
  if (bytes > MOST_BYTES) throw new CliError(1, "The kit is too large.");
  console.log("Copy the folder to a machine with a GPU and run there: bash .gpu/run.sh OUT");
  console.log("Then, here: npm run gpu:tables -- OUT");
}

/** Compresses a file; the kit's machine has xz or Python. */
function pack(from: string, to: string): void {
  const { status, stdout, stderr, error } = spawnSync("xz", ["-6", "-T0", "-c", from], { maxBuffer: 2 ** 30 });
  if (error || status !== 0)
    throw new CliError(1, `xz could not pack ${from}: ${error?.message ?? stderr}. Install it (Debian: xz-utils).`);
  mkdirSync(join(to, ".."), { recursive: true });
  writeFileSync(to, stdout);
}

/** Node's own program, with its version beside it. */
function node(kit: string): void {
  const version = join(kit, "node.version");
  if (existsSync(version) && readFileSync(version, "utf8") === process.version) return;
  pack(process.execPath, join(kit, "node.xz"));
  writeFileSync(version, process.version);
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

/** The shared libraries of Debian's packages, flat. */
function libraries(folder: string): void {
  const scratch = mkdtempSync(join(tmpdir(), "featuremap-libraries-"));
  const run = (command: string, ...args: string[]) => {
    const { status, stderr, error } = spawnSync(command, args, { cwd: scratch, encoding: "utf8" });
    if (error || status !== 0) {
      throw new CliError(
        1,
        `${command} ${args.join(" ")} failed: ${error?.message ?? stderr.trim()}. The kit takes Vulkan's loader from Debian's packages.`,
      );
    }
  };
  mkdirSync(folder, { recursive: true });
  run("apt-get", "download", ...LIBRARIES);
  for (const name of readdirSync(scratch).filter((file) => file.endsWith(".deb"))) run("dpkg", "-x", name, "unpacked");
  const found = join(scratch, "unpacked/usr/lib/x86_64-linux-gnu");
  for (const name of readdirSync(found)) {
    // Links become files: some ways of copying lose links.
    if (/\.so\.\d+$/.test(name) && existsSync(join(found, name)))
      cpSync(join(found, name), join(folder, name), { dereference: true });
  }
  rmSync(scratch, { recursive: true });
}

function sizeOf(path: string): number {
  if (!statSync(path).isDirectory()) return statSync(path).size;
  return readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0);
}

await main().catch((error) => {
  process.exitCode = reportError(error);
});
