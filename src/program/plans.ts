import type { Network } from "../network/network.ts";
import { type Executable, prepare } from "../plan/executable.ts";
import { ScratchPool } from "../plan/scratch.ts";
import { adapterClassOf } from "../plan/shipped-tiles.ts";
import type { PlanRequest } from "../plan/tuning-task.ts";
import { portColumn } from "./builder.ts";
import type { CompileSettings } from "./compile-settings.ts";
import type { Feed } from "./feed.ts";
import type { Lifetime } from "./lifetime.ts";
import type { Measures } from "./measures.ts";
import {
  evaluationProgram,
  type Program,
  type ProgramOptions,
  predictionProgram,
  trainingProgram,
} from "./programs.ts";

/** Kind of work. Each has a plan of its own. */
export type PlanKind = "train" | "evaluate" | "predict";

export interface PlanSettings {
  readonly batchSize: number;
  /** Promise that resolves when the app's `onProgress` is no longer waited for. */
  readonly ended?: Promise<unknown> | undefined;
}

/** Program whose plan can run. */
export interface PreparedPlan {
  readonly program: Program;
  readonly executable: Executable;
}

/** Prepared plan of a kind of work. */
export interface ReadyPlan extends PreparedPlan {
  /** Kind of data that the plan takes, as JSON. */
  readonly data: string;
}

/** Builds a program for a model's device, as often as it is asked. */
export type ProgramBuild = (options: Omit<ProgramOptions, "capacity" | "columns" | "ordered">) => Program;

/** Plans of a model, one for each kind of work, made when first needed. */
export class Plans {
  compileMs = 0;
  /** Time and counts of tuning, all plans together. */
  tuning = { ms: 0, measured: 0, remembered: 0, skipped: 0 };
  readonly #settings: CompileSettings;
  readonly #network: Network;
  readonly #measures: Measures | undefined;
  readonly #lifetime: Lifetime;
  readonly #scratch: ScratchPool;
  readonly #ready = new Map<PlanKind, ReadyPlan>();

  constructor(of: {
    readonly settings: CompileSettings;
    readonly network: Network;
    readonly measures: Measures | undefined;
    readonly lifetime: Lifetime;
  }) {
    this.#settings = of.settings;
    this.#network = of.network;
    this.#measures = of.measures;
    this.#lifetime = of.lifetime;
    this.#scratch = new ScratchPool(of.settings.runtime);
  }

  /** Gives a plan that was made before, if there is one. */
  existing(kind: PlanKind): ReadyPlan | undefined {
    return this.#ready.get(kind);
  }

  /** Bytes of the buffers that hold what a step computes. All plans share them. */
  get scratchBytes(): number {
    return this.#scratch.bytes;
  }

  /** Gives the plan for a kind of work and data: the existing one if its batch is large enough, or a new one. */
  async of(kind: PlanKind, feed: Feed, { batchSize, ended }: PlanSettings): Promise<ReadyPlan> {
    const capacity = Math.min(batchSize, feed.dataset.size);
    const read = feed.columns.filter(({ role }) => kind !== "predict" || role === "input");
    const columns = read.map(portColumn);
    const ordered = kind !== "train" && feed.dataset.order !== undefined;
    const key = JSON.stringify([columns, ordered]);
    const known = this.#ready.get(kind);
    if (known && known.data === key && known.program.capacity >= capacity) return known;
    const build: ProgramBuild = (device) => this.#build(kind, { ...device, columns, capacity, ordered });
    const ready = { data: key, ...(await this.prepare(build, ended)) };
    known?.executable.dispose();
    this.#ready.set(kind, ready);
    return ready;
  }

  /** Prepares a program of the caller's, who disposes of the executable. It shares the scratch buffers of the plans, and is tuned as they are. */
  async prepare(build: ProgramBuild, ended?: Promise<unknown>): Promise<PreparedPlan> {
    const onProgress = this.onProgress(ended);
    const program = await this.#choose(build, onProgress);
    const options = { scratch: this.#scratch, onProgress };
    const executable = await prepare(this.#settings.runtime, program.plan, options);
    try {
      this.#lifetime.assertLive();
    } catch (gone) {
      executable.dispose();
      throw gone;
    }
    this.compileMs += executable.compileMs;
    return { program, executable };
  }

  dispose(): void {
    for (const { executable } of this.#ready.values()) executable.dispose();
    this.#ready.clear();
  }

  /** Gives the app's `onProgress`. It is not waited for once the model is gone or `ended` is resolved. */
  onProgress(ended: Promise<unknown> = this.#lifetime.ended): CompileSettings["onProgress"] {
    const { onProgress } = this.#settings;
    const gone = this.#lifetime.ended;
    return onProgress && (async (progress) => void (await Promise.race([onProgress(progress), gone, ended])));
  }

  /** Builds the program, with a tuner's choices if there is a tuner. */
  async #choose(build: ProgramBuild, onProgress: CompileSettings["onProgress"]): Promise<Program> {
    const { runtime, tune, choices, memory, winograd } = this.#settings;
    const adapter = adapterClassOf(runtime);
    const programFor = (request: PlanRequest) =>
      build({ network: this.#network, adapter, limits: runtime.device.limits, memory, winograd, ...request });
    const shipped = programFor({ choices });
    if (!tune) return shipped;
    const begin = performance.now();
    const tuned = await tune.tune({
      runtime,
      adapter,
      shipped,
      capacity: shipped.capacity,
      choices,
      build: (request) => programFor(request).plan,
      assertLive: () => this.#lifetime.assertLive(),
      onProgress,
    });
    this.tuning.ms += performance.now() - begin;
    for (const name of ["measured", "remembered", "skipped"] as const) this.tuning[name] += tuned.counts[name];
    return programFor({ choices: tuned.choices });
  }

  #build(kind: PlanKind, options: ProgramOptions): Program {
    if (kind === "predict") return predictionProgram(options);
    const measures = this.#measures!;
    if (kind === "evaluate") return evaluationProgram({ ...options, measures });
    return trainingProgram({ ...options, ...this.#settings.training!, measures });
  }
}
