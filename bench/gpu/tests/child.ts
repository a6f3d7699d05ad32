// The process that runs one file of tests. main.ts starts it, listens, and ends it where it hangs.

import { pathToFileURL } from "node:url";
import type { AdapterSummary } from "../../../src/gpu/runtime.ts";
import { serveMnist, startDawn } from "./host.ts";
import { type Failure, type FileResult, nothingOf, type Progress, withFailures } from "./result.ts";
import { runFile, strayFailure } from "./runner.ts";

export interface Job {
  readonly name: string;
  /** The bundled file. */
  readonly file: string;
  readonly webgpu: string;
  readonly mnist: string | undefined;
  readonly timeoutMs: number;
}

const job = JSON.parse(process.argv[2]!) as Job;
const strays: Failure[] = [];
let adapter: AdapterSummary | undefined;
let running: string | undefined;

// The runner's timers alone would not keep Node alive.
setInterval(() => {}, 60_000);
process.on("disconnect", () => process.exit(1));
for (const event of ["uncaughtException", "unhandledRejection"] as const) {
  process.on(event, (error) => strays.push(strayFailure(running, "Nobody caught", error)));
}

const result = await run().catch((error) => {
  return withFailures(nothingOf(job.name), [strayFailure(running, "The tests did not start", error)]);
});
// A promise that was rejected last is told of after a turn of the event loop.
await new Promise((resolve) => setTimeout(resolve, 10));
// Dawn's device would keep Node alive.
send(result, true, () => process.exit(0));

async function run(): Promise<FileResult> {
  adapter = await startDawn(job.webgpu);
  serveMnist(job.mnist);
  return runFile(job.name, () => import(/* @vite-ignore */ pathToFileURL(job.file).href), {
    timeoutMs: job.timeoutMs,
    onProgress(now, sofar) {
      running = now;
      send(sofar, false);
    },
  });
}

function send(result: FileResult, done: boolean, sent: () => void = () => {}): void {
  const progress: Progress = {
    ...(adapter && { adapter }),
    ...(running !== undefined && { running }),
    result: withFailures(result, strays),
    done,
  };
  process.send!(progress, sent);
}
