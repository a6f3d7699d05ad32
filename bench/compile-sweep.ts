// How long each pipeline of many networks takes to compile, on SwiftShader or llvmpipe: what a compiler cannot digest is found
// here, before a user waits for it. `node --import tsx bench/compile-sweep.ts --help`

import { spawn } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { CliError, firstLine, type Log, reportError } from "../cli/errors.ts";
import { INTERRUPTED } from "../cli/interrupt.ts";
import { writeOutput } from "../cli/report.ts";
import type { AdapterClass } from "../src/graph/tile.ts";
import type { pipelinesOf } from "./compile/pipelines.ts";
import type { SweptPipeline, WorkerLine, WorkerRequest } from "./compile/worker.ts";
import { bundle } from "./lab/host.ts";
import { machine, machineText } from "./machine.ts";
import { jsonFile } from "./options.ts";
import { ensurePeers } from "./peers.ts";
import { table } from "./table.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const OUT = join(ROOT, "build/bench/compile");
const log: Log = (line) => console.log(line);

interface Driver {
  readonly manifests: readonly string[];
  readonly adapters: readonly AdapterClass[];
  readonly is: RegExp;
}

const DRIVERS: Readonly<Record<string, Driver>> = {
  swiftshader: {
    manifests: ["/usr/lib/chromium/vk_swiftshader_icd.json"],
    adapters: ["software-quads", "software", "gpu"],
    is: /swiftshader/i,
  },
  llvmpipe: {
    manifests: ["/usr/share/vulkan/icd.d/lvp_icd.x86_64.json", "/usr/share/vulkan/icd.d/lvp_icd.json"],
    adapters: ["software", "gpu"],
    is: /llvmpipe/i,
  },
};

const HELP = `Compiles the pipelines of many small networks, one after the other, and prints those that took longest.

Usage: node --import tsx bench/compile-sweep.ts [options]

  --driver NAME     swiftshader (default): Dawn in Node; llvmpipe: wgpu in Deno, where each pipeline also runs once
  --networks N      networks at random beside those of known cases (default 60)
  --only WORD       pipelines whose kernel, network or class of adapter has the word in it
  --adapter NAME    of the classes of adapters only this: software-quads, software, gpu
  --limit SECONDS   a pipeline that takes longer by the clock is ended (default 20)
  --slowest N       how many are printed (default 20)
  --json FILE.json  write what each pipeline took, and the texts of those that failed
  --help            print this and stop

VK_DRIVER_FILES names the driver's manifest where it is not in its usual place.
Exit status: 0 all compiled in time, 1 some did not, 2 wrong options, 130 stopped.`;

const FLAGS = {
  driver: { type: "string", default: "swiftshader" },
  networks: { type: "string", default: "60" },
  only: { type: "string", default: "" },
  adapter: { type: "string" },
  limit: { type: "string", default: "20" },
  slowest: { type: "string", default: "20" },
  json: { type: "string" },
  help: { type: "boolean", short: "h", default: false },
} as const;

interface Outcome {
  readonly pipeline: SweptPipeline;
  /** Milliseconds of the processor's; of those that were ended, the limit. */
  readonly ms: number;
  readonly why?: string;
}

async function main(args: readonly string[]): Promise<number> {
  const { json, ...options } = parsed(args);
  if (options.help) {
    log(HELP);
    return 0;
  }
  const driver = DRIVERS[options.driver];
  if (!driver) throw new CliError(2, `--driver takes ${Object.keys(DRIVERS).join(" or ")}, got "${options.driver}".`);
  const [networks, limit, slowest] = (["networks", "limit", "slowest"] as const).map((flag) =>
    number(flag, options[flag]),
  );
  ensurePeers(console.error, options.driver === "llvmpipe" ? "deno" : "webgpu");
  await bundle(join(ROOT, "bench/compile/pipelines.ts"), join(OUT, "pipelines"));
  await bundle(join(ROOT, "bench/compile/worker.ts"), join(OUT, "worker"));
  const built = (await import(pathToFileURL(join(OUT, "pipelines/pipelines.js")).href)) as {
    pipelinesOf: typeof pipelinesOf;
  };
  const adapters = driver.adapters.filter((adapter) => options.adapter === undefined || options.adapter === adapter);
  const pipelines = built
    .pipelinesOf(adapters, networks!)
    .filter(({ kernel, from }) => `${kernel} ${from}`.includes(options.only));
  if (pipelines.length === 0) throw new CliError(2, "There is no such pipeline: --only or --adapter leaves none.");
  const started = new Date().toISOString();
  const { adapter, outcomes } = await compileAll(driver, pipelines, limit! * 1000);
  const bad = outcomes.filter(({ why }) => why !== undefined);
  const worst = [...outcomes].sort((a, b) => b.ms - a.ms).slice(0, slowest);
  const rows = worst.map(({ pipeline, ms, why }) => {
    const { kernel, from, code } = pipeline;
    return [(ms / 1000).toFixed(2), kernel, from, (code.length / 1024).toFixed(0), why ?? ""];
  });
  const total = outcomes.reduce((sum, { ms }) => sum + ms, 0) / 1000;
  const lines = [
    `${started.slice(0, 10)}; ${machineText(machine())}; adapter ${adapter}`,
    "",
    ...table(["CPU seconds", "kernel", "where", "KB", ""], rows),
    "",
    `${outcomes.length} pipelines in ${total.toFixed(0)} s; ${bad.length} failed or took more than ${limit} s.`,
    ...bad.map(
      ({ pipeline, why }) => `${pipeline.kernel}: ${pipeline.from}, ${JSON.stringify(pipeline.choices)}: ${why}`,
    ),
  ];
  log(lines.join("\n"));
  if (json !== undefined) {
    const figures = outcomes.map(({ pipeline: { code, bytes, bindings, ...pipeline }, ...outcome }) => {
      return { ...pipeline, ...outcome, ...(outcome.why !== undefined && { code }) };
    });
    writeOutput(jsonFile(json), `${JSON.stringify({ machine: machine(), adapter, started, figures }, null, 2)}\n`);
  }
  return bad.length > 0 ? 1 : 0;
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: FLAGS, strict: true }).values;
  } catch (error) {
    throw new CliError(2, `${firstLine(error).replace(/\.( .*)?$/, "")}. --help lists the options.`);
  }
}

