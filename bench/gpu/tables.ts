// `npm run gpu:tables`: keeps what runs of the GPU kit measured, and writes the tables of docs/performance.md.

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { CliError, reportError } from "../../cli/errors.ts";
import {
  checkedRun,
  isQuick,
  PART_NAMES,
  type PartName,
  type Run,
  type RunInfo,
  reducedSweep,
  runInfoOf,
  shortTests,
  slugOf,
} from "./tables-run.ts";
import { gpuSection, withSection } from "./tables-section.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const RESULTS = join(ROOT, "bench/gpu/results");

const USAGE = `Usage: npm run gpu:tables -- [FOLDER...] [options]

FOLDER is what run.sh wrote; of several, of one card, the later ones have the last word on a part. They replace what was
kept of the card. Without a folder the tables are made anew of what is kept.

  --results FOLDER  where a folder a card is kept (bench/gpu/results)
  --document FILE   whose tables are written (docs/performance.md)`;

function main(): void {
  const { help, positionals, results, document } = readOptions();
  if (help) {
    console.log(USAGE);
    return;
  }
  if (positionals.length > 0) {
    const run = readRun(positionals);
    if (isQuick(run) && results === RESULTS) {
      throw new CliError(
        1,
        "A rehearsal (--quick) is not kept. --results FOLDER --document FILE show its tables elsewhere.",
      );
    }
    keep(run, results);
  }
  const entries = existsSync(results) ? readdirSync(results, { withFileTypes: true }) : [];
  const cards = entries.flatMap((entry) => (entry.isDirectory() ? entry.name : [])).sort();
  const runs = cards.map((card) => readRun([join(results, card)]));
  writeFileSync(document, withSection(readFileSync(document, "utf8"), gpuSection(runs)));
  console.log(`${shown(document)}: tables of ${cards.join(", ") || "no card"}.`);
}

function readOptions() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { results: { type: "string" }, document: { type: "string" }, help: { type: "boolean", default: false } },
    });
    return {
      help: values.help,
      positionals,
      results: values.results ?? RESULTS,
      document: values.document ?? join(ROOT, "docs/performance.md"),
    };
  } catch (error) {
    throw new CliError(2, `${(error as Error).message} See --help.`);
  }
}

function readRun(folders: readonly string[]): Run {
  const texts: Partial<Record<PartName, string>> = {};
  const runs: RunInfo[] = [];
  for (const folder of folders) {
    if (!existsSync(folder)) throw new CliError(1, `There is no folder ${folder}. run.sh of the kit writes one.`);
    for (const name of PART_NAMES) {
      const text = textOf(join(folder, `${name}.json`));
      if (text !== undefined) texts[name] = text;
    }
    const log = textOf(join(folder, "log.txt"));
    const info = log === undefined ? undefined : runInfoOf(log);
    runs.push(...(info ? [info] : (JSON.parse(textOf(join(folder, "runs.json")) ?? "[]") as RunInfo[])));
  }
  return checkedRun(texts, runs);
}

/** Writes a file a part, and one that says what runs they are of. */
function keep(run: Run, results: string): void {
  const folder = join(results, slugOf(run));
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const write = (name: string, json: unknown) =>
    writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(json)}\n`);
  write("runs", run.runs);
  for (const name of PART_NAMES) {
    if (run[name]) write(name, keptPart(run, name));
  }
  console.log(`${shown(folder)}: ${PART_NAMES.filter((name) => run[name]).join(", ")}.`);
}

/** A part as it is committed: its figures, without what is only of use where it was made. */
function keptPart(run: Run, name: PartName): unknown {
  if (name === "sweep" && run.sweep) return reducedSweep(run.sweep);
  if (name === "tests" && run.tests) return shortTests(run.tests);
  return run[name];
}

function textOf(file: string): string | undefined {
  return existsSync(file) ? readFileSync(file, "utf8") : undefined;
}

function shown(path: string): string {
  return relative(process.cwd(), path) || path;
}

try {
  main();
} catch (error) {
  process.exitCode = reportError(error);
}
