// Trains the page's network on MNIST, and tells of it.

import { type Callback, type PauseSwitch, pauseSwitch, type Snapshot, trainWithRecovery } from "../../src/index.ts";
import { wordsOf } from "../error-words.ts";
import { type NetworkSpec, sameNetwork } from "../network.ts";
import { createCourse } from "./course.ts";
import { type Loaded, load, loadSplits } from "./load.ts";
import { lookNowAndThen } from "./looks.ts";
import { codeOf, lostInWords } from "./lost.ts";
import type { Mnist } from "./mnist.ts";
import type { Session } from "./session.ts";
import type { Report, TrainingEvent, TrainingSettings, TrainingState } from "./training.ts";

/** A frame's budget: what is on the GPU at a time takes no longer, so that the page draws 50 frames a second. */
const SUBMIT_MS = 8;
/** What a lost device can cost, at most. */
const KEEP_MS = 5000;

/** A run that has begun, and may have to begin anew on another device. */
interface Run {
  readonly settings: TrainingSettings;
  readonly spec: NetworkSpec;
  readonly stop: AbortController;
  readonly pause: PauseSwitch;
  /** Epochs that the network was trained before. */
  readonly before: number;
  /** The last snapshot of this run; `undefined` before the first. */
  kept: Snapshot | undefined;
  /** When it, with all that it reports, is over. */
  ended: Promise<void>;
}

