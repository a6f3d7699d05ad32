// What a run of the tests leaves: plain data, written as JSON.

import type { AdapterSummary } from "../../../src/gpu/runtime.ts";

export interface Failure {
  /** The test's name, with those of its suites. */
  readonly test: string;
  readonly message: string;
}

export interface FileResult {
  readonly name: string;
  readonly passed: number;
  /** Tests and hooks that failed, and errors that nobody caught. */
  readonly failed: number;
  readonly skipped: number;
  readonly ms: number;
  readonly failures: readonly Failure[];
  /** The time limit of the whole run came first. */
  readonly unfinished?: true;
}

/** What the process that runs a file tells of it, again and again. */
export interface Progress {
  readonly adapter?: AdapterSummary;
  /** The test or hook that runs. */
  readonly running?: string;
  readonly result: FileResult;
  readonly done: boolean;
}

export interface RunResult {
  readonly adapter: AdapterSummary | undefined;
  readonly files: readonly FileResult[];
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Files that the time limit left out, or cut off. */
  readonly notRun: readonly string[];
}

export function nothingOf(name: string): FileResult {
  return { name, passed: 0, failed: 0, skipped: 0, ms: 0, failures: [] };
}

export function withFailures(result: FileResult, more: readonly Failure[]): FileResult {
  return { ...result, failed: result.failed + more.length, failures: [...result.failures, ...more] };
}

export function runResult(
  adapter: AdapterSummary | undefined,
  files: readonly FileResult[],
  notRun: readonly string[],
): RunResult {
  const total = (of: "passed" | "failed" | "skipped") => files.reduce((sum, file) => sum + file[of], 0);
  return { adapter, files, passed: total("passed"), failed: total("failed"), skipped: total("skipped"), notRun };
}

/** One line a file, and below it what failed. */
export function linesOf({ name, passed, failed, skipped, ms, failures, unfinished }: FileResult): string[] {
  const counts = `${String(passed).padStart(3)} passed ${String(failed).padStart(3)} failed ${String(skipped).padStart(3)} skipped`;
  const head = `${name.padEnd(24)} ${counts} ${String(Math.round(ms)).padStart(7)} ms${unfinished ? ", cut off" : ""}`;
  return [head, ...failures.flatMap(({ test, message }) => [`  FAILED ${test}`, indented(message)])];
}

function indented(text: string): string {
  return text.replace(/^/gm, "    ");
}
