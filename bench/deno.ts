// `npm run bench:deno`: a training step of featuremap and of jax-js in one Deno process, on the adapter that wgpu finds.

import { spawn } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Log, reportError } from "../cli/errors.ts";
import { INTERRUPTED } from "../cli/interrupt.ts";
import { findMnist } from "../cli/mnist.ts";
import { writeOutput } from "../cli/report.ts";
import { stepFlop } from "./arithmetic.ts";
import type { DenoFigures, DenoRequest } from "./deno/protocol.ts";
import { bundle } from "./lab/host.ts";
import { helpOf, type LabCommand, parseLabOptions } from "./lab/options.ts";
import { machine, machineText } from "./machine.ts";
import { NETWORKS } from "./networks.ts";
import { ensurePeers } from "./peers.ts";
import { disagreement, spreadOf, spreadText } from "./statistics.ts";
import { table } from "./table.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const OUT = join(ROOT, "build/bench/deno");
const log: Log = (line) => console.log(line);

const COMMAND: LabCommand = {
  name: "bench:deno",
  does: "Times a training step of featuremap and of jax-js (webgpu) in one Deno process, in turns, on one adapter.",
  takes: ["quick", "network", "markdown", "json", "help"],
  host: "deno",
};

async function main(args: readonly string[]): Promise<number> {
  const options = parseLabOptions(COMMAND, args);
  if (options.help) {
    log(helpOf(COMMAND));
    return 0;
  }
  ensurePeers(console.error, "deno");
  await bundle(join(ROOT, "bench/deno/main.ts"), OUT);
  const { network, quick, markdown, json } = options;
  const request: DenoRequest = { network, rounds: quick ? 3 : 7, groupMs: quick ? 2000 : 6000, mnist: findMnist() };
  const started = new Date().toISOString();
  const figures = await runDeno(request);
  const [ours, theirs] = figures.systems;
  const problem = disagreement(figures.systems.map(({ name, computed }) => [name, computed] as const));
  const mflop = stepFlop(NETWORKS[network]) / 1e6;
  const rows = figures.systems.map(({ name, firstStepMs, stepMs }) => {
    const spread = spreadOf(stepMs)!;
    const ratio = spread.median / spreadOf(ours!.stepMs)!.median;
    return [
      name,
      spreadText(spread),
      `${ratio.toFixed(1)}x`,
      (mflop / spread.median).toFixed(2),
      firstStepMs.toFixed(0),
    ];
  });
  const lines = [
    `${started.slice(0, 10)}; ${machineText(machine())}; Deno ${figures.deno}; adapter ${figures.adapter}`,
    "",
    `Network "${network}", batch ${NETWORKS[network].batch}: medians in ms (least-most); the first step is from import() on.`,
    "",
    ...table(["system", "training step", "to ours", "useful GFLOP/s", "first step"], rows, markdown),
    "",
    problem ?? `The losses of the first 3 steps agree: ${ours!.name}, ${theirs!.name}.`,
  ];
  log(lines.join("\n"));
  if (json) writeOutput(json, `${JSON.stringify({ machine: machine(), started, ...figures }, null, 2)}\n`);
  return problem ? 1 : 0;
}

/** Deno prints the figures as one line of JSON; what else it says goes to stderr. */
function runDeno(request: DenoRequest): Promise<DenoFigures> {
  const deno = join(ROOT, "bench/node_modules/deno/bin.cjs");
  const args = [deno, "run", "--unstable-webgpu", "--allow-all", "--no-config", "--no-lock", join(OUT, "main.js")];
  // Mesa keeps compiled shaders on disk, which would warm every first step but one.
  const env = { ...process.env, MESA_SHADER_CACHE_DISABLE: "true" };
  const child = spawn(process.execPath, [...args, JSON.stringify(request)], {
    stdio: ["ignore", "pipe", "inherit"],
    env,
  });
  process.once("exit", () => child.kill());
  let text = "";
  child.stdout.on("data", (part: Buffer) => {
    text += part.toString();
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (status) => {
      const last = text.trim().split("\n").at(-1) ?? "";
      if (status === 0 && last.startsWith("{")) resolve(JSON.parse(last) as DenoFigures);
      else reject(new Error(`Deno ended with status ${status} and no figures; what it said is above.`));
    });
  });
}

for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(INTERRUPTED));
process.exitCode = await main(process.argv.slice(2)).catch((error) => reportError(error));
