import { FeaturemapError, finiteNumber, knownKeys, optionalFunction } from "../base/errors.ts";
import { sweepState } from "../graph/step-state.ts";
import type { AdapterClass, Choice, Choices } from "../graph/tile.ts";
import type { Plan } from "../plan/plan.ts";
import type { Tuned, Tuner, TuningTask } from "../plan/tuning-task.ts";
import { indexedDbStore } from "./indexed-db.ts";
import { algorithmQuestions, choicesOf, type Question, tileQuestions } from "./questions.ts";
import { type Calibration, type Contest, calibrate, type RaceRules, race } from "./race.ts";
import { createTimingRig, type DispatchGroup, type TimingRig } from "./timing-rig.ts";
import { adapterKey, checkedStore, TuningCache, type TuningStore } from "./tuning-cache.ts";

export interface TunerOptions {
  /**
   * Wall time for measuring each plan, in ms. The shipped kernels are compiled before. Choices that would take longer stay as
   * shipped. Default 1500 on a GPU, 15,000 on a software adapter, which compiles slowly.
   */
  readonly budgetMs?: number;
  /** Store of the choices. Default: `indexedDbStore()` if there is IndexedDB, else only the tuner's memory. */
  readonly store?: TuningStore;
  /** Called with a message if the store cannot be used. Tuning goes on. Default: `console.warn`. */
  readonly warn?: (message: string) => void;
}

/** Defaults of `budgetMs`, set by hand on 2026-11-24. */
const BUDGET_MS: Readonly<Record<AdapterClass, number>> = { gpu: 1500, software: 15_000, "software-quads": 15_000 };

/** Share by which a candidate must be faster than the shipped choice. Set by hand on 2026-11-24, not measured. */
const MARGIN = 0.03;

/** Timing rig and clock, which tests replace. */
export interface Instruments {
  rig(task: TuningTask): TimingRig;
  now(): number;
}

const INSTRUMENTS: Instruments = {
  // All rows are in use, since kernels do as much work as the state says.
  rig: ({ runtime, shipped, capacity }) =>
    createTimingRig(runtime, {
      tensor: shipped.variables.get("state")!,
      words: sweepState({ step: 0, samples: capacity, batch: capacity }),
    }),
  now: () => performance.now(),
};

/**
 * Makes a tuner for `compile({ tune: tuner() })`. Before a plan is first used it measures which algorithms and tiles are fastest
 * on the adapter. Candidates run on buffers of their own: weights and data are not touched. One tuner may serve many models and
 * remembers what it has measured.
 *
 * @throws FeaturemapError `value` for an option that is unknown or wrong
 */
export function tuner(options: TunerOptions = {}): Tuner {
  return tunerWith(options, INSTRUMENTS);
}

export function tunerWith(options: TunerOptions, instruments: Instruments): Tuner {
  knownKeys(options, ["budgetMs", "store", "warn"], "tuner");
  const { budgetMs, warn = (message: string) => console.warn(message) } = options;
  if (budgetMs !== undefined) finiteNumber(budgetMs, "tuner: budgetMs", 0);
  optionalFunction(warn, "tuner: warn");
  const store = options.store === undefined ? defaultStore() : checkedStore(options.store);
  const cache = new TuningCache(store, warn);
  return {
    tune: (task) => new Tuning(task, cache, instruments, budgetMs ?? BUDGET_MS[task.adapter]).run(),
  };
}

function defaultStore(): TuningStore | undefined {
  return "indexedDB" in globalThis ? indexedDbStore() : undefined;
}

/** Question with the dispatches of each of its candidates. */
interface Entry {
  readonly question: Question;
  readonly groups: readonly DispatchGroup[];
  /** Timing of the shipped candidate. */
  calibration?: Calibration | undefined;
}

