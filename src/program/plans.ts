import type { Dataset } from "../data/dataset.ts";
import type { Network } from "../network/network.ts";
import { type Executable, prepare } from "../plan/executable.ts";
import { ScratchPool } from "../plan/scratch.ts";
import { adapterClassOf } from "../plan/shipped-tiles.ts";
import type { PlanRequest } from "../plan/tuning-task.ts";
import type { Pace } from "../training/pace.ts";
import type { SweepSettings } from "../training/sweep.ts";
import type { CompileSettings } from "./compile-settings.ts";
import {
  type DataKind,
  dataKind,
  evaluationProgram,
  type Program,
  type ProgramOptions,
  predictionProgram,
  trainingProgram,
} from "./programs.ts";

const PROGRAMS = { train: trainingProgram, evaluate: evaluationProgram, predict: predictionProgram };
export type Kind = keyof typeof PROGRAMS;

/** What of a call's settings its plan depends on, and when its `onProgress` is waited for no longer. */
export type PlanSettings = Pick<SweepSettings, "batchSize" | "scale" | "ended">;

/** A plan that can run. */
export interface Ready {
  /** The kind of data that the plan takes, as JSON. */
  readonly data: string;
  readonly program: Program;
  readonly executable: Executable;
  pace?: Pace;
}

/** The plans of a model, one for each kind of work, made when first needed. */
export class Plans {
  compileMs = 0;
  /** What tuning all of them took. */
  tuning = { ms: 0, measured: 0, remembered: 0, skipped: 0 };
  readonly #settings: CompileSettings;
  readonly #network: Network;
  readonly #assertLive: () => void;
  readonly #gone: Promise<unknown>;
  readonly #scratch: ScratchPool;
  readonly #ready = new Map<Kind, Ready>();

  /** `assertLive` throws where the model is gone, and `gone` resolves then. */
  constructor(settings: CompileSettings, network: Network, assertLive: () => void, gone: Promise<unknown>) {
    this.#settings = settings;
    this.#network = network;
    this.#assertLive = assertLive;
    this.#gone = gone;
    this.#scratch = new ScratchPool(settings.runtime);
  }

  /** The one that is there. */
  made(kind: Kind): Ready | undefined {
    return this.#ready.get(kind);
  }

  /** Bytes of the buffers that hold what a step computes; all plans share them. */
  get scratchBytes(): number {
    return this.#scratch.bytes;
  }

  /** The plan for a kind of work and data: the one that is there, if its batch is large enough, or a new one. */
  async of(kind: Kind, dataset: Dataset, { batchSize, scale, ended }: PlanSettings): Promise<Ready> {
    const capacity = Math.min(batchSize, dataset.size);
    const data = dataKind(dataset, scale);
    const key = JSON.stringify(data);
    const known = this.#ready.get(kind);
    if (known && known.data === key && known.program.capacity >= capacity) return known;
    const onProgress = this.onProgress(ended);
    const program = await this.#choose(kind, data, capacity, onProgress);
    const options = { scratch: this.#scratch, onProgress };
    const executable = await prepare(this.#settings.runtime, program.plan, options);
    try {
      this.#assertLive();
    } catch (gone) {
      executable.dispose();
      throw gone;
    }
    known?.executable.dispose();
    this.compileMs += executable.compileMs;
    const ready = { data: key, program, executable };
    this.#ready.set(kind, ready);
    return ready;
  }

  dispose(): void {
    for (const { executable } of this.#ready.values()) executable.dispose();
    this.#ready.clear();
  }

  /** The app's, for which nobody waits once the model is gone, or `ended` is resolved. */
  onProgress(ended: Promise<unknown> = this.#gone): CompileSettings["onProgress"] {
    const { onProgress } = this.#settings;
    return onProgress && (async (progress) => void (await Promise.race([onProgress(progress), this.#gone, ended])));
  }

  /** The program, with what a tuner has found to be fastest where there is one. */
  async #choose(
    kind: Kind,
    data: DataKind,
    capacity: number,
    onProgress: CompileSettings["onProgress"],
  ): Promise<Program> {
    const { runtime, tune, choices } = this.#settings;
    const shipped = this.#build(kind, data, capacity, { choices });
    if (!tune) return shipped;
    const begin = performance.now();
    const tuned = await tune.tune({
      runtime,
      adapter: adapterClassOf(runtime),
      shipped,
      capacity,
      choices,
      build: (request) => this.#build(kind, data, capacity, request).plan,
      assertLive: this.#assertLive,
      onProgress,
    });
    this.tuning.ms += performance.now() - begin;
    for (const name of ["measured", "remembered", "skipped"] as const) this.tuning[name] += tuned.counts[name];
    return this.#build(kind, data, capacity, { choices: tuned.choices });
  }

  #build(kind: Kind, data: DataKind, capacity: number, request: PlanRequest): Program {
    const { runtime, loss, optimizer, memory, winograd } = this.#settings;
    const device = { adapter: adapterClassOf(runtime), limits: runtime.device.limits, memory, winograd };
    const options: ProgramOptions = { network: this.#network, capacity, data, ...device, ...request };
    return PROGRAMS[kind]({ ...options, loss: loss!, optimizer: optimizer! });
  }
}
