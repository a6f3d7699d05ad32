import type { TrainOptions } from "../options.ts";
import type { MetricHistory, Timing, TrainEvent } from "./protocol.ts";

/** As often as a terminal is redrawn. */
const PROGRESS_INTERVAL_MS = 50;

/** A callback for `fit`, with the history and the timing of the epochs it has seen. */
export interface Recorder {
  readonly history: MetricHistory;
  timing(): Pick<Timing, "msPerStep" | "imagesPerSecond">;
  onEpochBegin(epoch: number): void;
  onTrainBatchEnd(batch: number, logs: object): void;
  onEpochEnd(epoch: number, logs: object): void;
}

interface Moment {
  readonly step: number;
  readonly time: number;
}

/**
 * Turns `fit`'s callbacks into events and keeps what a stopped `fit` may not return.
 *
 * `msPerStep` is the mean wall time of the steady steps: from the end of each epoch's first batch callback (which has
 * the compilation of the very first step behind it) to its last one, over the steps between them, all epochs together.
 * Validation lies outside. A median would say little here, since the GPU is fed several steps ahead.
 */
export function createRecorder(
  options: TrainOptions,
  emit: (event: TrainEvent) => void,
  now: () => number = () => performance.now(),
): Recorder {
  const total = Math.ceil(options.trainSize / options.batchSize);
  const history: MetricHistory = {};
  const steady = { ms: 0, steps: 0, images: 0 };
  let begun = now();
  let drawn = 0;
  let first: Moment | undefined;
  let last: Moment | undefined;

  const progress = (logs: object) => ({
    done: last?.step ?? 0,
    total,
    elapsedMs: now() - begun,
    // Where one callback covers several steps, its time is no measure of the first.
    ...(first?.step === 1 ? { firstStepMs: first.time - begun } : {}),
    logs: metrics(logs),
  });
  const images = (step: number) => Math.min(step * options.batchSize, options.trainSize);
  const addSteady = (from: Moment, to: Moment) => {
    steady.ms += to.time - from.time;
    steady.steps += to.step - from.step;
    steady.images += images(to.step) - images(from.step);
  };

  return {
    history,
    timing: () => ({
      msPerStep: steady.steps > 0 ? steady.ms / steady.steps : null,
      imagesPerSecond: steady.ms > 0 ? (steady.images / steady.ms) * 1000 : null,
    }),
    onEpochBegin(epoch) {
      begun = now();
      first = last = undefined;
      emit({ type: "epochBegin", epoch });
    },
    onTrainBatchEnd(batch, logs) {
      const moment = { step: batch + 1, time: now() };
      if (last) addSteady(last, moment);
      first ??= moment;
      last = moment;
      if (moment.time - drawn < PROGRESS_INTERVAL_MS) return;
      drawn = moment.time;
      emit({ type: "progress", progress: progress(logs) });
    },
    onEpochEnd(_epoch, logs) {
      for (const [name, value] of Object.entries(metrics(logs))) {
        history[name] ??= [];
        history[name].push(value);
      }
      emit({ type: "epochEnd", progress: progress(logs) });
    },
  };
}

function metrics(logs: object): Record<string, number> {
  const entries = Object.entries(logs).filter(([, value]) => typeof value === "number");
  return Object.fromEntries(entries);
}
