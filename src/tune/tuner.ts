import { FeaturemapError, finiteNumber, knownKeys, optionalFunction } from "../base/errors.ts";
import { sweepState } from "../graph/step-state.ts";
import type { AdapterClass, Choice, Choices } from "../graph/tile.ts";
import type { Plan } from "../plan/plan.ts";
import type { Tuned, Tuner, TuningTask } from "../plan/tuning-task.ts";
import { Answers, adapterKey, checkedStore, type TuningStore } from "./answers.ts";
import { indexedDbStore } from "./indexed-db.ts";
import { algorithmQuestions, choicesOf, type Question, tileQuestions } from "./questions.ts";
import { type Calibration, type Contest, calibrate, type RaceRules, race } from "./race.ts";
import { createStand, type Part, type Stand } from "./stand.ts";

export interface TunerOptions {
  /**
   * Wall time that may be spent for each plan, in ms, once what it would run anyway is compiled; what takes longer keeps
   * the shipped choice. Default 1500 on a GPU, 15,000 on a software adapter, which compiles slowly.
   */
  readonly budgetMs?: number;
  /** Where choices are kept. Default: `indexedDbStore()` where there is IndexedDB, else only the tuner's memory. */
  readonly store?: TuningStore;
  /** Told of a store that cannot be used, which stops nothing. Default: `console.warn`. */
  readonly warn?: (message: string) => void;
}

const BUDGET_MS: Readonly<Record<AdapterClass, number>> = { gpu: 1500, software: 15_000, "software-quads": 15_000 };

/** The share by which a candidate must be faster than the shipped choice. */
const MARGIN = 0.03;

/** What a test puts in the place of a device and a clock. */
export interface Instruments {
  stand(task: TuningTask): Stand;
  now(): number;
}

const INSTRUMENTS: Instruments = {
  // All rows are in use: kernels do as much work as the state says.
  stand: ({ runtime, shipped, capacity }) =>
    createStand(runtime, {
      tensor: shipped.tensors.state,
      words: sweepState({ step: 0, samples: capacity, batch: capacity }),
    }),
  now: () => performance.now(),
};

/**
 * Measures, before a plan is first used, which algorithms and tiles are fastest on the adapter at hand, for
 * `compile({ tune: tuner() })`. Candidates run on buffers of their own: weights and data are not touched. One tuner may
 * serve many models and remembers what it has measured.
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
  const answers = new Answers(store, warn);
  return {
    tune: (task) => new Tuning(task, answers, instruments, budgetMs ?? BUDGET_MS[task.adapter]).run(),
  };
}

function defaultStore(): TuningStore | undefined {
  return "indexedDB" in globalThis ? indexedDbStore() : undefined;
}

/** A question with what each of its candidates would run. */
interface Entry {
  readonly question: Question;
  readonly parts: readonly Part[];
  /** How the shipped one is timed. */
  calibration?: Calibration | undefined;
}

class Tuning {
  readonly #task: TuningTask;
  readonly #answers: Answers;
  readonly #now: () => number;
  readonly #adapter: string;
  readonly #makeStand: () => Stand;
  #stand: Stand | undefined;
  /** Milliseconds that are left. */
  #left: number;
  #compiling = { ms: 0, pipelines: 0 };
  #counts = { measured: 0, remembered: 0, skipped: 0 };
  #total = 0;

  constructor(task: TuningTask, answers: Answers, instruments: Instruments, budgetMs: number) {
    this.#task = task;
    this.#answers = answers;
    this.#now = instruments.now;
    this.#makeStand = () => instruments.stand(task);
    this.#adapter = adapterKey(task.runtime.adapter, task.adapter);
    this.#left = budgetMs;
  }

