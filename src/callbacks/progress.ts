import { flag, knownKeys, wrong } from "../base/errors.ts";
import { fixed } from "../base/rounding.ts";

/** Figures of one progress line; see {@link progressLine}. */
export interface Progress {
  /** Steps finished in this epoch. */
  readonly done: number;
  /** Steps of the whole epoch. `undefined` or 0 means unknown, and drops the bar. */
  readonly total: number | undefined;
  /** Milliseconds since the epoch began. */
  readonly elapsedMs: number;
  /** Milliseconds from the epoch's beginning to the end of its first step. Keras leaves that step out of its estimate. */
  readonly firstStepMs?: number;
  /** Metrics by name. NaN means "not read back yet" until `finished`, and then a NaN result. */
  readonly logs: Readonly<Record<string, number>>;
  /** Whether this is the epoch's last line: it shows the time spent instead of the time left. */
  readonly finished: boolean;
  /** Width of the terminal in characters. A longer unfinished line is cut, since `\r` cannot redraw a wrapped one. */
  readonly columns?: number;
  /** Whether to add the ANSI colours that Keras prints. Default `false`. */
  readonly color?: boolean;
}

type Style = "bold" | "green" | "white" | "plain";
type Piece = readonly [text: string, style: Style];

const BAR_WIDTH = 20;
const CODES: Record<Exclude<Style, "plain">, string> = { bold: "\x1b[1m", green: "\x1b[32m", white: "\x1b[37m" };
const RESET = "\x1b[0m";

/**
 * Writes the progress line of Keras 3 (`keras.utils.Progbar` with `verbose=1`), without a line break or carriage return:
 * ` 12/469 ━━━━━━━━━━━━━━━━━━━━ 1:25 188ms/step - accuracy: 0.8123 - loss: 0.6123`.
 *
 * Without colour the bar reads the same at every step, as Keras's own does where colours are not shown.
 *
 * @throws FeaturemapError `value` for what is missing, unknown or of another type
 */
export function progressLine(progress: Progress): string {
  checkProgress(progress);
  const pieces = [...barPieces(progress), ...timePieces(progress), metricsPiece(progress)];
  const shown = progress.finished || progress.columns === undefined ? pieces : cut(pieces, progress.columns);
  return shown.map(([text, style]) => (progress.color ? paint(text, style) : text)).join("");
}

function checkProgress(progress: Progress): void {
  const where = "progressLine";
  const numbers = ["done", "elapsedMs", "total", "firstStepMs", "columns"] as const;
  knownKeys(progress, [...numbers, "logs", "finished", "color"], where);
  const { logs, finished, color = false } = progress;
  flag(finished, `${where}: finished`);
  flag(color, `${where}: color`);
  numbers.forEach((name, i) => {
    const value = progress[name];
    if (value === undefined ? i < 2 : typeof value !== "number" || !(value >= 0))
      throw wrong(`${where}: ${name}`, "be a number of at least 0", value);
  });
  if (typeof logs !== "object" || logs === null) throw wrong(`${where}: logs`, "be an object of numbers", logs);
  for (const [name, value] of Object.entries(logs))
    if (typeof value !== "number") throw wrong(`${where}: logs: ${name}`, "be a number", value);
}

function barPieces({ done, total }: Progress): Piece[] {
  if (!total) return [[`${String(done).padStart(7)}/Unknown`, "plain"]];
  const count = `${String(done).padStart(String(total).length)}/${total}`;
  const filled = Math.min(BAR_WIDTH, Math.floor(BAR_WIDTH * (done / total)));
  const pieces: Piece[] = [
    [count, "bold"],
    [" ", "plain"],
  ];
  if (filled > 0) pieces.push(["━".repeat(filled), "green"]);
  pieces.push(["━".repeat(BAR_WIDTH - filled), "white"]);
  return pieces;
}

function timePieces(progress: Progress): Piece[] {
  const { done, total, elapsedMs, finished } = progress;
  const perStep = secondsPerStep(progress);
  const time = total && !finished ? clock(perStep * Math.max(0, total - done)) : `${fixed(elapsedMs / 1000, 0)}s`;
  return [
    [" ", "plain"],
    [time, "bold"],
    [` ${pace(perStep)}`, "plain"],
  ];
}

function secondsPerStep({ done, elapsedMs, firstStepMs }: Progress): number {
  if (done <= 0) return 0;
  if (firstStepMs !== undefined && done > 1) return (elapsedMs - firstStepMs) / (done - 1) / 1000;
  return elapsedMs / done / 1000;
}

// The strict comparisons are Keras's: one minute reads "60s" and one hour "60:00".
function clock(seconds: number): string {
  const two = (value: number) => String(Math.floor(value)).padStart(2, "0");
  if (seconds > 3600) return `${Math.floor(seconds / 3600)}:${two((seconds % 3600) / 60)}:${two(seconds % 60)}`;
  if (seconds > 60) return `${Math.floor(seconds / 60)}:${two(seconds % 60)}`;
  return `${Math.floor(seconds)}s`;
}

function pace(seconds: number): string {
  if (seconds >= 1 || seconds === 0) return `${fixed(seconds, 0)}s/step`;
  if (seconds >= 1e-3) return `${fixed(seconds * 1e3, 0)}ms/step`;
  return `${fixed(seconds * 1e6, 0)}us/step`;
}

// Keras sorts the names of the batch logs; the `val_` ones join at the epoch's end and so stand last.
function metricsPiece({ logs, finished }: Progress): Piece {
  const names = Object.keys(logs).filter((name) => finished || !Number.isNaN(logs[name]));
  const rank = (name: string) => (name.startsWith("val_") ? 1 : 0);
  names.sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
  return [names.map((name) => ` - ${name}: ${metric(logs[name]!)}`).join(""), "plain"];
}

function metric(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  if (Math.abs(value) > 1e-3) return fixed(value, 4);
  return value.toExponential(4).replace(/e([+-])(\d)$/, "e$10$2");
}

function cut(pieces: readonly Piece[], columns: number): Piece[] {
  const length = pieces.reduce((sum, [text]) => sum + text.length, 0);
  if (length <= columns) return [...pieces];
  let room = Math.max(0, columns - 1);
  const kept: Piece[] = [];
  for (const [text, style] of pieces) {
    if (room > 0) kept.push([text.slice(0, room), style]);
    room -= text.length;
  }
  return columns > 0 ? [...kept, ["…", "plain"]] : kept;
}

function paint(text: string, style: Style): string {
  return style === "plain" ? text : `${CODES[style]}${text}${RESET}`;
}
