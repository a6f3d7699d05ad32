// The time of every candidate that a tuner could choose from, and of a wide grid of tiles.

import { FeaturemapError } from "../../src/base/errors.ts";
import type { OpenChoice } from "../../src/graph/op.ts";
import { sweepState } from "../../src/graph/step-state.ts";
import type { Choice, Choices, Tile, TileRequest } from "../../src/graph/tile.ts";
import type { PlanRequest, TuningTask } from "../../src/plan/tuning-task.ts";
import { algorithmQuestions, choicesOf, type Question, tileQuestions } from "../../src/tune/questions.ts";
import { createTimingRig, type TimingRig } from "../../src/tune/timing-rig.ts";
import type { NetworkName } from "../networks.ts";
import type { Part } from "./part.ts";
import { tileGrid, varied } from "./tile-grid.ts";

/** A choice for each node of a place, and what running it takes. */
export interface Timed {
  readonly choice: readonly Choice[];
  /** Microseconds of one run, the least of some timings; null where the device refused it. */
  us: number | null;
  refused?: string;
}

export interface Answer {
  readonly label: string;
  readonly places: readonly (readonly string[])[];
  readonly request?: TileRequest;
  readonly candidates: Timed[];
}

export interface NetworkSweep {
  readonly network: NetworkName;
  readonly algorithms: Answer[];
  /** By the algorithm that convolutions have. */
  readonly tiles: Record<string, Answer[]>;
}

/** Best tiles of the grid whose slices are varied. */
const VARIED = 4;
/** Milliseconds of work after which a GPU's clock is up: of runs that each fill `WARM_RUN_MS`, for it falls in the pauses. */
const WARM_UP_MS = 600;
const WARM_RUN_MS = 20;
const ROUNDS = 5;

/** Times the candidates of a plan that is about to be made: what a tuner is handed, it is handed. */
export class Sweep {
  readonly #task: TuningTask;
  readonly #part: Part;
  readonly #out: NetworkSweep;
  readonly #save: () => void;
  readonly #rig: TimingRig;

