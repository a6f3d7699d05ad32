// Trains the page's network on MNIST, and tells of it.

import { type Callback, checkpoint, type ErrorCode, type PauseSwitch, pauseSwitch } from "../../src/index.ts";
import { type NetworkSpec, sameNetwork } from "../network.ts";
import { createCourse } from "./course.ts";
import { type Loaded, load, loadSplits, type Splits } from "./load.ts";
import { lookNowAndThen } from "./looks.ts";
import type { Mnist } from "./mnist.ts";
import type { Session } from "./session.ts";
import type { Report, TrainingEvent, TrainingSettings, TrainingState } from "./training.ts";

/** A frame's budget: what is on the GPU at a time takes no longer, so that the page draws 50 frames a second. */
const SUBMIT_MS = 8;
/** What a lost device can cost, at most. */
const KEEP_MS = 5000;
/** Losses of one run after which the device is given up. */
const MOST_LOSSES = 5;
/** A driver that was reset is back after some time. */
const DEVICE_TRIES = 4;
const DEVICE_WAIT_MS = 1000;

/** A run that has begun, and may have to begin anew on another device. */
interface Run {
  readonly settings: TrainingSettings;
  readonly spec: NetworkSpec;
  readonly stop: AbortController;
  readonly pause: PauseSwitch;
  /** Epochs that the network was trained before. */
  readonly before: number;
  /** Place of the last snapshot in this run; `undefined` before the first. */
  kept: { readonly epoch: number; readonly steps: number } | undefined;
  /** When it, with all that it reports, is over. */
  ended: Promise<void>;
}

/** @param onSteps Called after steps, as often as the device reports some. */
export function createTrainer(session: Session, mnist: Mnist, onSteps: () => void) {
  let report: Report = () => {};
  let state: TrainingState = "idle";
  let run: Run | undefined;
  /** Lost its device, and got no other. */
  let broken: Run | undefined;
  /** Epochs that the network was trained, in all runs. */
  let epochs = 0;
  let lost = { at: Number.NEGATIVE_INFINITY, why: "" };
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
  session.gpu.onLost((why) => {
    lost = { at: performance.now(), why };
    if (run || !session.touched) return;
    // Nobody trains: the network is made anew of what was kept.
    session.model().then(
      () => session.changed(),
      () => {}, // Who wants it next is told.
    );
  });

  async function go(current: Run): Promise<void> {
    const { signal } = current.stop;
    say("loading");
    const splits = await orAbort(loadSplits(mnist, report), signal);
    for (let losses = 0; ; losses++) {
      say("compiling");
      const begun = performance.now();
      try {
        return await attempt(current, splits);
      } catch (error) {
        if (signal.aborted || losses === MOST_LOSSES || !(await wasLost(error, begun))) throw error;
        broken = current;
        report({ kind: "recovering", why: lost.why });
        await orAbort(deviceAgain(session), signal);
      }
    }
  }

  /** Whether an error is that of a device that was lost since. It may come before the news. */
  async function wasLost(error: unknown, since: number): Promise<boolean> {
    const { code } = error as { code?: ErrorCode };
    if (code === "lost") return true;
    if (code !== undefined && code !== "state") return false;
    if (lost.at < since) await wait(500);
    return lost.at >= since;
  }

  async function attempt(current: Run, splits: Splits): Promise<void> {
    const loaded = await load(session, splits, current.settings.images);
    try {
      await fit(current, loaded);
      await session.keep();
    } finally {
      loaded.dispose();
    }
  }

  async function fit(current: Run, { model, training, validation, examiner }: Loaded): Promise<void> {
    const { settings, before, pause, spec, kept } = current;
    const { batchSize } = spec;
    const course = createCourse(report, before, training.size);
    const look = lookNowAndThen(async () => {
      report({ kind: "verdict", verdict: await examiner.examine(model, "few") });
      session.changed();
    });
    const told: Callback = {
      onTrainBegin({ steps }) {
        const from = before + (kept ? kept.epoch + kept.steps / steps : 0);
        report({ kind: "run", facts: { ...settings, from, steps, batchSize, validationImages: validation.size } });
        report({ kind: "place", place: { epoch: kept?.epoch ?? 0, step: kept?.steps ?? 0, msPerStep: undefined } });
        say(pause.paused ? "paused" : "training");
      },
      onBatchEnd() {
        epochs = before + course.done;
        onSteps();
        look();
      },
    };
    const keep = checkpoint(model, {
      everyMs: KEEP_MS,
      save(snapshot) {
        session.remember(snapshot);
        current.kept = snapshot.fit;
      },
    });
    await model.fit(training, {
      ...{ batchSize, epochs: settings.epochs, submitMs: SUBMIT_MS, validationData: validation, verbose: 0 as const },
      ...{ callbacks: [course, told, keep], signal: current.stop.signal, pause, resume: kept !== undefined },
    });
    report({ kind: "verdict", verdict: await examiner.examine(model, "all") });
    session.changed();
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
      ...{ settings, spec: session.spec!, stop: new AbortController(), pause: pauseSwitch() },
      ...{ before: again?.before ?? epochs, kept: again?.kept, ended: Promise.resolve() },
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

async function deviceAgain(session: Session): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await session.gpu.runtime();
      return;
    } catch (error) {
      if (tries === DEVICE_TRIES) throw error;
      await wait(DEVICE_WAIT_MS);
    }
  }
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function failureOf(error: unknown): TrainingEvent {
  const { code = "unforeseen", message = String(error) } = error as { code?: string; message?: string };
  return { kind: "failure", code, message };
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
