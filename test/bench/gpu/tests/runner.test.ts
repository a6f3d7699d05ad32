import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bundleTests } from "../../../../bench/gpu/tests/build.ts";
import { FILES, LEFT_OUT } from "../../../../bench/gpu/tests/files.ts";
import type { FileResult, RunResult } from "../../../../bench/gpu/tests/result.ts";

const FIXTURES = fileURLToPath(new URL("../../../../bench/gpu/tests/fixtures/", import.meta.url));
/** What the runner asks of the package webgpu: an adapter, of which the fixtures make no use. */
const NO_GPU = `export const globals = {};
export const create = () => ({ requestAdapter: async () => ({ info: { vendor: "nobody" } }) });`;
const BAD = ["failing", "hanging", "looping", "exiting", "loading", "empty", "hook", "stray"];

interface Run {
  readonly status: number | string | null | undefined;
  readonly stdout: string;
  readonly stderr: string;
  readonly result: RunResult;
}

let folder: string;
let good: Run;
let bad: Run;

/** Of files of the fixtures, in a process of their own. */
function run(names: readonly string[], ...more: string[]): Promise<Run> {
  const json = join(folder, "result.json");
  const paths = ["--webgpu", join(folder, "webgpu.mjs"), "--json", json, "--only", names.join()];
  return new Promise((resolve) =>
    execFile(process.execPath, [join(folder, "kit/main.js"), ...paths, ...more], (error, stdout, stderr) => {
      const result = JSON.parse(readFileSync(json, "utf8")) as RunResult;
      resolve({ status: error ? error.code : 0, stdout, stderr, result });
    }),
  );
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "featuremap-kit-tests-"));
  const files = readdirSync(FIXTURES).map((name) => join(FIXTURES, name));
  await bundleTests(files, join(folder, "kit"));
  writeFileSync(join(folder, "webgpu.mjs"), NO_GPU);
  good = await run(["skipping", "passing"]);
  bad = await run(BAD, "--timeout-ms", "1000", "--grace-ms", "5000");
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the tests' runner for a bare machine", () => {
  it("passes what passes and counts what is skipped, file after file", () => {
    const { status, stdout, result } = good;
    expect(status).toBe(0);
    expect(stdout).toMatch(/^skipping +1 passed +0 failed +3 skipped +\d+ ms\npassing +5 passed/m);
    expect(result).toMatchObject({ passed: 6, failed: 0, skipped: 3, notRun: [], adapter: { vendor: "nobody" } });
    expect(result.files.map(({ name }) => name)).toEqual(["skipping", "passing"]);
  });

  it("exits with 1 where a test failed, and tells each file and each failure", () => {
    const { status, stdout, result } = bad;
    expect(status).toBe(1);
    expect(result.files.map(({ name }) => name)).toEqual(BAD);
    expect(result.files.every(({ failed, failures }) => failed > 0 && failures.length === failed)).toBe(true);
    expect(result).toMatchObject({ passed: 4, failed: 13, skipped: 1, notRun: [] });
    expect(stdout.match(/FAILED/g)).toHaveLength(13);
  });

  it("keeps in memory what a browser keeps in IndexedDB", async () => {
    const { status, result } = await run(["stored"]);
    expect(result.files).toMatchObject([{ name: "stored", passed: 1, failures: [] }]);
    expect(status).toBe(0);
  });

  it("stops at the time limit: what it cuts off and leaves out is told as not run", async () => {
    const { status, stdout, result } = await run(["hanging", "passing"], "--limit-ms", "500");
    expect(result).toMatchObject({ files: [{ name: "hanging", unfinished: true }], notRun: ["hanging", "passing"] });
    expect(stdout).toMatch(/Not run, for want of time: hanging, passing/);
    // Nothing has passed.
    expect(status).toBe(1);
  });

  it("exits with 2 where its options are wrong", async () => {
    const { status, stderr } = await run(["nothing"]);
    expect(status).toBe(2);
    expect(stderr).toMatch(/no file nothing; there are .*passing/);
  });
});

describe("counted as failed", () => {
  const of = (name: string): FileResult => bad.result.files.find((file) => file.name === name)!;
  /** The test that failed and why, where one did. */
  const only = (name: string) => {
    expect(of(name).failures).toHaveLength(1);
    return of(name).failures[0]!;
  };

  it("are tests whose expectations fail, and that throw", () => {
    const { failures, ...counts } = of("failing");
    expect(counts).toMatchObject({ passed: 1, failed: 6, skipped: 0 });
    const messages = Object.fromEntries(failures.map(({ test, message }) => [test, message]));
    expect(messages).toEqual({
      "what fails > a number": expect.stringMatching(/expected 1 to be 2/),
      "what fails > a typed array": expect.stringMatching(/to deeply equal/),
      "what fails > a part of an object": expect.stringMatching(/to match object/),
      "what fails > an error that is thrown": expect.stringMatching(/^thrown at once/),
      "what fails > a promise that is rejected": expect.stringMatching(/^TypeError: thrown later/),
      "what fails > a promise that nobody awaits": expect.stringMatching(/resolved "1" instead of rejecting/),
    });
  });

  it("is a test that hangs, and the next ones run", () => {
    const { test, message } = only("hanging");
    expect(test).toBe("waits for what never comes");
    expect(message).toMatch(/timed out in 1000ms/);
    expect(of("hanging").passed).toBe(1);
  });

  it("is a process that hangs, which is ended; what had passed is kept", () => {
    const { test, message } = only("looping");
    expect(test).toBe("never gives the processor back");
    expect(message).toMatch(/silent for too long/);
    expect(of("looping").passed).toBe(1);
  });

  it("is a file that ends its process, does not load, has no tests, or a hook that throws", () => {
    expect(only("exiting").message).toMatch(/ended by exit status 0/);
    expect(only("loading").message).toMatch(/does not load/);
    expect(only("empty").message).toMatch(/No test suite found/);
    expect(only("hook").message).toMatch(/no device/);
    expect(of("hook")).toMatchObject({ passed: 0, skipped: 1 });
  });

  it("is a promise that is rejected and that nobody looks at", () => {
    const { test, message } = only("stray");
    expect(test).toBe("leaves a rejected promise behind");
    expect(message).toMatch(/Nobody caught: .*left behind/);
  });
});

it("every test that wants a GPU runs in the kit, or is left out with a reason", () => {
  const there = readdirSync(new URL("../../..", import.meta.url), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".gpu.test.ts"))
    .map((path) => path.replaceAll("\\", "/").replace(".gpu.test.ts", ""));
  expect([...FILES, ...Object.keys(LEFT_OUT)].sort()).toEqual(there.sort());
});