  constructor(task: TuningTask, part: Part, out: NetworkSweep, save: () => void) {
    this.#task = task;
    this.#part = part;
    this.#out = out;
    this.#save = save;
    this.#rig = createTimingRig(task.runtime, {
      tensor: task.shipped.variables.get("state")!,
      words: sweepState({ step: 0, samples: task.capacity, batch: task.capacity }),
    });
  }

  async run(): Promise<void> {
    const { quick } = this.#part;
    const questions = algorithmQuestions(this.#task, {});
    for (const question of questions) {
      this.#out.algorithms.push(await this.#answer(question, question.candidates, {}));
      this.#save();
    }
    const known = new Set<string>();
    for (const name of ["shipped", "direct", "winograd"]) {
      const algorithms = Object.assign({}, ...questions.map((question) => algorithmChoices(question, name)));
      const answers: Answer[] = [];
      this.#out.tiles[name] = answers;
      for (const question of quick ? this.#tiles(algorithms).slice(0, 2) : this.#tiles(algorithms)) {
        if (known.has(question.key)) continue;
        known.add(question.key);
        answers.push(await this.#sweepTiles(question, algorithms));
        this.#save();
      }
      if (quick) break;
    }
    this.#rig.dispose();
  }

  /** Those of a choice of algorithms, each with its product. */
  #tiles(choices: Choices): (Question & { readonly openTile: OpenTile })[] {
    const open: OpenChoice[] = [];
    this.#task.build({ choices, unmerged: true, onOpenChoice: (each) => open.push(each) });
    return tileQuestions(this.#task, choices).map((question) => {
      const node = question.places[0]![0]!;
      return { ...question, openTile: open.find((each) => each.node.name === node && "request" in each) as OpenTile };
    });
  }

  /** The whole grid with the shipped number of slices, then the best of it with others. */
  async #sweepTiles(question: Question & { readonly openTile: OpenTile }, before: Choices): Promise<Answer> {
    const { request, chosen, maxSlices } = question.openTile;
    const grid = tileGrid(request, chosen.slices);
    const first = distinct([...question.candidates, ...grid.map((tile) => [tile])]).slice(
      0,
      this.#part.quick ? 4 : undefined,
    );
    const { candidates, ...answer } = await this.#answer(question, first, before);
    const best = [...candidates].filter(({ us }) => us !== null).sort((a, b) => a.us! - b.us!);
    const others = best.slice(0, VARIED).flatMap(({ choice }) => varied(choice[0] as Tile, request, maxSlices));
    const second = this.#part.quick ? [] : distinct(others.map((tile) => [tile]));
    const more = second.length === 0 ? [] : (await this.#answer(question, second, before)).candidates;
    const all = [...candidates, ...more];
    const [shipped, least] = [all[0]!.us, Math.min(...all.map(({ us }) => us ?? Number.POSITIVE_INFINITY))];
    const winner = all.find(({ us }) => us === least)?.choice;
    this.#part.say(
      `${this.#out.network} ${question.places[0]} shipped ${shipped?.toFixed(1)} us, best ${least.toFixed(1)} us by ${JSON.stringify(winner)}`,
    );
    return { ...answer, request, candidates: all };
  }

  /** Times choices for a question's nodes, each apart from what else the plan does. */
  async #answer(question: Question, choices: readonly (readonly Choice[])[], before: Choices): Promise<Answer> {
    const rig = this.#rig;
    const timed = choices.map((choice): Timed => ({ choice, us: null }));
    const parts = choices.map((choice) => {
      const request: PlanRequest = { choices: { ...before, ...choicesOf(question, choice) }, unmerged: true };
      const plan = this.#task.build(request);
      return { plan, steps: plan.steps.filter(({ node }) => question.isMeasured(node)) };
    });
    const able: number[] = [];
    await Promise.all(
      parts.map(async (part, i) => {
        try {
          await rig.compile(part);
          able.push(i);
        } catch (error) {
          if (!(error instanceof FeaturemapError)) throw error;
          timed[i]!.refused = error.message;
        }
      }),
    );
    able.sort((a, b) => a - b);
    await rig.mount(able.map((i) => parts[i]!));
    await this.#time(able, timed);
    rig.forget(parts.flatMap(({ steps }) => steps));
    return { label: question.label, places: question.places, candidates: timed };
  }

  /**
   * Times mounted parts in rounds, each of as many runs as fill about a millisecond, and keeps the least. A GPU's clock is
   * low until it has worked for a while, so work comes first, and rounds follow each other without a pause.
   */
  async #time(able: readonly number[], timed: readonly Timed[]): Promise<void> {
    if (able.length === 0) return;
    const { quick } = this.#part;
    const until = performance.now() + (quick ? 0 : WARM_UP_MS);
    for (let runs = 4; performance.now() < until; ) {
      const ms = (await this.#rig.time(0, runs)) / runs;
      runs = Math.max(1, Math.min(10_000, Math.ceil(WARM_RUN_MS / ms)));
    }
    const runs = able.map(() => 4);
    for (let round = 0; round < (quick ? 1 : ROUNDS); round++) {
      for (const [place, i] of able.entries()) {
        const us = ((await this.#rig.time(place, runs[place]!)) / runs[place]!) * 1000;
        runs[place] = Math.max(1, Math.min(100, Math.ceil(1000 / us)));
        const { us: least } = timed[i]!;
        timed[i]!.us = Math.min(us, least ?? us);
      }
    }
  }
}

type OpenTile = Extract<OpenChoice, { request: unknown }>;

/** The named algorithm for each node of a question that has it, "direct" for the others; nothing for "shipped". */
function algorithmChoices(question: Question, name: string): Choices {
  if (name === "shipped") return {};
  const candidate = question.candidates.find((choice) =>
    choice.some((each) => "algorithm" in each && each.algorithm.startsWith(name)),
  );
  return candidate ? choicesOf(question, candidate) : {};
}

function distinct<T>(values: readonly T[]): T[] {
  return [...new Map(values.map((value) => [JSON.stringify(value), value])).values()];
}
