// A process for each file of tests: one that crashes or hangs is that file's failure, and no device outlives its file.

import { fork } from "node:child_process";
import type { AdapterSummary } from "../../../src/gpu/runtime.ts";
import type { Job } from "./child.ts";
import { type FileResult, nothingOf, type Progress, withFailures } from "./result.ts";

export interface Patience {
  /** How long the process may tell nothing: a test's timeout and more, to start Dawn and to be busy. */
  readonly silentMs: number;
  /** When the file is ended unfinished, by `performance.now()`. */
  readonly deadline: number;
}

/** Runs a file. */
export function runInProcess(
  script: string,
  job: Job,
  { silentMs, deadline }: Patience,
): Promise<{ result: FileResult; adapter: AdapterSummary | undefined }> {
  const started = performance.now();
  // What tests print goes to stderr: stdout has the results.
  const child = fork(script, [JSON.stringify(job)], { stdio: ["ignore", 2, 2, "ipc"] });
  let last: Progress = { result: nothingOf(job.name), done: false };
  return new Promise((resolve) => {
    const silence = setTimeout(() => end(failed("was silent for too long, and was ended")), silentMs);
    const limit = setTimeout(
      () => end({ ...last.result, unfinished: true }),
      Math.max(0, deadline - performance.now()),
    );
    child.on("message", (message: Progress) => {
      last = message;
      silence.refresh();
      if (last.done) end(last.result);
    });
    child.on("error", (error) => end(failed(`did not start: ${error.message}`)));
    child.on("close", (code, signal) => end(failed(`ended by ${signal ?? `exit status ${code}`}`)));
    function end(result: FileResult): void {
      clearTimeout(silence);
      clearTimeout(limit);
      child.removeAllListeners();
      child.on("error", () => {});
      child.kill("SIGKILL");
      const ms = Math.round(performance.now() - started);
      resolve({ result: { ...result, ms }, adapter: last.adapter });
    }
    function failed(what: string): FileResult {
      const test = last.running ?? "(the file itself)";
      return withFailures(last.result, [{ test, message: `The process of the file ${what}.` }]);
    }
  });
}
