// Follows one call of fit, and reports what the page draws: where it stands, how fast, how well.

import type { Callback, Logs } from "../../src/index.ts";
import type { Report } from "./training.ts";

/** Long enough to even out jitter, short enough to follow a change, in ms. */
const WINDOW_MS = 3000;
/** The page is told of steps at most so often, in ms. */
const REPORT_MS = 100;

/** Samples of a point on the curve. */
const LEAST_PART = 256;

/** Wall time a step over the last few seconds. */
export class Pace {
  readonly #moments: { readonly step: number; readonly time: number }[] = [];

  /** Notes that `step` steps are done; `undefined` until a step was timed. */
  msPerStep(step: number, time: number): number | undefined {
    const moments = this.#moments;
    moments.push({ step, time });
    while (moments.length > 2 && time - moments[1]!.time >= WINDOW_MS) moments.shift();
    const first = moments[0]!;
    return step > first.step ? (time - first.time) / (step - first.step) : undefined;
  }

  /** What comes next is timed alone: there was a pause, or a validation. */
  restart(): void {
    this.#moments.length = 0;
  }
}

/** A part of the epoch: the library's running means, less what they were before. */
class Parts {
  #before = { samples: 0, loss: 0, accuracy: 0 };

  restart(): void {
    this.#before = { samples: 0, loss: 0, accuracy: 0 };
  }

  /** `undefined` where nothing new was read, or so little that its mean would be noise. */
  next({ loss, accuracy = Number.NaN }: Logs, samples: number): { loss: number; accuracy: number } | undefined {
    const { samples: from, ...before } = this.#before;
    if (samples <= from || (from > 0 && samples - from < LEAST_PART)) return undefined;
    this.#before = { samples, loss: loss * samples, accuracy: accuracy * samples };
    const share = samples - from;
    return { loss: (loss * samples - before.loss) / share, accuracy: (accuracy * samples - before.accuracy) / share };
  }
}

export interface Course extends Callback {
  /** Epochs that this call of fit has done, with the part of the last. */
  readonly done: number;
  readonly pace: Pace;
}

/**
 * @param before Epochs that the network was trained in earlier calls.
 * @param images Of an epoch.
 */
export function createCourse(report: Report, before: number, images: number): Course {
  const pace = new Pace();
  const parts = new Parts();
  let [steps, epoch, done, reported] = [1, 0, 0, 0];
  return {
    pace,
    get done() {
      return done;
    },
    onTrainBegin(params) {
      steps = params.steps!;
      parts.restart();
      pace.restart();
    },
    onEpochBegin(begun) {
      epoch = begun;
      parts.restart();
      pace.restart();
    },
    onTrainBatchEnd(batch, logs, { samples }) {
      const step = batch + 1;
      const now = performance.now();
      const msPerStep = pace.msPerStep(step, now);
      done = epoch + step / steps;
      if (now - reported >= REPORT_MS || step === steps) {
        reported = now;
        report({ kind: "place", place: { epoch, step, msPerStep } });
      }
      const part = parts.next(logs, samples);
      if (part) report({ kind: "point", point: { x: before + epoch + samples / images, ...part } });
    },
    onEpochEnd(ended, { loss, accuracy = Number.NaN, val_loss = Number.NaN, val_accuracy = Number.NaN }) {
      const figures = { loss, accuracy, validationLoss: val_loss, validationAccuracy: val_accuracy };
      report({ kind: "epoch", end: { x: before + ended + 1, ...figures } });
    },
  };
}
