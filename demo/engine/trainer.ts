// Trains the page's network on MNIST, and tells of it.

import type { Callback, Dataset, Sequential } from "../../src/index.ts";
import type { NetworkSpec } from "../network.ts";
import { createCourse } from "./course.ts";
import { createExaminer, type Examiner } from "./examiner.ts";
import { type Mnist, type OnBytes, type Split, uploadSplit } from "./mnist.ts";
import type { Session } from "./session.ts";
import type { Report, RunFacts, TrainingEvent, TrainingSettings, TrainingState } from "./training.ts";

/** The longest that a submit should take, in ms: three may wait on the device, and a frame has 20. */
const SUBMIT_MS = 6;
/** Between two looks at what the weights can do, while they learn: at least this, and 10 times what a look takes. */
const LOOK_MS = 1000;
/** The first look compiles shaders, which says nothing of the next. */
const MOST_LOOK_MS = 10_000;

export type Trainer = ReturnType<typeof createTrainer>;

interface Run {
  readonly settings: TrainingSettings;
  readonly stop: AbortController;
  readonly ended: Promise<void>;
}

/** What a run needs on the device. */
interface Loaded {
  readonly model: Sequential;
  readonly training: Dataset;
  readonly validation: Dataset;
  readonly examiner: Examiner;
}

/** @param onSteps Called after steps, as often as the device reports some. */
export function createTrainer(session: Session, mnist: Mnist, onSteps: () => void) {
  let report: Report = () => {};
  let state: TrainingState = "idle";
  let run: Run | undefined;
  /** Epochs that the network was trained, in all runs. */
  let epochs = 0;
  let held: { readonly until: Promise<void>; readonly release: () => void } | undefined;
  const say = (next: TrainingState) => {
    state = next;
    report({ kind: "state", state });
  };

  session.onModel((model) => {
    if (model && session.spec) report({ kind: "network", spec: session.spec, layers: model.layers });
  });
  session.onCompiling(({ plan, compiled, total }) => report({ kind: "compiling", plan, compiled, total }));
  session.onWeights(() => report({ kind: "weights" }));

  async function go(settings: TrainingSettings, signal: AbortSignal): Promise<void> {
    say("loading");
    const [train, test] = await orAbort(bothSplits(mnist, report), signal);
    say("compiling");
    const loaded = await load(session, settings, train, test);
    try {
      await fit(loaded, settings, signal);
    } finally {
      for (const one of [loaded.training, loaded.validation, loaded.examiner]) one.dispose();
    }
  }

  async function fit(loaded: Loaded, settings: TrainingSettings, signal: AbortSignal): Promise<void> {
    const { model, training, validation, examiner } = loaded;
    const batchSize = session.spec!.batchSize;
    const course = createCourse(report, epochs, training.size);
    const look = lookNowAndThen(async () => {
      report({ kind: "verdict", verdict: await examiner.examine(model, "few") });
      session.changed();
    });
    const state: Callback = {
      onTrainBegin({ steps }) {
        const facts: RunFacts = { ...settings, steps, batchSize, validationImages: validation.size };
        report({ kind: "run", facts });
        say("training");
      },
      async onBatchEnd() {
        onSteps();
        look();
        if (!held) return;
        say("paused");
        await held.until;
        course.pace.restart();
        if (!signal.aborted) say("training");
      },
    };
    const options = { batchSize, epochs: settings.epochs, submitMs: SUBMIT_MS, validationData: validation, verbose: 0 };
    try {
      await model.fit(training, { ...options, verbose: 0, callbacks: [course, state], signal });
    } finally {
      epochs += course.done;
    }
    report({ kind: "verdict", verdict: await examiner.examine(model, "all") });
    session.changed();
  }

  /** The place of a run is taken as long as it has not ended: one network trains once at a time. */
  async function begin(settings: TrainingSettings, signal: AbortSignal): Promise<void> {
    try {
      await go(settings, signal);
      say(signal.aborted ? "stopped" : "finished");
    } catch (error) {
      if (signal.aborted) return say(epochs > 0 ? "stopped" : "idle");
      report(failureOf(error));
      say("failed");
    } finally {
      run = undefined;
      release();
    }
  }

  function release(): void {
    held?.release();
    held = undefined;
  }

  async function stop(): Promise<void> {
    run?.stop.abort(new Error("Training was stopped."));
    release();
    await run?.ended;
  }

  return {
    /** All that happens is told to `listener`, from now on; there is one. */
    watchTraining(listener: Report): void {
      report = listener;
      report({ kind: "state", state });
    },
    /** Trains the session's network or, where there is none yet, one of `spec`. Where a run is under way, it goes on. */
    startTraining(spec: NetworkSpec, settings: TrainingSettings): void {
      if (run) return;
      if (!session.spec) session.describe(spec);
      const stop = new AbortController();
      run = { settings, stop, ended: Promise.resolve() };
      run = { ...run, ended: begin(settings, stop.signal) };
    },
    pauseTraining(): void {
      if (state !== "training" || held) return;
      let release = () => {};
      const until = new Promise<void>((resolve) => {
        release = resolve;
      });
      held = { until, release };
    },
    resumeTraining: release,
    /** Ends the run; the weights stay. */
    stopTraining: stop,
    /** Ends the run, and forgets the weights. */
    async resetTraining(spec: NetworkSpec): Promise<void> {
      await stop();
      epochs = 0;
      session.describe(spec);
      say("idle");
    },
  };
}

async function load(session: Session, { images }: TrainingSettings, train: Split, test: Split): Promise<Loaded> {
  const runtime = await session.gpu.runtime();
  const model = await session.model();
  const { software } = runtime.adapter;
  const all = software ? Math.min(1000, Math.max(100, Math.round(images / 4))) : test.labels.length;
  const few = Math.min(all, software ? 200 : 1000);
  const [training, validation, examiner] = await Promise.all([
    uploadSplit(runtime, train, images),
    uploadSplit(runtime, test, all),
    createExaminer(runtime, test, { few, all }, session.spec!.batchSize),
  ]);
  return { model, training, validation, examiner };
}

async function bothSplits(mnist: Mnist, report: Report): Promise<[Split, Split]> {
  const parts = { train: [0, undefined], test: [0, undefined] } as Record<string, [number, number | undefined]>;
  let told = 0;
  const onBytes =
    (part: string): OnBytes =>
    (received, total) => {
      parts[part] = [received, total];
      const [[a, ofA], [b, ofB]] = [parts.train!, parts.test!];
      const sum = ofA !== undefined && ofB !== undefined ? ofA + ofB : undefined;
      if (performance.now() - told < 100 && a + b !== sum) return;
      told = performance.now();
      report({ kind: "loading", received: a + b, total: sum });
    };
  return Promise.all([mnist.train(onBytes("train")), mnist.test(onBytes("test"))]);
}

/** Looks one at a time, and no more often than is good for the training. */
function lookNowAndThen(look: () => Promise<void>): () => void {
  let next = performance.now() + LOOK_MS / 2;
  let looking = false;
  return () => {
    const begun = performance.now();
    if (looking || begun < next) return;
    looking = true;
    look()
      .catch(() => {}) // The device is lost or the model gone: `fit` says so itself.
      .finally(() => {
        looking = false;
        const now = performance.now();
        next = now + Math.min(MOST_LOOK_MS, Math.max(LOOK_MS, 10 * (now - begun)));
      });
  };
}

function failureOf(error: unknown): TrainingEvent {
  const { code = "unforeseen", message = String(error) } = error as { code?: string; message?: string };
  return { kind: "failure", code, message };
}

async function orAbort<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
  return Promise.race([promise, aborted]);
}