class Tuning {
  readonly #task: TuningTask;
  readonly #cache: TuningCache;
  readonly #now: () => number;
  readonly #adapter: string;
  readonly #makeRig: () => TimingRig;
  #rig: TimingRig | undefined;
  /** Budget that is left, in ms. */
  #left: number;
  #compiling = { ms: 0, pipelines: 0 };
  #counts = { measured: 0, remembered: 0, skipped: 0 };
  #total = 0;

  constructor(task: TuningTask, cache: TuningCache, instruments: Instruments, budgetMs: number) {
    this.#task = task;
    this.#cache = cache;
    this.#now = instruments.now;
    this.#makeRig = () => instruments.rig(task);
    this.#adapter = adapterKey(task.runtime.adapter, task.adapter);
    this.#left = budgetMs;
  }

  /** Settles algorithms first, with the shipped tiles, then the tiles of those that won. */
  async run(): Promise<Tuned> {
    const { choices: settled } = this.#task;
    try {
      let choices = settled;
      for (const ask of [algorithmQuestions, tileQuestions]) {
        choices = { ...choices, ...(await this.#answer(ask(this.#task, choices), choices)), ...settled };
      }
      return { choices, counts: { ...this.#counts } };
    } catch (error) {
      this.#task.assertLive();
      throw error;
    } finally {
      this.#rig?.dispose();
    }
  }

  async #answer(questions: readonly Question[], before: Choices): Promise<Choices> {
    this.#total += questions.length;
    let choices: Choices = {};
    const open: Question[] = [];
    for (const question of questions) {
      const known = await this.#cache.get(this.#adapter, question);
      if (known) {
        choices = { ...choices, ...choicesOf(question, known) };
        this.#counts.remembered++;
      } else open.push(question);
    }
    await this.#tell();
    if (open.length === 0) return choices;
    for (const entry of await this.#byCost(this.#entries(open, { ...before, ...choices }))) {
      const winner = await this.#measure(entry);
      if (winner) choices = { ...choices, ...choicesOf(entry.question, winner) };
      await this.#tell(entry.question.label);
    }
    return choices;
  }

  /** Makes the plan with the first candidate of each question, then with the second, and so on. It gives the dispatches to measure. */
  #entries(questions: readonly Question[], before: Choices): Entry[] {
    const most = Math.max(...questions.map(({ candidates }) => candidates.length));
    const plans = Array.from({ length: most }, (_, i): Plan => {
      const chosen = questions.map((question) =>
        choicesOf(question, question.candidates[i] ?? question.candidates[0]!),
      );
      const choices = Object.fromEntries([before, ...chosen].flatMap((each) => Object.entries(each)));
      return this.#task.build({ choices, unmerged: true });
    });
    return questions.map((question) => ({
      question,
      groups: question.candidates.map((_, i) => {
        const plan = plans[i]!;
        return { plan, steps: plan.steps.filter(({ node }) => question.isMeasured(node)) };
      }),
    }));
  }

  /** Compiles and times the shipped candidates, and sorts by cost, most first. Only the timing is on the budget. */
  async #byCost(entries: readonly Entry[]): Promise<Entry[]> {
    this.#rig ??= this.#makeRig();
    const rig = this.#rig;
    const [failure] = (await this.#compile(entries.map(({ groups }) => groups[0]!))).filter((error) => error);
    if (failure) throw failure;
    for (const entry of entries) {
      if (this.#left <= 0) break;
      entry.calibration = await this.#withinRoom(async () => {
        await this.#warmUp([entry.groups[0]!]);
        return this.#spend(() => calibrate(contestOf(rig, 1), this.#rules));
      });
    }
    const cost = ({ calibration, question }: Entry) => (calibration?.ms ?? 0) * question.places.length;
    return [...entries].sort((a, b) => cost(b) - cost(a));
  }

  /** Finds the winner, if there is enough time. */
  async #measure({ question, groups, calibration }: Entry): Promise<readonly Choice[] | undefined> {
    const rig = this.#rig!;
    const place =
      calibration && this.#expectedMs(groups, calibration) <= this.#left
        ? await this.#withinRoom(() => this.#spend(() => this.#race(groups, calibration)))
        : undefined;
    if (place === undefined) {
      this.#counts.skipped++;
      return undefined;
    }
    rig.forget(groups.flatMap(({ steps }) => steps).filter(({ shader }) => !runs(groups[place]!, shader.code)));
    this.#counts.measured++;
    const winner = question.candidates[place]!;
    await this.#cache.set(this.#adapter, question, winner);
    return winner;
  }