  /** Algorithms first, with the shipped tiles; then the tiles of those that won. */
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
      this.#stand?.dispose();
    }
  }

  async #answer(questions: readonly Question[], before: Choices): Promise<Choices> {
    this.#total += questions.length;
    let choices: Choices = {};
    const open: Question[] = [];
    for (const question of questions) {
      const known = await this.#answers.get(this.#adapter, question);
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

  /** The plan with each question's first candidate, with each one's second, and so on: parts of them are measured. */
  #entries(questions: readonly Question[], before: Choices): Entry[] {
    const most = Math.max(...questions.map(({ candidates }) => candidates.length));
    const plans = Array.from({ length: most }, (_, i): Plan => {
      const chosen = questions.map((question) =>
        choicesOf(question, question.candidates[i] ?? question.candidates[0]!),
      );
      const choices = Object.fromEntries([before, ...chosen].flatMap((each) => Object.entries(each)));
      return this.#task.build({ choices, apart: true });
    });
    return questions.map((question) => ({
      question,
      parts: question.candidates.map((_, i) => {
        const plan = plans[i]!;
        return { plan, steps: plan.steps.filter(({ node }) => question.counts(node)) };
      }),
    }));
  }

  /** Compiles and times what is shipped, and puts first what costs most. Only the timing is on the budget. */
  async #byCost(entries: readonly Entry[]): Promise<Entry[]> {
    this.#stand ??= this.#makeStand();
    const stand = this.#stand;
    const [failure] = (await this.#compile(entries.map(({ parts }) => parts[0]!))).filter((error) => error);
    if (failure) throw failure;
    for (const entry of entries) {
      if (this.#left <= 0) break;
      entry.calibration = await this.#withinRoom(async () => {
        await this.#warmUp([entry.parts[0]!]);
        return this.#spend(() => calibrate(contestOf(stand, 1), this.#rules));
      });
    }
    const cost = ({ calibration, question }: Entry) => (calibration?.ms ?? 0) * question.places.length;
    return [...entries].sort((a, b) => cost(b) - cost(a));
  }

  /** The winner, if there is time enough to find it. */
  async #measure({ question, parts, calibration }: Entry): Promise<readonly Choice[] | undefined> {
    const stand = this.#stand!;
    const place =
      calibration && this.#expectedMs(parts, calibration) <= this.#left
        ? await this.#withinRoom(() => this.#spend(() => this.#race(parts, calibration)))
        : undefined;
    if (place === undefined) {
      this.#counts.skipped++;
      return undefined;
    }
    stand.forget(parts.flatMap(({ steps }) => steps).filter(({ shader }) => !runs(parts[place]!, shader.code)));
    this.#counts.measured++;
    const winner = question.candidates[place]!;
    await this.#answers.set(this.#adapter, question, winner);
    return winner;
  }

  /** The place of the winner. */
  async #race(parts: readonly Part[], calibration: Calibration): Promise<number> {
    const failures = await this.#compile(parts);
    if (failures[0]) throw failures[0];
    const able = parts.map((_, i) => i).filter((i) => !failures[i]);
    await this.#warmUp(able.map((i) => parts[i]!));
    return able[await race(contestOf(this.#stand!, able.length), calibration, this.#rules)]!;
  }

  /** What compiling took so far, for each pipeline that is missing, and the races. */
  #expectedMs(parts: readonly Part[], { runs, ms }: Calibration): number {
    const missing = parts.reduce((sum, part) => sum + this.#stand!.missing(part), 0);
    const each = this.#compiling.ms / Math.max(1, this.#compiling.pipelines);
    return missing * each + 2 * parts.length * runs * ms;
  }

  /** Compiles all parts at once. Returns for each why this device cannot run it, where it cannot. */
  async #compile(parts: readonly Part[]): Promise<(FeaturemapError | undefined)[]> {
    const stand = this.#stand!;
    const begin = this.#now();
    this.#compiling.pipelines += parts.reduce((sum, part) => sum + stand.missing(part), 0);
    const failures = await Promise.all(parts.map((part) => stand.compile(part).then(() => undefined, refused)));
    this.#task.assertLive();
    this.#compiling.ms += this.#now() - begin;
    return failures;
  }

  /** Mounts parts and runs each once, since some drivers compile only then. */
  async #warmUp(parts: readonly Part[]): Promise<void> {
    const begin = this.#now();
    await this.#stand!.mount(parts);
    for (let i = 0; i < parts.length; i++) await this.#stand!.time(i, 1);
    this.#compiling.ms += this.#now() - begin;
  }

  /** Runs something on the budget. */
  async #spend<T>(run: () => Promise<T>): Promise<T> {
    const begin = this.#now();
    const result = await run();
    this.#left -= this.#now() - begin;
    return result;
  }

  /** Undefined where the device has no room for the buffers of it. */
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
    return { timingMs: this.#stand!.timingMs, margin: MARGIN };
  }

  #tell(kernel?: string): void | Promise<void> {
    const { measured, remembered, skipped } = this.#counts;
    const progress = { plan: this.#task.shipped.plan.name, tuning: true, compiled: measured + remembered + skipped };
    return this.#task.onProgress?.({ ...progress, total: this.#total, ...(kernel ? { kernel } : {}) });
  }
}

function contestOf(stand: Stand, candidates: number): Contest {
  return { candidates, time: (candidate, runs) => stand.time(candidate, runs) };
}

function runs({ steps }: Part, code: string): boolean {
  return steps.some(({ shader }) => shader.code === code);
}

/** What a device refuses, it does by a FeaturemapError; anything else is a fault. */
function refused(error: unknown): FeaturemapError {
  if (error instanceof FeaturemapError) return error;
  throw error;
}
