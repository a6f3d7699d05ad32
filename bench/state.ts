import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { writeOutput } from "../cli/report.ts";
import type { Bundle } from "./bundle.ts";
import type { Calls } from "./ledger/ledger.ts";
import type { FirstStep } from "./page/protocol.ts";
import type { Computed } from "./statistics.ts";
import type { SystemName } from "./systems/system.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const FILE = join(ROOT, "build/bench/state.json");

/** What is known of a system so far; times are in milliseconds. */
export interface Measured {
  /** One for each fresh profile. */
  firsts: FirstStep[];
  computed?: Computed;
  /** The second step, the third and the mean of two more: what there is of a system that takes part in no rounds. */
  earlyStepMs?: number[];
  /** The faster of its second and third steps: what groups are planned by. */
  warmMs?: number;
  callsPerStep?: Calls;
  peakBytes?: number;
  /** One for each round, of one step or one inference. */
  stepMs: number[];
  infer1Ms: number[];
  infer128Ms: number[];
  bundle?: Bundle;
  /** What went wrong: there is no more, and the run fails. */
  failed?: string;
  /** Why it was left out of a quick run: that is no failure. */
  leftOut?: string;
}

export interface State {
  readonly signature: string;
  /** Whether an interrupted run is gone on with. */
  readonly resumable: boolean;
  readonly started: string;
  readonly systems: Partial<Record<SystemName, Measured>>;
  /** Our step on the article's network in the same rounds, where another network is measured. */
  readonly articleStepMs: number[];
}

/** The state that an interrupted run with this signature has left, or a new one. */
export function loadState(signature: string, { resumable, fresh }: { resumable: boolean; fresh: boolean }): State {
  const anew = { signature, resumable, started: new Date().toISOString(), systems: {}, articleStepMs: [] };
  if (!resumable || fresh) return anew;
  try {
    const state = JSON.parse(readFileSync(FILE, "utf8")) as State;
    if (state.signature !== signature) return anew;
    for (const measured of Object.values(state.systems)) delete measured.failed;
    return state;
  } catch {
    return anew;
  }
}

/** Writes what is known so far, for the run that goes on after this one was interrupted. */
export function saveState(state: State): void {
  if (!state.resumable) return;
  mkdirSync(dirname(FILE), { recursive: true });
  writeOutput(FILE, `${JSON.stringify(state, null, 2)}\n`);
}

/** After a whole run: the next one starts anew. */
export function forgetState({ resumable }: State): void {
  if (resumable) rmSync(FILE, { force: true });
}

/** Steps of the rounds or, without rounds, the early ones. */
export function stepsOf({ stepMs, earlyStepMs }: Measured): readonly number[] {
  return stepMs.length ? stepMs : (earlyStepMs ?? []);
}

export function measuredOf(state: State, name: SystemName): Measured {
  state.systems[name] ??= { firsts: [], stepMs: [], infer1Ms: [], infer128Ms: [] };
  return state.systems[name];
}

/** Figures of other code, another browser or other systems must not be mixed in. */
export function signatureOf(parts: readonly string[]): string {
  const hash = createHash("sha256");
  for (const folder of ["src", "shaders", "bench"]) {
    for (const file of filesUnder(join(ROOT, folder))) hash.update(file).update(readFileSync(file));
  }
  return hash.update(JSON.stringify(parts)).digest("hex");
}

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter(({ name }) => name !== "node_modules")
    .flatMap((entry) => (entry.isDirectory() ? filesUnder(join(folder, entry.name)) : [join(folder, entry.name)]))
    .sort();
}
