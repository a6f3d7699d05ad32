// `npm run bench`: featuremap and its peers side by side, in a browser that it finds, installs or is given.

import { launchBrowser } from "../cli/browser.ts";
import { CliError, type Log, reportError } from "../cli/errors.ts";
import { INTERRUPTED } from "../cli/interrupt.ts";
import { findMnist } from "../cli/mnist.ts";
import { browserLabel, writeOutput } from "../cli/report.ts";
import { openTab } from "./browser.ts";
import { buildLibrary, bundleOf, versions } from "./bundle.ts";
import { type Bench, isSlow, measureFirst, measureRounds, schedule } from "./measure.ts";
import { type BenchOptions, HELP, parseOptions } from "./options.ts";
import { ensurePeers } from "./peers.ts";
import { buildReport, reportLines } from "./report.ts";
import { buildPage, startServer } from "./server.ts";
import { forgetState, loadState, measuredOf, type State, signatureOf } from "./state.ts";
import { disagreement } from "./statistics.ts";

const log: Log = (line) => console.log(line);

async function main(args: readonly string[]): Promise<number> {
  const options = parseOptions(args);
  if (options.help) {
    log(HELP);
    return 0;
  }
  const plan = schedule(options.quick);
  ensurePeers(log);
  if (options.systems.includes("borch-webgpu")) ensurePeers(log, "borch");
  const mnist = findMnist();
  await buildLibrary();
  await buildPage();
  const launched = await launchBrowser({ log });
  const server = await startServer(mnist);
  try {
    const tab = await openTab(launched.browser, server.url, { network: options.network, withLedger: false });
    const { info } = tab;
    await launched.browser.close();
    const parts = [browserLabel(launched), info.adapter, options.network, ...options.systems];
    const state = loadState(signatureOf(parts), { resumable: !options.quick, fresh: options.fresh });
    if (Object.keys(state.systems).length) log(`Going on with the run of ${state.started}; --fresh starts anew.`);
    log(`${browserLabel(launched)} on ${info.adapter}${info.software ? ", a software adapter" : ""}.`);
    await measure({ launched, url: server.url, network: options.network, state, schedule: plan, log }, options);
    const { network, quick } = options;
    const surroundings = { browser: browserLabel(launched), info, versions: versions(), network, quick };
    const report = buildReport(state, surroundings);
    log(["", ...reportLines(report, options.markdown)].join("\n"));
    if (options.json) {
      writeOutput(options.json, `${JSON.stringify(report, null, 2)}\n`);
      log(`Written to ${options.json}`);
    }
    if (Object.values(state.systems).some(({ failed }) => failed)) return 1;
    forgetState(state);
    return 0;
  } finally {
    await Promise.allSettled([launched.browser.close(), server.close()]);
  }
}

/** Throws a CliError (exit 1) where two systems do not compute the same: then no figure of theirs is worth printing. */
async function measure(bench: Bench, { systems, quick }: BenchOptions): Promise<void> {
  const { state } = bench;
  for (const name of systems) measuredOf(state, name).bundle = await bundleOf(name, bench.network);
  // Without a GPU, a quick run measures the slow peers last: they are what is left out.
  const last = quick && bench.launched.adapterKind === "software" ? systems.filter(isSlow) : [];
  const sure = systems.filter((name) => !last.includes(name));
  for (let profile = 0; profile < bench.schedule.firsts; profile++) {
    for (const name of sure) {
      const { firsts, computed } = measuredOf(state, name);
      if (!computed || firsts.length <= profile) await measureFirst(bench, name);
    }
    assertAgreement(state, bench);
  }
  await measureRounds(bench, sure);
  if (last.length === 0) return;
  for (const name of last) await measureFirst(bench, name);
  assertAgreement(state, bench);
  await measureRounds(bench, last);
}

function assertAgreement(state: State, { log }: Bench): void {
  const names = Object.keys(state.systems) as (keyof State["systems"])[];
  const computed = names.flatMap((name) => {
    const found = state.systems[name]?.computed;
    return found ? [[name, found] as const] : [];
  });
  const problem = disagreement(computed);
  if (problem) throw new CliError(1, `${problem}. A benchmark of another network would be worth nothing.`);
  if (computed.length > 1) log(`The losses of the first 3 steps agree: ${computed.map(([name]) => name).join(", ")}.`);
}

// What was measured is saved already; Playwright ends its browsers as the process exits.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(INTERRUPTED));
process.exitCode = await main(process.argv.slice(2)).catch((error) => reportError(error));