function number(flag: string, value: string): number {
  if (!/^\d+$/.test(value)) throw new CliError(2, `--${flag} takes a whole number, got "${value}".`);
  return Number(value);
}

/** All pipelines, by as few processes as there are pipelines that do not end, and one. */
async function compileAll(driver: Driver, pipelines: readonly SweptPipeline[], limitMs: number) {
  const file = join(OUT, "pipelines.json");
  writeFileSync(file, JSON.stringify(pipelines));
  const outcomes: Outcome[] = [];
  let adapter = "";
  for (let next = 0; next < pipelines.length; ) {
    const indices = pipelines.map((_, i) => i).slice(next);
    await compileSome(driver, { file, indices }, limitMs, (line) => {
      if ("adapter" in line) {
        adapter = line.adapter;
        if (!driver.is.test(adapter)) throw new CliError(1, `The adapter is another: ${adapter}.`);
        return;
      }
      if ("begins" in line) return;
      const index = "done" in line ? line.done : line.failed;
      const pipeline = pipelines[index]!;
      outcomes.push("done" in line ? { pipeline, ms: line.ms } : { pipeline, ms: limitMs, why: line.why });
      next = index + 1;
      if (next % 50 === 0) console.error(`${next} of ${pipelines.length}`);
    });
  }
  return { adapter, outcomes };
}

/**
 * Starts a process that compiles, and ends it where a pipeline takes longer than the limit; resolves when it has ended. What kills it
 * counts as a failure of the pipeline that it was compiling.
 */
function compileSome(
  driver: Driver,
  request: Pick<WorkerRequest, "file" | "indices">,
  limitMs: number,
  hear: (line: WorkerLine) => void,
): Promise<void> {
  const dawn = driver === DRIVERS.swiftshader;
  const worker = join(OUT, "worker/worker.js");
  const deno = [
    join(ROOT, "bench/node_modules/deno/bin.cjs"),
    "run",
    "--unstable-webgpu",
    "--allow-all",
    "--no-config",
    "--no-lock",
  ];
  const text = JSON.stringify({
    ...request,
    runs: !dawn,
    ...(dawn && { dawn: join(ROOT, "bench/node_modules/webgpu/index.js") }),
  } satisfies WorkerRequest);
  const manifest = process.env.VK_DRIVER_FILES ?? driver.manifests.find(existsSync);
  if (manifest === undefined) throw new CliError(1, `There is no ${driver.manifests[0]}: set VK_DRIVER_FILES.`);
  const child = spawn(process.execPath, [...(dawn ? [] : deno), worker, text], {
    stdio: ["ignore", "pipe", "inherit"],
    // A process group of its own: Deno is started by Node. Mesa would find what it once compiled on disk.
    detached: true,
    env: { ...process.env, VK_DRIVER_FILES: manifest, VK_ICD_FILENAMES: manifest, MESA_SHADER_CACHE_DISABLE: "true" },
  });
  const end = () => {
    try {
      process.kill(-child.pid!, "SIGKILL");
    } catch {
      // It has ended.
    }
  };
  process.once("exit", end);
  return new Promise((resolve, reject) => {
    let compiling: number | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let why: string | undefined;
    createInterface({ input: child.stdout }).on("line", (text) => {
      clearTimeout(timer);
      const line = JSON.parse(text) as WorkerLine;
      compiling = "begins" in line ? line.begins : undefined;
      try {
        hear(line);
      } catch (error) {
        reject(error);
        end();
      }
      if (compiling === undefined) return;
      timer = setTimeout(() => {
        why = `took more than ${limitMs / 1000} s`;
        end();
      }, limitMs);
    });
    child.once("error", reject);
    child.once("close", (status, signal) => {
      clearTimeout(timer);
      process.off("exit", end);
      if (compiling !== undefined) hear({ failed: compiling, why: why ?? `the process ended by ${signal ?? status}` });
      else if (status !== 0) reject(new CliError(1, `The process that compiles ended by ${signal ?? status}.`));
      resolve();
    });
  });
}

for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(INTERRUPTED));
process.exitCode = await main(process.argv.slice(2)).catch((error) => reportError(error));
