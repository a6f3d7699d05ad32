// Runs one file of tests by vitest's own runner.

import { type File, type Suite, startTests, type Task, type Test, type VitestRunner } from "@vitest/runner";
import { getTestName, getTests } from "@vitest/runner/utils";
import { expectFor } from "./expect.ts";
import type { Failure, FileResult } from "./result.ts";

type Config = VitestRunner["config"];

export interface RunOptions {
  /** Of a test, of a hook, and of what the file awaits as it is loaded. */
  readonly timeoutMs: number;
  /** Called as each test and suite begins and ends. */
  onProgress(running: string | undefined, sofar: FileResult): void;
}

/**
 * Runs the tests that `load` defines, one after the other. A failed test, hook or load is in the result; nothing is thrown.
 * A file without tests has failed, as for vitest, and so has one with `only`.
 */
export async function runFile(
  name: string,
  load: () => Promise<unknown>,
  { timeoutMs, onProgress }: RunOptions,
): Promise<FileResult> {
  const started = performance.now();
  const tell = (running: string | undefined, file: File) =>
    onProgress(running, resultOf(name, file, performance.now() - started, false));
  const runner: VitestRunner = {
    config: configOf(timeoutMs),
    importFile: () => within(timeoutMs, load(), `The file was not loaded after ${timeoutMs} ms.`),
    onBeforeTryTask: (test) => expectFor(getTestName(test)),
    onBeforeRunSuite: (suite) => tell(nameOf(suite), suite.file),
    onAfterRunSuite: (suite) => tell(nameOf(suite), suite.file),
    onBeforeRunTask: (test) => tell(nameOf(test), test.file),
    onAfterRunTask: (test) => tell(nameOf(test), test.file),
  };
  const [file] = await startTests([`/${name}.test.ts`], runner);
  return resultOf(name, file!, performance.now() - started, true);
}

function configOf(timeoutMs: number): Config {
  return {
    root: "/",
    name: undefined,
    setupFiles: [],
    passWithNoTests: false,
    testNamePattern: undefined,
    allowOnly: false,
    sequence: { seed: 0, hooks: "stack", setupFiles: "list" },
    chaiConfig: undefined,
    maxConcurrency: 1,
    testTimeout: timeoutMs,
    hookTimeout: timeoutMs,
    retry: 0,
    includeTaskLocation: false,
    tags: [],
    tagsFilter: undefined,
    strictTags: false,
  };
}

/** Counts tests by how they ended; once all is over, what neither passed nor failed was skipped. */
function resultOf(name: string, file: File, ms: number, over: boolean): FileResult {
  const tests = getTests(file);
  const ended = (state: string) => tests.filter(({ result }) => result?.state === state).length;
  const failures = [...failuresOf(file)];
  const [passed, failed] = [ended("pass"), ended("fail")];
  const skipped = over ? tests.length - passed - failed : ended("skip");
  return { name, passed, failed: failures.length, skipped, ms: Math.round(ms), failures };
}

/** Tests that failed, and suites whose hooks or definitions did. */
function* failuresOf(task: Task): Generator<Failure> {
  const { result } = task;
  const own = result?.errors?.map(messageOf) ?? [];
  // A suite has failed where a test in it has: that is told once, by the test.
  if (own.length > 0 || (task.type === "test" && result?.state === "fail")) {
    yield { test: nameOf(task), message: own.join("\n") || "failed without an error" };
  }
  for (const each of "tasks" in task ? task.tasks : []) yield* failuresOf(each);
}

function nameOf(task: Test | Suite): string {
  return getTestName(task) || "(the file itself)";
}

interface Told {
  readonly message: string;
  readonly name?: string;
  readonly diff?: string;
  readonly stack?: string;
}

function messageOf({ name, message, diff, stack = "" }: Told): string {
  const frames = stack.split("\n").filter((line) => /^\s+at /.test(line));
  return [
    name && name !== "Error" ? `${name}: ${message}` : message,
    ...(diff ? [diff] : []),
    ...frames.slice(0, 5),
  ].join("\n");
}

/** Tells an error outside of the tests: one that nobody caught, or that came before them. */
export function strayFailure(running: string | undefined, what: string, error: unknown): Failure {
  const told = error instanceof Error ? messageOf(error as Told) : String(error);
  return { test: running ?? "(the file itself)", message: `${what}: ${told}` };
}

async function within<T>(ms: number, promise: Promise<T>, message: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(message)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
