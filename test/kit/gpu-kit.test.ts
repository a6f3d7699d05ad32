// A rehearsal of the GPU kit on a machine as bare as the one it is for, with SwiftShader in place of a GPU.

import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkedRun, type Run, runInfoOf } from "../../bench/gpu/tables-run.ts";
import { swiftShader } from "../support/swiftshader.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const PARTS = ["adapter", "steps", "sweep"] as const;
/** They take minutes without a GPU. The peers' bundle wants borch, which only `npm run bench` and the whole kit install. */
const UNREHEARSED = ["kernels", "resnet18", ...(existsSync(join(ROOT, "bench/node_modules/borch")) ? ["peers"] : [])];
/** Of coreutils, what a shell script is likely to call. */
const COREUTILS = [
  "basename",
  "cat",
  "chmod",
  "chown",
  "cp",
  "cut",
  "date",
  "dd",
  "df",
  "dirname",
  "du",
  "echo",
  "env",
  "expr",
  "false",
  "head",
  "id",
  "ln",
  "ls",
  "mkdir",
  "mktemp",
  "mv",
  "nproc",
  "printf",
  "pwd",
  "readlink",
  "realpath",
  "rm",
  "rmdir",
  "seq",
  "sha256sum",
  "sleep",
  "sort",
  "split",
  "stat",
  "tail",
  "tee",
  "test",
  "timeout",
  "touch",
  "tr",
  "true",
  "uname",
  "uniq",
  "wc",
];

/** Why the kit cannot be built or run here. */
function reasonToSkip(): string | undefined {
  if (process.platform !== "linux" || process.arch !== "x64") return "the kit is made on Linux on x64";
  if (spawnSync("xz", ["--version"]).status !== 0) return "there is no xz (Debian: xz-utils)";
  if (spawnSync("apt-get", ["download", "--print-uris", "libvulkan1"]).status !== 0) {
    return "apt-get knows no package libvulkan1, from which the kit takes Vulkan's loader";
  }
  return swiftShader() ? undefined : "there is no SwiftShader beside the browser";
}

const reason = reasonToSkip();
if (reason) console.warn(`The GPU kit is not rehearsed: ${reason}.`);

let scratch: string;
let kit: string;
let run: Run;
let log: string;

/** A PATH on which there is nothing but coreutils, bash and so. */
function pathWith(...programs: string[]): string {
  const folder = mkdtempSync(join(scratch, "path-"));
  for (const program of [...COREUTILS, "bash"]) {
    symlinkSync(realpathSync(spawnSync("which", [program], { encoding: "utf8" }).stdout.trim()), join(folder, program));
  }
  for (const program of programs)
    symlinkSync(program, join(folder, basename(program).replace(/^python3.*/, "python3")));
  return folder;
}

/** Runs the kit from an empty folder, without anything of this environment. */
function runKit(out: string, path: string, only: string) {
  const env = { PATH: path, VK_DRIVER_FILES: swiftShader() };
  const cwd = mkdtempSync(join(scratch, "empty-"));
  const args = [join(kit, "run.sh"), out, "--quick", "--only", only];
  return spawnSync(join(path, "bash"), args, { cwd, env: env as unknown as NodeJS.ProcessEnv, encoding: "utf8" });
}

function command(file: string, ...args: string[]) {
  return spawnSync(process.execPath, ["--import", "tsx", join(ROOT, file), ...args], { cwd: ROOT, encoding: "utf8" });
}

function outputOf(name: string): string {
  return spawnSync("which", [name], { encoding: "utf8" }).stdout.trim();
}

