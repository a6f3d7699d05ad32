import { FeaturemapError } from "../base/errors.ts";
import { inErrorScope } from "../gpu/error-scope.ts";
import { sweepStart } from "../graph/step-state.ts";
import type { BoundPlan } from "../plan/executable.ts";
import { portKey } from "../program/builder.ts";
import type { Feed } from "../program/feed.ts";
import type { Lifetime } from "../program/lifetime.ts";
import type { Figures, Measures } from "../program/measures.ts";
import type { PlanKind, PlanSettings, Plans, ReadyPlan } from "../program/plans.ts";
import type { SweepKind } from "../program/variable-store.ts";
import { Pace } from "./pace.ts";
import { type Sweep, type SweepSettings, sweep } from "./sweep.ts";
import type { VariableAccess } from "./variable-access.ts";

/** Buffers that a plan reads or writes beside the columns of a data set. */
export interface OwnPorts {
  /** Order of the samples. */
  readonly order?: GPUBuffer;
  /** Buffer for the predictions of each output. */
  readonly predictions?: readonly GPUBuffer[];
}

/** Sweeper: runs a model's plans over data sets. */
export class Sweeper {
  readonly #plans: Plans;
  readonly #access: VariableAccess;
  readonly #measures: Measures | undefined;
  readonly #lifetime: Lifetime;
  readonly #paces = new WeakMap<ReadyPlan, Pace>();
  #turn: Promise<unknown> = Promise.resolve();

  constructor(of: {
    readonly plans: Plans;
    readonly access: VariableAccess;
    readonly measures: Measures | undefined;
    readonly lifetime: Lifetime;
  }) {
    this.#plans = of.plans;
    this.#access = of.access;
    this.#measures = of.measures;
    this.#lifetime = of.lifetime;
  }

  /** Gives the plan for a kind of work on a data set, ready to run. */
  async plan(kind: PlanKind, feed: Feed, settings: PlanSettings): Promise<ReadyPlan> {
    const { runtime } = this.#lifetime;
    this.#lifetime.assertLive();
    feed.dataset.assertLive();
    if (feed.dataset.runtime !== runtime) {
      const remedy = "Make both with one createRuntime()";
      throw new FeaturemapError("state", `The data set is on another runtime than the model. ${remedy}.`);
    }
    return this.#plans.of(kind, feed, settings);
  }

  /** Binds a plan to the model's variables and a data set. */
  bind(
    kind: SweepKind,
    { executable, program }: ReadyPlan,
    feed: Feed,
    { order, predictions = [] }: OwnPorts = {},
  ): BoundPlan {
    const bound = this.#access.store.bindings(program.variables, kind);
    const { ports } = program;
    const give = (key: string, buffer: GPUBuffer | undefined) => {
      const id = ports.get(key);
      if (id !== undefined) bound.set(id, buffer!);
    };
    for (const { role, index, buffer } of feed.columns) give(portKey(role, index), buffer);
    predictions.forEach((buffer, i) => {
      give(portKey("prediction", i), buffer);
    });
    give(portKey("order"), order);
    // If the GPU refuses a bind group, it also refuses the submit that uses it.
    let run: BoundPlan;
    inErrorScope(this.#lifetime.runtime, program.plan.name, () => {
      run = executable.bind(bound);
    });
    return run!;
  }

  /** Runs a bound plan over the samples of its data set. */
  sweep(
    {
      ready,
      run,
      kind,
      feed,
    }: { readonly ready: ReadyPlan; readonly run: BoundPlan; readonly kind: SweepKind; readonly feed: Feed },
    settings: SweepSettings,
    options: Pick<Sweep, "counts"> &
      Partial<Pick<Sweep, "start" | "samples" | "from" | "until" | "last" | "onSubmitted">>,
  ): Promise<Figures | undefined> {
    const { dataset } = feed;
    const { samples = dataset.size } = options;
    // The plan's capacity may be larger than the batch.
    const batchSize = Math.min(settings.batchSize, samples);
    const measures = ready.program.measured ? this.#measures : undefined;
    return sweep({
      start: sweepStart({ samples, batch: batchSize }),
      ...settings,
      ...options,
      runtime: this.#lifetime.runtime,
      run,
      cursor: this.#access.store.cursor(kind),
      decode: measures && ((bytes) => measures.decode(bytes)),
      assertLive: () => {
        this.#lifetime.assertLive();
        dataset.assertLive();
      },
      hold: () => (kind === "training" ? this.#access.reading : undefined),
      samples,
      batchSize,
      pace: this.#paceOf(ready, settings),
    });
  }

  /** Gives the steps of a plan's next submit. */
  stepsPerSubmit(ready: ReadyPlan | undefined): number {
    return (ready && this.#paces.get(ready)?.steps) ?? 1;
  }

  /** Runs sweeps that do not train one after the other, since they share one cursor. */
  async inTurn<T>(run: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(run);
    this.#turn = mine.catch(() => {});
    return mine;
  }

  /** Gives a plan's pace. It is kept from sweep to sweep, so that an epoch begins with the pace that the last one found. */
  #paceOf(ready: ReadyPlan, { stepsPerExecution, submitMs }: SweepSettings): Pace {
    const options = { stepsPerExecution, submitMs, software: this.#lifetime.runtime.adapter.software };
    const known = this.#paces.get(ready);
    if (known?.serves(options)) return known;
    const pace = new Pace(options);
    this.#paces.set(ready, pace);
    return pace;
  }
}
