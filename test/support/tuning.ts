/** What the tests of the tuner share: tasks without a device, and a rig whose times are made up. */

import type { AdapterSummary, Runtime } from "../../src/gpu/runtime.ts";
import type { AdapterClass, Choice, Choices } from "../../src/graph/tile.ts";
import type { LayerSpec } from "../../src/layers/layer.ts";
import { sgd } from "../../src/optimizers/sgd.ts";
import type { CompileProgress } from "../../src/plan/executable.ts";
import type { TuningTask } from "../../src/plan/tuning-task.ts";
import { trainingProgram } from "../../src/program/programs.ts";
import type { DispatchGroup, TimingRig } from "../../src/tune/timing-rig.ts";
import type { TuningStore } from "../../src/tune/tuning-cache.ts";
import { networkOf } from "./building.ts";
import { inputsOf, measuresOf } from "./programs.ts";

const adapter: AdapterSummary = {
  vendor: "acme",
  architecture: "one",
  device: "",
  description: "",
  software: false,
  label: "acme, one",
};

interface TaskOptions {
  readonly adapter?: AdapterClass;
  readonly choices?: Choices;
  readonly memory?: "fast" | "compact";
  readonly assertLive?: () => void;
  readonly onProgress?: (progress: CompileProgress) => void;
}

/** The training step of a network at batch 8. */
export function taskFor(layers: readonly LayerSpec[], options: TaskOptions = {}): TuningTask {
  const network = networkOf(layers);
  const {
    adapter: kind = "software-quads",
    choices = {},
    memory = "fast",
    assertLive = () => {},
    onProgress,
  } = options;
  const make = (request: object) =>
    trainingProgram({
      network,
      capacity: 8,
      adapter: kind,
      memory,
      optimizer: sgd(),
      choices,
      columns: inputsOf(network),
      measures: measuresOf(network),
      ...request,
    });
  return {
    runtime: { adapter } as Runtime,
    adapter: kind,
    shipped: make({}),
    capacity: 8,
    choices,
    build: (request) => make(request).plan,
    assertLive,
    onProgress,
  };
}

export interface FakeRig {
  readonly rig: TimingRig;
  /** The nodes of each part that was timed, a timing each. */
  readonly timed: string[];
  readonly forgotten: Set<string>;
  now: () => number;
  disposed: number;
}

/**
 * A rig whose clock moves only by compiling, so many ms a pipeline, by first runs, so many ms a part, and by timings:
 * `cost` is the ms of a part's run.
 * `refuse` tells of a part why the device cannot run it.
 */
export function fakeRig(
  cost: (part: DispatchGroup) => number,
  options: { compileMs?: number; firstRunMs?: number; refuse?: (part: DispatchGroup) => Error | undefined } = {},
): FakeRig {
  const { compileMs = 0, firstRunMs = 0, refuse } = options;
  const begun = new Set<string>();
  let time = 0;
  let mounted: readonly DispatchGroup[] = [];
  const compiled = new Set<string>();
  const codes = ({ steps }: DispatchGroup) => [...new Set(steps.map(({ shader }) => shader.code))];
  const fake: FakeRig = {
    timed: [],
    forgotten: new Set(),
    now: () => time,
    disposed: 0,
    rig: {
      timingMs: 6,
      uncompiled: (part) => codes(part).filter((code) => !compiled.has(code)).length,
      compile: async (part) => {
        const error = refuse?.(part);
        if (error) throw error;
        time += compileMs * codes(part).filter((code) => !compiled.has(code)).length;
        for (const code of codes(part)) compiled.add(code);
      },
      forget: (steps) => {
        for (const { shader } of steps) {
          compiled.delete(shader.code);
          fake.forgotten.add(shader.code);
        }
      },
      mount: async (parts) => {
        mounted = parts;
      },
      time: async (place, runs) => {
        const part = mounted[place]!;
        if (codes(part).some((code) => !compiled.has(code)))
          throw new Error("A part was timed before it was compiled.");
        fake.timed.push(part.steps[0]!.node);
        const first = begun.has(codes(part).join()) ? 0 : firstRunMs;
        begun.add(codes(part).join());
        const ms = runs * cost(part) + first;
        time += ms;
        return ms;
      },
      dispose: () => {
        fake.disposed++;
      },
    },
  };
  return fake;
}

/** A store in memory, and how often it was asked. */
export function memoryStore(entries = new Map<string, unknown>()) {
  const calls = { get: 0, set: 0 };
  const store: TuningStore = {
    get: async (key) => {
      calls.get++;
      return entries.get(key);
    },
    set: async (key, choices: readonly Choice[]) => {
      calls.set++;
      entries.set(key, structuredClone(choices));
    },
  };
  return { store, entries, calls };
}
