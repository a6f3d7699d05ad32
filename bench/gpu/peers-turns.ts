// One system of the comparison: its first steps, and its turn in a round.

import type { NetworkName } from "../networks.ts";
import type { BenchData, Group, Setup, System, SystemName } from "../systems/system.ts";

export interface Peer {
  readonly version: string;
  readonly load: () => Promise<{ setup: Setup }>;
}

export interface PeerFigures {
  readonly name: SystemName;
  readonly version: string;
  /**
   * From `import()` to the end of the first step. On the second network the module, and most libraries' device, are there
   * already.
   */
  firstStepMs?: number;
  /** Of the first three steps. */
  losses?: number[];
  /** Of one image, after the three steps. */
  probabilities?: number[];
  /** Milliseconds of one step or one inference, a figure for each round. */
  readonly stepMs: number[];
  readonly infer1Ms: number[];
  readonly inferBatchMs: number[];
  /** What went wrong. */
  failed?: string;
}

export interface Pace {
  /** Batches that a group has at most before it repeats them: `fit` ends an epoch there, and reads its loss. */
  readonly batches: number;
  /** What a turn should take: of steps, of inferences of each size, and of untimed steps before. */
  readonly groupMs: number;
  readonly inferMs: number;
  readonly warmMs: number;
}

export interface NetworkFigures {
  readonly network: NetworkName;
  readonly batch: number;
  /** "agree", or where the systems do not compute the same. */
  agreement: string;
  readonly systems: PeerFigures[];
}

export interface Started {
  readonly figures: PeerFigures;
  readonly system: System;
}

export interface Turns {
  turn(): Promise<void>;
}

interface Inferences {
  readonly size: number;
  readonly times: number;
  readonly samples: number[];
}

/** Sets a system up and writes into its figures what it computes. */
export async function start(peer: Peer, data: BenchData, figures: PeerFigures): Promise<Started> {
  const begin = performance.now();
  const { setup } = await peer.load();
  const system = await setup(data);
  figures.losses = [await system.train({ first: 0, steps: 1, epochs: 1 })];
  figures.firstStepMs = performance.now() - begin;
  for (const first of [1, 2]) {
    const group = { first, steps: 1, epochs: 1 };
    await system.prepare?.(group);
    figures.losses.push(await system.train(group));
  }
  await system.prepareInfer?.(data.network.batch);
  figures.probabilities = [...(await system.infer(data.network.batch)).subarray(0, 10)];
  return { figures, system };
}

/** Finds how many steps and inferences fill a turn; afterwards whatever a system does once is done. */
export async function prepareTurns({ figures, system }: Started, data: BenchData, pace: Pace): Promise<Turns> {
  let group: Group = { first: 0, steps: 1, epochs: 1 };
  // A single step is mostly waiting for its loss, and is timed before clocks and caches are warm.
  for (let attempt = 0; attempt < 4; attempt++) {
    const next = groupOf((await trainMs(system, group)) / stepsIn(group), pace);
    const growth = stepsIn(next) / stepsIn(group);
    group = next;
    if (growth > 0.7 && growth < 1.4) break;
  }
  const inferences: Inferences[] = [];
  for (const [size, samples] of [
    [1, figures.infer1Ms],
    [data.network.batch, figures.inferBatchMs],
  ] as const) {
    await inferMs(system, size, 1);
    const ms = Math.min(await inferMs(system, size, 1), await inferMs(system, size, 1));
    inferences.push({ size, samples, times: Math.min(500, Math.max(1, Math.round(pace.inferMs / ms))) });
  }
  const warming = { ...group, epochs: Math.max(1, Math.round((group.epochs * pace.warmMs) / pace.groupMs)) };
  return {
    async turn() {
      // A GPU lowers its clocks when it is idle, and raises them only a while after work has come: none of that is timed.
      if (pace.warmMs > 0) await trainMs(system, warming);
      figures.stepMs.push((await trainMs(system, group)) / stepsIn(group));
      for (const { size, samples, times } of inferences) {
        await inferMs(system, size, Math.ceil(times / 4));
        samples.push((await inferMs(system, size, times)) / times);
      }
    },
  };
}

async function trainMs(system: System, group: Group): Promise<number> {
  await system.prepare?.(group);
  const begin = performance.now();
  await system.train(group);
  return performance.now() - begin;
}

async function inferMs(system: System, batch: number, times: number): Promise<number> {
  await system.prepareInfer?.(batch);
  const begin = performance.now();
  for (let i = 0; i < times; i++) await system.infer(batch);
  return performance.now() - begin;
}

/** About as many steps as fill a turn: all batches, and those several times over, where a step is short. */
function groupOf(stepMs: number, { batches, groupMs }: Pace): Group {
  const steps = Math.max(1, Math.round(groupMs / stepMs));
  if (steps <= batches) return { first: 0, steps, epochs: 1 };
  return { first: 0, steps: batches, epochs: Math.round(steps / batches) };
}

function stepsIn({ steps, epochs }: Group): number {
  return steps * epochs;
}
