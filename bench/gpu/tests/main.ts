// The command: runs the files beside it, each in a process of its own, and writes what came of them after each.

import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { AdapterSummary } from "../../../src/gpu/runtime.ts";
import { runInProcess } from "./process.ts";
import { type FileResult, linesOf, runResult } from "./result.ts";

/** Of Node, in milliseconds. */
const LONGEST_TIMER = 2 ** 31 - 1;

const USAGE = `Usage: node main.js --webgpu FILE [options]

  --webgpu FILE    index.js or dawn.node of the package webgpu
  --json FILE      where to write the results, after each file
  --mnist FOLDER   MNIST's training images and labels, or the first of them, unpacked
  --only NAMES     the files to run, by name: matmul,dense
  --timeout-ms N   of a test (60000)
  --grace-ms N     beyond that timeout, for a process that tells nothing (20000)
  --limit-ms N     of the whole run; files that it leaves out are told as not run
  --jobs N         files that run at once (1): for a machine of many cores, where pipelines take longer than kernels

Exits with 1 where a test failed or none passed, with 2 where an option is wrong.`;

const { values } = readOptions();
const at = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const all = JSON.parse(readFileSync(at("files.json"), "utf8")) as string[];
const names = values.only?.split(",") ?? all;
const unknown = names.filter((name) => !all.includes(name));
if (unknown.length > 0) refuse(`there is no file ${unknown.join(", ")}; there are ${all.join(", ")}`);
if (values.webgpu === undefined) refuse("--webgpu is missing");
const webgpu = resolve(values.webgpu);
const mnist = values.mnist && resolve(values.mnist);
const timeoutMs = above0("timeout-ms", 60_000);
const silentMs = timeoutMs + above0("grace-ms", 20_000);
const deadline = performance.now() + above0("limit-ms", LONGEST_TIMER);
const jobs = above0("jobs", 1);

let adapter: AdapterSummary | undefined;
const files: FileResult[] = [];
const left = [...names];
const waiting = [...names];
write();
await Promise.all(Array.from({ length: jobs }, worker));
const { passed, failed, skipped } = runResult(adapter, files, left);
if (left.length > 0) console.log(`Not run, for want of time: ${left.join(", ")}`);
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exit(failed > 0 || passed === 0 ? 1 : 0);

async function worker(): Promise<void> {
  while (waiting.length > 0 && performance.now() < deadline) {
    const name = waiting.shift()!;
    const job = { name, file: at(`tests/${name}.js`), webgpu, mnist, timeoutMs };
    const ran = await runInProcess(at("child.js"), job, { silentMs, deadline });
    if (!adapter && ran.adapter) console.log(`Node ${process.version}, Dawn, ${ran.adapter.label}`);
    adapter ??= ran.adapter;
    files.push(ran.result);
    if (!ran.result.unfinished) left.splice(left.indexOf(name), 1);
    for (const line of linesOf(ran.result)) console.log(line);
    write();
  }
}

/** A reader never sees half a file. */
function write(): void {
  if (!values.json) return;
  writeFileSync(`${values.json}.part`, `${JSON.stringify(runResult(adapter, files, left), null, 2)}\n`);
  renameSync(`${values.json}.part`, values.json);
}

function readOptions() {
  const option = { type: "string" } as const;
  const texts = { webgpu: option, json: option, mnist: option, only: option };
  const options = { ...texts, "timeout-ms": option, "grace-ms": option, "limit-ms": option, jobs: option };
  try {
    return parseArgs({ options });
  } catch (error) {
    refuse((error as Error).message);
  }
}

function above0(name: "timeout-ms" | "grace-ms" | "limit-ms" | "jobs", otherwise: number): number {
  const number = Number(values[name] ?? otherwise);
  if (!(number > 0)) refuse(`--${name} wants a number above 0, got ${values[name]}`);
  return Math.min(number, LONGEST_TIMER);
}

function refuse(why: string): never {
  console.error(`${why}\n\n${USAGE}`);
  process.exit(2);
}
