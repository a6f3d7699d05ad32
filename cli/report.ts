import { randomUUID } from "node:crypto";
import { renameSync, rmSync, writeFileSync } from "node:fs";
import type { LaunchedBrowser } from "./browser.ts";
import { CliError, firstLine } from "./errors.ts";
import type { TrainOptions } from "./options.ts";
import type { TrainResult } from "./train-page/protocol.ts";

/** The JSON of `--report`. Times are milliseconds, memory is bytes. What an interruption came before is null. */
export interface TrainReport extends Omit<TrainResult, "adapter" | "timing" | "perStep" | "bytes" | "tuning"> {
  readonly adapter: TrainResult["adapter"] | null;
  readonly runtime: { readonly browser: string | null; readonly node: string; readonly platform: string };
  readonly options: TrainOptions;
  readonly timing: TrainResult["timing"] | null;
  readonly perStep: TrainResult["perStep"] | null;
  readonly bytes: TrainResult["bytes"] | null;
  readonly tuning: TrainResult["tuning"] | null;
}

/** The report of a run; without `result`, of one that was interrupted before the page could train. */
export function buildReport(options: TrainOptions, launched?: LaunchedBrowser, result?: TrainResult): TrainReport {
  return {
    adapter: result?.adapter ?? null,
    runtime: {
      browser: launched ? browserLabel(launched) : null,
      node: process.version,
      platform: `${process.platform} ${process.arch}`,
    },
    options,
    history: result?.history ?? {},
    test: result?.test ?? null,
    timing: result?.timing ?? null,
    perStep: result?.perStep ?? null,
    bytes: result?.bytes ?? null,
    choices: result?.choices ?? {},
    tuning: result?.tuning ?? null,
    interrupted: result?.interrupted ?? true,
  };
}

export function browserLabel({ browserName, browserVersion }: LaunchedBrowser): string {
  return `${browserName} ${browserVersion}`;
}

/** What is printed after the last epoch. */
export function summaryLines(launched: LaunchedBrowser, epochs: number, result: TrainResult): string[] {
  const { test, timing, perStep, bytes } = result;
  const rows: [string, string][] = [
    ["adapter", result.adapter.label],
    ["browser", browserLabel(launched)],
    ["epochs", `${result.history.loss?.length ?? 0} of ${epochs}`],
    ["test accuracy", test ? `${(test.accuracy * 100).toFixed(2)} % (loss ${test.loss.toFixed(4)})` : "not measured"],
    ["speed", speed(timing)],
    ["each step", Object.entries(perStep).map(counted).join(", ")],
    ["GPU memory", Object.entries(bytes).map(sized).join(", ")],
    ...tuningRow(result.tuning),
  ];
  return rows.map(([name, text]) => `${name.padEnd(14)} ${text}`);
}

function tuningRow({ ms, measured, remembered, skipped }: TrainResult["tuning"]): [string, string][] {
  if (measured + remembered + skipped === 0) return [];
  const counts = `${measured} measured, ${remembered} remembered, ${skipped} as shipped for want of time`;
  return [["kernels chosen", `${counts}; ${(ms / 1000).toFixed(1)} s`]];
}

function speed({ imagesPerSecond, msPerStep }: TrainResult["timing"]): string {
  if (imagesPerSecond === null || msPerStep === null) return "not measured: too few steps";
  return `${imagesPerSecond.toFixed(0)} images/s, ${msPerStep.toFixed(1)} ms/step`;
}

// The keys of the report are the words of the summary.
function counted([name, value]: [string, number]): string {
  return `${Number.isInteger(value) ? value : value.toPrecision(2)} ${name}`;
}

function sized([name, value]: [string, number]): string {
  return `${name} ${(value / 2 ** 20).toFixed(1)} MiB`;
}

/** Writes under a passing name in the same folder, then renames: who reads `path` never sees half a file. */
export function writeOutput(path: string, content: string | Uint8Array): void {
  const passing = `${path}.${randomUUID()}.tmp`;
  try {
    writeFileSync(passing, content);
    renameSync(passing, path);
  } catch (error) {
    rmSync(passing, { force: true });
    throw new CliError(1, `Could not write "${path}": ${firstLine(error)}.`, { cause: error });
  }
}
