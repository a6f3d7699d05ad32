// Our system beside its peers, in turns, in one process: what they compute is compared before anything is timed in rounds.

import { createRuntime } from "../../src/gpu/runtime.ts";
import { dataOf } from "../data.ts";
import type { NetworkName } from "../networks.ts";
import { disagreement } from "../statistics.ts";
import type { BenchData, SystemName } from "../systems/system.ts";
import type { Part } from "./part.ts";
import { peerTable } from "./peers-table.ts";
import {
  type NetworkFigures,
  type Pace,
  type Peer,
  type PeerFigures,
  prepareTurns,
  type Started,
  start,
  type Turns,
} from "./peers-turns.ts";

export interface Schedule extends Pace {
  readonly networks: readonly NetworkName[];
  readonly systems: readonly SystemName[];
  /** Samples a step; the network's own where there is none. */
  readonly batch?: number;
  readonly rounds: number;
  /** What a system may take until its rounds begin, and for a turn. */
  readonly setupMs: number;
  /** No round begins after so many milliseconds of the process. */
  readonly until: Readonly<Partial<Record<NetworkName, number>>>;
}

export type Peers = Readonly<Partial<Record<SystemName, Peer>>>;

type Runner = Started & { turns: Turns };

class TooLate extends Error {}

export async function measurePeers(part: Part, peers: Peers, schedule: Schedule): Promise<void> {
  const runtime = await createRuntime();
  const { adapter } = runtime;
  runtime.dispose();
  const networks: NetworkFigures[] = [];
  const save = () => part.save({ adapter, networks });
  const late = new Set<SystemName>();
  for (const name of schedule.networks) {
    const data = await loaded(part, name, schedule);
    const { batch } = data.network;
    const figures: NetworkFigures = { network: name, batch, agreement: "agree", systems: [] };
    networks.push(figures);
    const runners: Runner[] = [];
    for (const system of schedule.systems) {
      const runner = await prepared(part, peers[system]!, { name: system, data, figures, runners, late }, schedule);
      if (runner) runners.push(runner);
      save();
    }
    if (runners.length < 2 && figures.agreement === "agree") figures.agreement = "there is nothing to compare";
    save();
    await rounds(part, figures, { runners, late }, schedule, save);
    for (const runner of runners) dispose(part, runner);
    for (const line of peerTable(figures)) part.say(line);
  }
}

async function loaded({ load }: Part, name: NetworkName, { batch, batches }: Schedule): Promise<BenchData> {
  const { network, ...data } = await dataOf((samples) => load((samples / 16) * batches), name);
  return { network: batch ? { ...network, batch } : network, ...data };
}

interface Candidate {
  readonly name: SystemName;
  readonly data: BenchData;
  readonly figures: NetworkFigures;
  /** Those that came up before. */
  readonly runners: readonly Runner[];
  /** Those that took too long on another network: they would again, and may still be at work. */
  readonly late: Set<SystemName>;
}

/** A system that is ready for rounds; without one its figures say why. */
async function prepared(part: Part, peer: Peer, candidate: Candidate, schedule: Schedule): Promise<Runner | undefined> {
  const { name, data, figures, runners, late } = candidate;
  const own: PeerFigures = { name, version: peer.version, stepMs: [], infer1Ms: [], inferBatchMs: [] };
  figures.systems.push(own);
  try {
    if (late.has(name)) throw new Error("left out: it took too long on another network");
    const work = async () => {
      const started = await start(peer, data, own);
      const problem = disagreement([...runners.slice(0, 1).map(computedOf), computedOf(started)]);
      if (problem) {
        figures.agreement = figures.agreement === "agree" ? problem : `${figures.agreement}\n${problem}`;
        dispose(part, started);
        throw new Error(problem);
      }
      return { ...started, turns: await prepareTurns(started, data, schedule) };
    };
    const runner = await within(schedule.setupMs, work());
    const { firstStepMs, losses } = own;
    part.say(
      `${figures.network}, ${name}: first step after ${firstStepMs!.toFixed(0)} ms, losses ${losses!.join(", ")}`,
    );
    return runner;
  } catch (error) {
    fail(part, own, error, late);
    return undefined;
  }
}

async function rounds(
  part: Part,
  { network }: NetworkFigures,
  { runners, late }: Pick<Candidate, "runners" | "late">,
  { rounds, setupMs, until }: Schedule,
  save: () => void,
): Promise<void> {
  for (let round = 1; round <= rounds; round++) {
    if (round > 1 && performance.now() > (until[network] ?? Number.POSITIVE_INFINITY)) {
      part.say(`${network}: the time is up after ${round - 1} of ${rounds} rounds`);
      return;
    }
    for (const { figures, turns } of runners) {
      if (figures.failed) continue;
      await within(setupMs, turns.turn()).catch((error) => fail(part, figures, error, late));
      save();
    }
  }
}

function computedOf({ figures: { name, losses, probabilities } }: Started) {
  return [name, { losses: losses!, probabilities: probabilities! }] as const;
}

function dispose(part: Part, { figures, system }: Started): void {
  try {
    system.dispose();
  } catch (error) {
    part.say(`${figures.name} could not be disposed: ${error}`);
  }
}

/** A peer that fails is said, and the others go on. */
function fail(part: Part, figures: PeerFigures, error: unknown, late: Set<SystemName>): void {
  if (error instanceof TooLate) late.add(figures.name);
  figures.failed = error instanceof Error ? error.message : String(error);
  const where = error instanceof Error && !(error instanceof TooLate) ? `\n${error.stack}` : "";
  part.say(`${figures.name} failed: ${figures.failed}${where}`);
}

/** Gives up on work that may never end. Nothing stops it: figures that follow may have it beside them. */
async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new TooLate(`took longer than ${(ms / 1000).toFixed(0)} s`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
