// The package's entry `featuremap/tensorboard`: what only its users load.

import { reasonOf } from "../base/check.ts";
import { aWord, FeaturemapError, flag, knownKeys, positiveInteger } from "../base/errors.ts";
import { nodeFiles } from "../base/node-files.ts";
import { getHyperparameters } from "../model/hyperparameters.ts";
import type { Model } from "../model/model.ts";
import type { Callback } from "../training/callback.ts";
import type { Logs } from "../training/history.ts";
import { type Event, eventRecord, FILE_VERSION } from "./event-file.ts";

export interface TensorBoardOptions {
  /**
   * When figures of training are written beside those of epochs: never (`"epoch"`, default), after each submit (`"batch"`), or after each
   * submit by which another so many steps are done. With `stepsPerExecution: 1` a submit is a step.
   */
  readonly updateFreq?: "epoch" | "batch" | number;
  /** Whether steps a second are written too. Default false. */
  readonly writeStepsPerSecond?: boolean;
}

/**
 * Writes figures as event files for TensorBoard, in Node, Deno or Bun: Keras's `TensorBoard` (`keras/src/callbacks/tensorboard.py`), with
 * its folders `train` and `validation`, its names and its steps:
 *
 * - `epoch_loss` and its like, of training with `epoch_learning_rate`, by the epoch, from 0
 * - `evaluation_loss_vs_iterations` and its like, of each evaluation, by the steps that the model has made
 * - `batch_loss` and its like, with `updateFreq`, by the steps of this `fit`, from 1
 *
 * Graphs, histograms, images and profiles are not written.
 *
 * @param logDir Folder, which is made if it is not there. No other callback should write to it.
 * @example
 * import { tensorBoard } from "featuremap/tensorboard";
 * await model.fit(x, y, { epochs: 10, callbacks: [tensorBoard("logs/first")] });
 * // tensorboard --logdir logs
 * @throws FeaturemapError `value` for an option that is unknown or wrong; in `fit`, `data` where a file cannot be written
 */
export function tensorBoard(logDir: string, options: TensorBoardOptions = {}): Callback {
  const where = "tensorBoard";
  aWord(logDir, `${where}: logDir`);
  knownKeys(options, ["updateFreq", "writeStepsPerSecond"], where);
  const { updateFreq = "epoch" } = options;
  const every =
    updateFreq === "epoch"
      ? undefined
      : updateFreq === "batch"
        ? 1
        : positiveInteger(updateFreq, `${where}: updateFreq`);
  const writeSpeed = flag(options.writeStepsPerSecond ?? false, `${where}: writeStepsPerSecond`);
  const [train, validation] = [new EventFile(`${logDir}/train`), new EventFile(`${logDir}/validation`)];
  let model: Model;
  /** Steps of the model, and time, when the epoch began. */
  let begun = { steps: 0, ms: 0 };
  /** Steps of this `fit` before the epoch, and those at the last writing of a batch, with its time. */
  let before = 0;
  let written = { step: 0, ms: 0 };
  return {
    exactLogs: every !== undefined,
    setModel: (its: Model) => {
      model = its;
    },
    onTrainBegin: () => {
      before = 0;
      written = { step: 0, ms: performance.now() };
    },
    onEpochBegin: () => {
      begun = { steps: model.stats().steps, ms: performance.now() };
    },
    ...(every !== undefined && {
      onTrainBatchEnd: async (batch: number, logs: Logs) => {
        const step = before + batch + 1;
        if (Math.floor(step / every) === Math.floor(written.step / every)) return;
        const ms = performance.now();
        const speed = (1000 * (step - written.step)) / (ms - written.ms);
        written = { step, ms };
        await train.write("batch_", step, { ...(writeSpeed && { steps_per_second: speed }), ...logs });
      },
    }),
    onTestEnd: (logs) => validation.write("evaluation_", model.stats().steps, logs, "_vs_iterations"),
    onEpochEnd: async (epoch, logs) => {
      const { steps } = model.stats();
      const speed = (1000 * (steps - begun.steps)) / (performance.now() - begun.ms);
      before += steps - begun.steps;
      const { learningRate } = await getHyperparameters(model);
      const all = Object.entries(logs);
      const of = (validation: boolean) => all.filter(([name]) => name.startsWith("val_") === validation);
      await train.write("epoch_", epoch, {
        ...Object.fromEntries(of(false)),
        ...(learningRate !== undefined && { learning_rate: learningRate }),
        ...(writeSpeed && { steps_per_second: speed }),
      });
      const heldOut = of(true).map(([name, value]) => [name.slice(4), value]);
      if (heldOut.length > 0) await validation.write("epoch_", epoch, Object.fromEntries(heldOut));
    },
  };
}

/** Event file in a folder. It is made when the first figures are written. */
class EventFile {
  readonly #folder: string;
  #path: string | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Writes figures under their names, with a prefix and an ending. */
  async write(prefix: string, step: number, figures: Readonly<Record<string, number>>, ending = ""): Promise<void> {
    const scalars = Object.entries(figures).map(([name, value]) => ({ tag: `${prefix}${name}${ending}`, value }));
    const wallTime = Date.now() / 1000;
    const begin: Event[] = this.#path === undefined ? [{ wallTime, step: 0, fileVersion: FILE_VERSION }] : [];
    const records = [...begin, { wallTime, step, scalars }].map(eventRecord);
    const access = nodeFiles("tensorBoard", "csvLogger with a function");
    this.#path ??= `${this.#folder}/events.out.tfevents.${Math.floor(wallTime)}.featuremap.${crypto.randomUUID().slice(0, 8)}.v2`;
    const path = this.#path;
    try {
      if (begin.length > 0) await access.mkdir(this.#folder, { recursive: true });
      for (const record of records) await access.appendFile(path, record);
    } catch (error) {
      const why = `"${path}" cannot be written: ${reasonOf(error)}`;
      throw new FeaturemapError("data", `tensorBoard: ${why}.`, { cause: error });
    }
  }
}
