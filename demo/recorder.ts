import { createCurve, type Point } from "./curve.ts";
import { timeLeft } from "./pace.ts";
import * as page from "./page.ts";
import type { Settings } from "./settings.ts";
import type { EpochResult, Progress } from "./training.ts";

const lossCurve = createCurve(page.lossCurve, {
  name: "Loss",
  top: 2.4,
  fixed: false,
  format: (y) => y.toFixed(1),
});
const accuracyCurve = createCurve(page.accuracyCurve, {
  name: "Accuracy",
  top: 1,
  fixed: true,
  format: (y) => `${Math.round(100 * y)}%`,
});

interface Line {
  readonly training: Point[][];
  readonly test: Point[];
}

/** Keeps what a run reports, and shows it: figures, progress and curves. */
export class Recorder {
  last: EpochResult | undefined;
  progress: Progress | undefined;
  /** What a failed run still reports is shown no more. */
  ended = false;
  readonly #settings: Settings;
  readonly #loss: Line = { training: [], test: [] };
  readonly #accuracy: Line = { training: [], test: [] };

  constructor(settings: Settings) {
    this.#settings = settings;
    for (const id of ["loss", "accuracy", "test-loss", "test-accuracy", "ms-per-step", "images-per-second"]) {
      page.setFigure(id, undefined, String);
    }
    this.#draw();
  }

  onStep(progress: Progress): void {
    if (this.ended) return;
    const { epoch, step, steps, loss, accuracy, msPerStep } = progress;
    const { epochs, batchSize } = this.#settings;
    const { progress: before } = this;
    this.progress = progress;
    if (step === 0) {
      this.#loss.training.push([]);
      this.#accuracy.training.push([]);
    }
    page.setProgress((epoch + step / steps) / epochs);
    if (msPerStep !== undefined) {
      page.setFigure("ms-per-step", msPerStep, (ms) => ms.toFixed(ms < 10 ? 1 : 0));
      page.setFigure("images-per-second", (1000 * batchSize) / msPerStep, (speed) => page.count(Math.round(speed)));
    }
    this.#say(progress);
    // Between two reads of the GPU, the figures repeat.
    const known = Number.isFinite(loss);
    if (!known || (step < steps && loss === before?.loss && accuracy === before.accuracy)) return;
    page.setFigure("loss", loss, page.loss);
    page.setFigure("accuracy", accuracy, page.percent);
    const x = epoch + step / steps;
    this.#loss.training.at(-1)!.push({ x, y: loss });
    this.#accuracy.training.at(-1)!.push({ x, y: accuracy });
    this.#draw();
  }

  onEpoch(result: EpochResult): void {
    if (this.ended) return;
    this.last = result;
    page.setFigure("test-loss", result.testLoss, page.loss);
    page.setFigure("test-accuracy", result.testAccuracy, page.percent);
    this.#loss.test.push({ x: result.epoch + 1, y: result.testLoss });
    this.#accuracy.test.push({ x: result.epoch + 1, y: result.testAccuracy });
    this.#draw();
  }

  #say({ epoch, step, steps, msPerStep }: Progress): void {
    const { epochs } = this.#settings;
    const left = steps * (epochs - epoch) - step;
    const guess = msPerStep === undefined || left === 0 ? "" : ` · ${timeLeft(left * msPerStep)}`;
    const place = step < steps ? `step ${page.count(step)} of ${page.count(steps)}` : "reading the test images";
    page.setStatus("training", `Epoch ${epoch + 1} of ${epochs}`, place + guess);
  }

  #draw(): void {
    const { epochs } = this.#settings;
    lossCurve.draw(this.#loss, epochs);
    accuracyCurve.draw(this.#accuracy, epochs);
  }
}
