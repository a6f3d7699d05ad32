// What is measured, in which order. Every figure goes into the state as soon as it is there.

import type { Browser } from "playwright";
import type { LaunchedBrowser } from "../cli/browser.ts";
import type { Log } from "../cli/errors.ts";
import { openTab, startBrowser, type Tab } from "./browser.ts";
import { difference } from "./ledger/ledger.ts";
import { NETWORKS, type NetworkName } from "./networks.ts";
import { type Measured, measuredOf, type State, saveState } from "./state.ts";
import { BATCHES, type Group, type SystemName } from "./systems/system.ts";

export interface Schedule {
  /** Fresh profiles for each system. */
  readonly firsts: number;
  readonly rounds: number;
  /** Of systems that take longer than `slowMs` a step. 0: their second to fourth steps are all there is. */
  readonly slowRounds: number;
  readonly slowMs: number;
  /** What a round's group of one system should take. */
  readonly groupMs: number;
  /** `performance.now()` by which it should end: what does not fit is left out, and said. */
  readonly until: number;
}

export function schedule(quick: boolean): Schedule {
  return quick
    ? { firsts: 1, rounds: 3, slowRounds: 0, slowMs: 10_000, groupMs: 3000, until: performance.now() + 13.5 * 60_000 }
    : { firsts: 3, rounds: 7, slowRounds: 3, slowMs: 10_000, groupMs: 8000, until: Number.POSITIVE_INFINITY };
}

export interface Bench {
  readonly launched: LaunchedBrowser;
  readonly url: string;
  readonly network: NetworkName;
  readonly state: State;
  readonly schedule: Schedule;
  readonly log: Log;
}

const ONE_STEP = { steps: 1, epochs: 1 };
/**
 * Peers whose steps take 15 to 25 s where there is no GPU, with the room that a quick run wants before it starts one:
 * borch measures its adapter for a minute before it is ready.
 */
const SLOW_PEER_MS: Partial<Record<SystemName, number>> = {
  "tfjs-webgpu": 150_000,
  "tfjs-cpu": 150_000,
  "borch-webgpu": 240_000,
};

/** Whether a peer's steps take that long without a GPU. */
export function isSlow(name: SystemName): boolean {
  return name in SLOW_PEER_MS;
}

/** A system's first step in a browser with a new profile; the first time, what it computes and calls as well. */
export async function measureFirst(bench: Bench, name: SystemName): Promise<void> {
  const { schedule, state, log } = bench;
  const measured = measuredOf(state, name);
  if (measured.failed || (measured.computed && measured.firsts.length >= schedule.firsts)) return;
  if (left(bench) < (SLOW_PEER_MS[name] ?? 0)) {
    measured.leftOut = "left out, since it would not fit in the time; --only measures it";
    return log(`${name}: ${measured.leftOut}`);
  }
  const browser = await startBrowser(bench.launched);
  try {
    await inTime(bench, firstIn(bench, name, browser));
  } catch (error) {
    if (error instanceof OutOfTime) measured.leftOut = measured.computed ? "cut short: the time was up" : error.message;
    else fail(bench, name, error);
    if (measured.leftOut) log(`${name}: ${measured.leftOut}`);
  } finally {
    await browser.close();
    saveState(state);
  }
}

async function firstIn(bench: Bench, name: SystemName, browser: Browser): Promise<void> {
  const measured = measuredOf(bench.state, name);
  const tab = await openTab(browser, bench.url, { network: bench.network, withLedger: true });
  if (!tab.info.crossOriginIsolated) throw new Error("the page is not cross-origin isolated");
  const first = await tab.call("first", name);
  measured.firsts.push(first);
  if (!measured.computed) await measureOnce(bench, measured, tab, first.loss);
  bench.log(`${name}: first step after ${seconds(first.totalMs)}, then ${seconds(measured.warmMs!)} a step`);
}

class OutOfTime extends Error {}