/** @param onSteps Called after steps, as often as the device reports some. */
export function createTrainer(session: Session, mnist: Mnist, onSteps: () => void) {
  let report: Report = () => {};
  let state: TrainingState = "idle";
  let run: Run | undefined;
  /** Failed, and can go on from what was kept. */
  let broken: Run | undefined;
  /** Epochs that the network was trained, in all runs. */
  let epochs = 0;
  let why = "nothing";
  const say = (next: TrainingState) => {
    state = next;
    report({ kind: "state", state });
  };

  session.onFresh(() => {
    run?.stop.abort(new Error("Another network took its place."));
    epochs = 0;
    broken = undefined;
    report({ kind: "fresh" });
    if (!run) say("idle");
  });
  session.onModel((model) => {
    if (model && session.spec) report({ kind: "network", spec: session.spec, layers: model.layers });
  });
  session.onCompiling(({ plan, compiled, total }) => report({ kind: "compiling", plan, compiled, total }));
  session.onWeights(() => report({ kind: "weights" }));
  session.gpu.onLost((said) => {
    why = said;
    if (run || !session.touched) return;
    // Nobody trains: the network is made anew of what was kept.
    session.model().then(
      () => session.changed(),
      () => {}, // Who wants it next is told.
    );
  });

  async function go(current: Run): Promise<void> {
    const { settings, spec, stop, pause } = current;
    const { signal } = stop;
    say("loading");
    const splits = await orAbort(loadSplits(mnist, report), signal);
    say("compiling");
    let loaded: Loaded | undefined;
    /** What is loaded for the device of now. */
    async function ready(): Promise<Loaded> {
      if (loaded && loaded.runtime === (await session.gpu.runtime())) return loaded;
      loaded?.dispose();
      loaded = await load(session, splits, settings.images);
      return loaded;
    }
    function remember(taken: Snapshot): void {
      session.remember(taken);
      current.kept = taken;
    }
    try {
      const { snapshot } = await trainWithRecovery({
        make: () => lostInWords(session.gpu, async () => (await ready()).model),
        data: () => loaded!.training,
        batchSize: spec.batchSize,
        epochs: settings.epochs,
        submitMs: SUBMIT_MS,
        verbose: 0 as const,
        validationData: () => loaded!.validation,
        callbacks: callbacksOf(current, () => loaded!),
        signal,
        pause,
        everyMs: KEEP_MS,
        store: { get: () => current.kept, set: (taken) => taken && remember(taken) },
        onRecovery() {
          signal.throwIfAborted();
          report({ kind: "recovering", why });
          say("compiling");
        },
      });
      session.remember(snapshot);
      await session.gpu.again(async () => {
        const { examiner, model } = await ready();
        report({ kind: "verdict", verdict: await examiner.examine(model, "all") });
      });
      session.changed();
    } catch (error) {
      // It is disposed of; what was kept of it is not.
      if (loaded) session.renew(loaded.model);
      throw error;
    } finally {
      loaded?.dispose();
    }
  }

  /** @param loaded for the device on which it trains */
  function callbacksOf(current: Run, loaded: () => Loaded): readonly Callback[] {
    const { settings, before, pause, spec } = current;
    const course = createCourse(report, before, settings.images);
    let look = () => {};
    const told: Callback = {
      async onTrainBegin({ steps = 1 }) {
        const { model, runtime, examiner, validation } = loaded();
        look = lookNowAndThen(async () => {
          report({ kind: "verdict", verdict: await examiner.examine(model, "few") });
          session.changed();
        }, runtime.lost);
        // A snapshot has the rate of its moment.
        if (session.spec) await session.setLearningRate(session.spec.optimizer.learningRate);
        const { epoch = 0, steps: step = 0 } = current.kept?.fit ?? {};
        const facts = { ...settings, from: before + epoch + step / steps, steps, batchSize: spec.batchSize };
        report({ kind: "run", facts: { ...facts, validationImages: validation.size } });
        report({ kind: "place", place: { epoch, step, msPerStep: undefined } });
        say(pause.paused ? "paused" : "training");
      },
      onTrainBatchEnd() {
        epochs = before + course.done;
        onSteps();
        look();
      },
    };
    return [course, told];
  }

  async function begin(current: Run): Promise<void> {
    const { signal } = current.stop;
    try {
      await go(current);
      broken = undefined;
      say(signal.aborted ? "stopped" : "finished");
    } catch (error) {
      // Another network took its place, or it was stopped before it began.
      const given = session.spec && sameNetwork(session.spec, current.spec);
      if (signal.aborted || !given) return say(given && epochs > 0 ? "stopped" : "idle");
      if (current.kept) broken = current;
      report(failureOf(error));
      say("failed");
    } finally {
      run = undefined;
      session.training = false;
    }
  }

  function start(spec: NetworkSpec, settings: TrainingSettings): void {
    if (run) return;
    session.propose(spec);
    session.training = true;
    const again = broken?.settings.images === settings.images && session.touched ? broken : undefined;
    broken = undefined;
    run = {
      settings,
      spec: session.spec!,
      stop: new AbortController(),
      pause: pauseSwitch(),
      before: again?.before ?? epochs,
      kept: again?.kept,
      ended: Promise.resolve(),
    };
    run.ended = begin(run);
  }

  async function stop(): Promise<void> {
    run?.stop.abort(new Error("Training was stopped."));
    await run?.ended;
  }

  return {
    /** All that happens is told to `listener`, from now on; there is one. */
    watchTraining(listener: Report): void {
      report = listener;
      report({ kind: "state", state });
    },
    /** Trains the session's network; one of `spec`, where there is none yet or nobody has trained it. */
    startTraining: start,
    async pauseTraining(): Promise<void> {
      if (state !== "training" || !run) return;
      const { pause } = run;
      await pause.pause();
      if (pause.paused && state === "training") say("paused");
    },
    resumeTraining(): void {
      run?.pause.resume();
      if (state === "paused") say("training");
    },
    /** Ends the run; the weights stay. */
    stopTraining: stop,
    /** Ends the run, and forgets the weights. */
    async resetTraining(spec: NetworkSpec): Promise<void> {
      await stop();
      session.describe(spec);
    },
    /** Of the network that is there, while it trains, too. */
    setLearningRate: (learningRate: number) => session.setLearningRate(learningRate),
  };
}

function failureOf(error: unknown): TrainingEvent {
  return { kind: "failure", code: codeOf(error) ?? "unforeseen", message: wordsOf(error) };
}

async function orAbort<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  let fail = () => {};
  const aborted = new Promise<never>((_, reject) => {
    fail = () => reject(signal.reason);
    signal.addEventListener("abort", fail);
  });
  return Promise.race([promise, aborted]).finally(() => signal.removeEventListener("abort", fail));
}
