import type { Callback } from "./callbacks.ts";
import type { Logs } from "./history.ts";
import { progressLine } from "./progress.ts";

/** Redraw at most this often, in ms, as Keras does. */
const REDRAW_MS = 50;

interface Terminal {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/**
 * Prints Keras's lines: on a terminal (Node, Deno) the progress line redraws itself; in a page's console, where nothing can
 * be redrawn, and with `verbose: 2`, there is one line an epoch.
 */
export function progressLogger(verbose: 1 | 2): Callback {
  const terminal = (globalThis as { process?: { stdout?: Terminal } }).process?.stdout;
  const redraws = verbose === 1 && terminal?.isTTY === true;
  let steps = 0;
  let epochs = 0;
  let begun = 0;
  let drawn = 0;
  let firstStepMs: number | undefined;
  const line = (done: number, logs: Logs, finished: boolean) =>
    progressLine({
      done,
      total: steps,
      elapsedMs: performance.now() - begun,
      logs: { ...logs },
      finished,
      ...(firstStepMs === undefined ? {} : { firstStepMs }),
      ...(terminal?.columns === undefined ? {} : { columns: terminal.columns }),
    });
  return {
    onTrainBegin: (params) => {
      ({ steps, epochs } = params);
    },
    onEpochBegin: (epoch) => {
      begun = performance.now();
      firstStepMs = undefined;
      console.log(`Epoch ${epoch + 1}/${epochs}`);
    },
    onBatchEnd: (done, logs) => {
      const now = performance.now();
      firstStepMs ??= now - begun;
      if (!redraws || now - drawn < REDRAW_MS) return;
      drawn = now;
      terminal.write(`\r${line(done, logs, false)}\x1b[K`);
    },
    onEpochEnd: (_, logs) => {
      const text = line(steps, logs, true);
      if (redraws) terminal.write(`\r${text}\x1b[K\n`);
      else console.log(text);
    },
  };
}
