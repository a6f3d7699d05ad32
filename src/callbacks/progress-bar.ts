import { assertMadeBy } from "../base/errors.ts";
import type { Callback, TrainingParams } from "../training/callback.ts";
import type { Logs } from "../training/history.ts";
import { progressLine } from "./progress.ts";

/** Least time between two drawings, in ms, as in Keras (`keras.utils.Progbar`: `interval=0.05`). */
const REDRAW_MS = 50;

/** Terminal, or a file in its place: `process.stdout` of Node and Deno. */
export interface Terminal {
  readonly isTTY?: boolean;
  /** Characters in a line. */
  readonly columns?: number;
  write(text: string): unknown;
}

/**
 * Draws Keras's progress line: a callback for `fit(..., { verbose: 0, callbacks: [progressBar(process.stdout)] })`. A terminal that
 * cannot redraw, such as a file, gets one line an epoch.
 *
 * @throws FeaturemapError `value` for a terminal that cannot be written to
 */
export function progressBar(terminal: Terminal): Callback {
  assertMadeBy(
    typeof terminal?.write === "function",
    terminal,
    "progressBar: terminal",
    "process.stdout, or have a write()",
  );
  const { isTTY: redraws = false, columns } = terminal;
  let params: TrainingParams;
  let begun = 0;
  let drawn = 0;
  let firstStepMs: number | undefined;
  const line = (done: number, logs: Logs, finished: boolean) =>
    progressLine({
      done,
      total: params.steps,
      elapsedMs: performance.now() - begun,
      logs: { ...logs },
      finished,
      ...(firstStepMs === undefined ? {} : { firstStepMs }),
      ...(columns === undefined ? {} : { columns }),
    });
  return {
    onTrainBegin: (given) => {
      params = given;
    },
    onEpochBegin: (epoch) => {
      begun = performance.now();
      firstStepMs = undefined;
      terminal.write(`Epoch ${epoch + 1}/${params.epochs}\n`);
    },
    onTrainBatchEnd: (batch, logs) => {
      const now = performance.now();
      firstStepMs ??= now - begun;
      if (!redraws || now - drawn < REDRAW_MS) return;
      drawn = now;
      terminal.write(`\r${line(batch + 1, logs, false)}\x1b[K`);
    },
    onEpochEnd: (_, logs) => {
      const text = line(params.steps ?? 0, logs, true);
      terminal.write(redraws ? `\r${text}\x1b[K\n` : `${text}\n`);
    },
  };
}
