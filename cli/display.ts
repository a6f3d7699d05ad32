import { progressLine } from "../src/callbacks/progress.ts";
import type { CompileProgress } from "../src/index.ts";
import type { EpochProgress } from "./train-page/protocol.ts";

/** The part of process.stdout that is used, so that a test can stand in. */
export interface Output {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

export interface Display {
  line(text: string): void;
  /** Shows how many of a plan's pipelines are ready, or how much is chosen. */
  compiling(progress: Pick<CompileProgress, "compiled" | "total" | "tuning">): void;
  epochBegin(epoch: number, epochs: number): void;
  progress(progress: EpochProgress): void;
  epochEnd(progress: EpochProgress): void;
}

const REDRAW_MS = 50;
const PLAIN_LINE_MS = 10_000;
const CLEAR_TO_END = "\x1b[K";

/**
 * Keras's output: on a terminal one line an epoch, redrawn in place; elsewhere each epoch's last line, and one every ten
 * seconds for who waits on a slow machine.
 */
export function createDisplay(out: Output = process.stdout, env: NodeJS.ProcessEnv = process.env): Display {
  const inPlace = out.isTTY === true && env.TERM !== "dumb";
  const color = inPlace && !env.NO_COLOR;
  let drawn = performance.now();
  let open = false;

  const text = (progress: EpochProgress, finished: boolean) =>
    progressLine({ ...progress, finished, color, ...(inPlace ? { columns: out.columns || 80 } : {}) });
  const line = (content: string) => {
    out.write(`${open ? "\n" : ""}${content}\n`);
    open = false;
  };

  /** Redraws the open line or, where there is none, prints one; not too often, unless it `must` be seen. */
  const draw = (content: () => string, must = false) => {
    const now = performance.now();
    if (!(must && inPlace) && now - drawn < (inPlace ? REDRAW_MS : PLAIN_LINE_MS)) return;
    drawn = now;
    if (!inPlace) return line(content());
    out.write(`\r${content()}${CLEAR_TO_END}`);
    open = true;
  };

  return {
    line,
    compiling: ({ compiled, total, tuning }) =>
      draw(() => `${tuning ? "Tuning" : "Compiling"} ${compiled}/${total}`, compiled === total),
    epochBegin(epoch, epochs) {
      line(`Epoch ${epoch + 1}/${epochs}`);
      drawn = performance.now();
    },
    progress: (progress) => draw(() => text(progress, false)),
    epochEnd(progress) {
      out.write(inPlace ? `\r${text(progress, true)}${CLEAR_TO_END}\n` : `${text(progress, true)}\n`);
      open = false;
    },
  };
}