/** A quick run does not wait for what has begun and turns out to take too long. */
async function inTime(bench: Bench, work: Promise<void>): Promise<void> {
  if (bench.schedule.until === Number.POSITIVE_INFINITY) return work;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const stop = () => reject(new OutOfTime("left out, since it took longer than the time that was left"));
    timer = setTimeout(stop, Math.max(0, left(bench)));
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function measureOnce(bench: Bench, measured: Measured, tab: Tab, firstLoss: number): Promise<void> {
  const { slowMs, slowRounds } = bench.schedule;
  const { batch } = NETWORKS[bench.network];
  const second = await tab.call("train", { first: 1, ...ONE_STEP });
  const third = await tab.call("train", { first: 2, ...ONE_STEP });
  measured.warmMs = Math.min(second.ms, third.ms);
  measured.earlyStepMs = [second.ms, third.ms];
  const { probabilities } = await tab.call("infer", batch, 1);
  measured.computed = { losses: [firstLoss, second.loss, third.loss], probabilities };
  // Only the difference of two groups is free of what a group costs once, as the read of its loss.
  const pair = await tab.call("train", { first: 0, steps: 2, epochs: 1 });
  measured.earlyStepMs.push(pair.ms / 2);
  measured.callsPerStep = difference(pair.calls!, third.calls!);
  measured.peakBytes = await tab.call("peakBytes");
  if (measured.warmMs <= slowMs || slowRounds > 0) return;
  measured.infer128Ms.push((await tab.call("infer", batch, 1)).ms);
  await tab.call("infer", 1, 1);
  measured.infer1Ms.push((await tab.call("infer", 1, 5)).ms / 5);
}

interface Runner {
  readonly name: SystemName;
  readonly measured: Measured;
  readonly tab: Tab;
  readonly group: Group;
  /** Inferences a round at batch 1 and at the training's batch. */
  readonly times: readonly [number, number];
  /** Ours on the article's network, where another is measured: what that costs is told by the difference. */
  readonly article: { readonly tab: Tab; readonly group: Group } | undefined;
}

/** Rounds in one browser, in which every system has its turn: what the machine does beside meets all of them. */
export async function measureRounds(bench: Bench, names: readonly SystemName[]): Promise<void> {
  const { schedule, state, log } = bench;
  const wanted = names.filter((name) => roundsLeft(bench, name) > 0);
  if (wanted.length === 0) return;
  const firstRound = wanted.reduce((sum, name) => sum + warmUpMs(bench, name) + 2 * schedule.groupMs, 0);
  if (left(bench) < firstRound) return log("No rounds: they would not fit in the time.");
  const browser = await startBrowser(bench.launched);
  try {
    const runners: Runner[] = [];
    for (const name of wanted) {
      const runner = await warmUp(bench, browser, name);
      if (runner) runners.push(runner);
    }
    for (let round = 1; round <= schedule.rounds; round++) {
      const started = performance.now();
      for (const runner of runners) {
        if (roundsLeft(bench, runner.name) > schedule.rounds - round) await runRound(bench, runner);
      }
      saveState(state);
      const took = performance.now() - started;
      log(`round ${round} of ${schedule.rounds}: ${seconds(took)}`);
      if (left(bench) < took) return log("The rest of the rounds would not fit in the time.");
    }
  } finally {
    await browser.close();
  }
}

/** What `warmUp` is likely to take. */
function warmUpMs({ schedule, state }: Bench, name: SystemName): number {
  const { firsts, warmMs = 0 } = measuredOf(state, name);
  return (firsts[0]?.totalMs ?? 0) + Math.max(schedule.groupMs, 2 * warmMs);
}

/** Rounds that a system should still take part in. */
function roundsLeft({ schedule, state }: Bench, name: SystemName): number {
  const { failed, warmMs, stepMs } = measuredOf(state, name);
  if (failed || warmMs === undefined) return 0;
  return Math.max(0, (warmMs > schedule.slowMs ? schedule.slowRounds : schedule.rounds) - stepMs.length);
}

/** Everything once, untimed: pipelines, the group's data and memory are there when the first round begins. */
async function warmUp(bench: Bench, browser: Browser, name: SystemName): Promise<Runner | undefined> {
  const measured = measuredOf(bench.state, name);
  try {
    const tab = await openTab(browser, bench.url, { network: bench.network, withLedger: false });
    await tab.call("first", name);
    const group = groupOf(measured.warmMs!, bench.schedule.groupMs);
    if (group.steps > 1 && measured.warmMs! < bench.schedule.groupMs / 2) await tab.call("train", group);
    const times: number[] = [];
    for (const batch of [1, NETWORKS[bench.network].batch]) {
      await tab.call("infer", batch, 1);
      const { ms } = await tab.call("infer", batch, 1);
      times.push(Math.min(100, Math.max(1, Math.round(1000 / ms))));
    }
    const article =
      name === "featuremap" && bench.network !== "article" ? await warmArticle(bench, browser) : undefined;
    return { name, measured, tab, group, times: times as [number, number], article };
  } catch (error) {
    fail(bench, name, error);
    return undefined;
  }
}

async function warmArticle({ url, schedule }: Bench, browser: Browser): Promise<Runner["article"]> {
  const tab = await openTab(browser, url, { network: "article", withLedger: false });
  await tab.call("first", "featuremap");
  const { ms } = await tab.call("train", { first: 1, ...ONE_STEP });
  const group = groupOf(ms, schedule.groupMs);
  await tab.call("train", group);
  return { tab, group };
}

async function runRound(bench: Bench, { name, measured, tab, group, times, article }: Runner): Promise<void> {
  if (measured.failed) return;
  try {
    const { ms } = await tab.call("train", group);
    const beside = await article?.tab.call("train", article.group);
    const single = await tab.call("infer", 1, times[0]);
    const many = await tab.call("infer", NETWORKS[bench.network].batch, times[1]);
    measured.stepMs.push(ms / stepsIn(group));
    if (beside) bench.state.articleStepMs.push(beside.ms / stepsIn(article!.group));
    measured.infer1Ms.push(single.ms / times[0]);
    measured.infer128Ms.push(many.ms / times[1]);
  } catch (error) {
    fail(bench, name, error);
  }
}

/** About as many steps as fill `groupMs`: up to all batches, and those several times over where a step is short. */
export function groupOf(stepMs: number, groupMs: number): Group {
  const steps = Math.max(1, Math.round(groupMs / stepMs));
  if (steps <= BATCHES) return { first: 0, steps, epochs: 1 };
  return { first: 0, steps: BATCHES, epochs: Math.min(64, Math.round(steps / BATCHES)) };
}

function stepsIn({ steps, epochs }: Group): number {
  return steps * epochs;
}

/** A peer that fails must not end a run of an hour: it is said, the others go on, and the run fails at its end. */
function fail({ state, log }: Bench, name: SystemName, error: unknown): void {
  const { message } = error as Error;
  measuredOf(state, name).failed = message;
  log(`${name} failed: ${message}`);
}

function left({ schedule }: Bench): number {
  return schedule.until - performance.now();
}

function seconds(ms: number): string {
  return ms < 1000 ? `${ms.toFixed(0)} ms` : `${(ms / 1000).toFixed(1)} s`;
}