describe.skipIf(reason !== undefined)("the GPU kit on a bare machine", () => {
  beforeAll(() => {
    scratch = mkdtempSync(join(tmpdir(), "featuremap-kit-"));
    kit = join(scratch, "kit");
    const parts = [...PARTS, ...UNREHEARSED].join();
    const built = command("bench/gpu/kit.ts", "--out", kit, "--fast", "--parts", parts);
    expect(built.status, built.stderr).toBe(0);
    const ran = runKit(join(scratch, "out"), pathWith(realpathSync(outputOf("xz"))), [...PARTS, "tests"].join());
    log = `${ran.stdout}\n${ran.stderr}`;
    const texts = [...PARTS, "tests" as const].flatMap((name) => {
      const file = join(scratch, "out", `${name}.json`);
      return existsSync(file) ? [[name, readFileSync(file, "utf8")]] : [];
    });
    run = checkedRun(Object.fromEntries(texts), [runInfoOf(readFileSync(join(scratch, "out/log.txt"), "utf8"))!]);
  });

  afterAll(() => rmSync(scratch, { recursive: true, force: true }));

  it("is at most 60 MB", () => {
    const bytes = (path: string): number =>
      statSync(path).isDirectory()
        ? readdirSync(path).reduce((sum, name) => sum + bytes(join(path, name)), 0)
        : statSync(path).size;
    expect(bytes(kit)).toBeLessThan(60e6);
  });

  it("ends each part well", () => {
    for (const part of [...PARTS, "tests"]) expect(log).toContain(`== ${part} ended with status 0`);
  });

  it("says what it ran on, and what it is made of", () => {
    expect(run.adapter).toMatchObject({ quick: true, adapter: { software: true } });
    expect(run.runs[0]).toMatchObject({ quick: true, kit: { node: process.version } });
    expect(run.runs[0]!.date).toMatch(/^\d{4}-\d\d-\d\d$/);
  });

  it("passes the tests of kernels that it carries", () => {
    expect(run.tests!.failed, log).toBe(0);
    expect(run.tests!.notRun).toEqual([]);
    expect(run.tests!.passed).toBeGreaterThan(30);
  });

  it("times steps, inference and candidates", () => {
    expect(run.steps!.training.map(({ network, variant }) => [network, variant])).toEqual([
      ["article", "shipped"],
      ["second", "shipped"],
    ]);
    expect(run.steps!.inference).toHaveLength(4);
    expect(JSON.stringify(run.steps)).not.toContain("null");
    const [sweep] = run.sweep!.sweeps;
    expect(sweep!.algorithms.length + sweep!.tiles.shipped!.length).toBeGreaterThan(2);
  });

  it.each(UNREHEARSED)("has a bundle of %s that loads", (part) => {
    const { stderr } = spawnSync(process.execPath, [join(kit, `parts/${part}.js`)], { encoding: "utf8" });
    expect(stderr).toContain(`The part ${part} wants --out`);
  });

  it("is unpacked by Python where there is no xz, and says so where there is neither", () => {
    const python = spawnSync("python3", ["-c", "import lzma, sys; print(sys.executable)"], { encoding: "utf8" });
    if (python.status === 0) {
      const ran = runKit(join(scratch, "python"), pathWith(python.stdout.trim()), "adapter");
      expect(ran.stdout, ran.stderr).toContain("== adapter ended with status 0");
    }
    const neither = runKit(join(scratch, "neither"), pathWith(), "adapter");
    expect(neither.status).toBe(1);
    expect(neither.stderr).toContain("xz or by python3");
  });

  it("leaves what gpu:tables makes tables of", () => {
    const [document, results] = [join(scratch, "performance.md"), join(scratch, "results")];
    mkdirSync(results);
    copyFileSync(join(ROOT, "docs/performance.md"), document);
    const refused = command("bench/gpu/tables.ts", join(scratch, "out"));
    expect(refused.stderr).toContain("A rehearsal (--quick) is not kept");
    const made = command("bench/gpu/tables.ts", join(scratch, "out"), "--results", results, "--document", document);
    expect(made.status, made.stderr).toBe(0);
    const text = readFileSync(document, "utf8");
    expect(text).toMatch(/^### SWIFTSHADER/m);
    expect(text).toMatch(/^\| article +\| shipped /m);
    expect(text).toMatch(/\d+ passed, 0 failed/);
  });
});