  /** Finds the place of the winner. */
  async #race(groups: readonly DispatchGroup[], calibration: Calibration): Promise<number> {
    const failures = await this.#compile(groups);
    if (failures[0]) throw failures[0];
    const able = groups.map((_, i) => i).filter((i) => !failures[i]);
    await this.#warmUp(able.map((i) => groups[i]!));
    return able[await race(contestOf(this.#rig!, able.length), calibration, this.#rules)]!;
  }

  /** Time that a question will take: for the missing pipelines, by what compiling took so far, and for the race. */
  #expectedMs(groups: readonly DispatchGroup[], { runs, ms }: Calibration): number {
    const missing = groups.reduce((sum, group) => sum + this.#rig!.uncompiled(group), 0);
    const each = this.#compiling.ms / Math.max(1, this.#compiling.pipelines);
    return missing * each + 2 * groups.length * runs * ms;
  }

  /** Compiles all groups at once. Returns for each group the error, if this device cannot run it. */
  async #compile(groups: readonly DispatchGroup[]): Promise<(FeaturemapError | undefined)[]> {
    const rig = this.#rig!;
    const begin = this.#now();
    this.#compiling.pipelines += groups.reduce((sum, group) => sum + rig.uncompiled(group), 0);
    const failures = await Promise.all(groups.map((group) => rig.compile(group).then(() => undefined, refused)));
    this.#task.assertLive();
    this.#compiling.ms += this.#now() - begin;
    return failures;
  }

  /** Mounts groups and runs each once, since some drivers compile only then. */
  async #warmUp(groups: readonly DispatchGroup[]): Promise<void> {
    const begin = this.#now();
    await this.#rig!.mount(groups);
    for (let i = 0; i < groups.length; i++) await this.#rig!.time(i, 1);
    this.#compiling.ms += this.#now() - begin;
  }

  /** Runs something on the budget. */
  async #spend<T>(run: () => Promise<T>): Promise<T> {
    const begin = this.#now();
    const result = await run();
    this.#left -= this.#now() - begin;
    return result;
  }

  /** Runs something that makes buffers. Gives `undefined` if the device has no room for them. */
  async #withinRoom<T>(run: () => Promise<T>): Promise<T | undefined> {
    try {
      return await run();
    } catch (error) {
      if (refused(error).code !== "limit") throw error;
      return undefined;
    } finally {
      this.#task.assertLive();
    }
  }

  get #rules(): RaceRules {
    return { timingMs: this.#rig!.timingMs, margin: MARGIN };
  }

  #tell(kernel?: string): void | Promise<void> {
    const { measured, remembered, skipped } = this.#counts;
    const progress = { plan: this.#task.shipped.plan.name, tuning: true, compiled: measured + remembered + skipped };
    return this.#task.onProgress?.({ ...progress, total: this.#total, ...(kernel ? { kernel } : {}) });
  }
}

function contestOf(rig: TimingRig, candidates: number): Contest {
  return { candidates, time: (candidate, runs) => rig.time(candidate, runs) };
}

function runs({ steps }: DispatchGroup, code: string): boolean {
  return steps.some(({ shader }) => shader.code === code);
}

/** Passes on the FeaturemapError of a device that refuses something. Any other error is a fault, and is thrown. */
function refused(error: unknown): FeaturemapError {
  if (error instanceof FeaturemapError) return error;
  throw error;
}
