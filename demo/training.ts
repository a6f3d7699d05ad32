import type { Callback, Dataset, Logs, Runtime, Sequential } from "../src/index.ts";
import { imageTensor, type Mnist, uploadSplit } from "./mnist.ts";
import { createModel } from "./network.ts";
import { Pace } from "./pace.ts";
import { type Settings, testSize } from "./settings.ts";

/** Where training stands; `epoch` counts from 0, `step` the steps done in it. */
export interface Progress {
  readonly epoch: number;
  readonly step: number;
  /** Steps an epoch. */
  readonly steps: number;
  /** As last read from the GPU; `NaN` before the first read. */
  readonly loss: number;
  readonly accuracy: number;
  /** `undefined` before there is anything to measure. */
  readonly msPerStep: number | undefined;
}

export interface EpochResult {
  readonly epoch: number;
  readonly loss: number;
  readonly accuracy: number;
  readonly testLoss: number;
  readonly testAccuracy: number;
}

export interface Listener {
  onStep(progress: Progress): void;
  onEpoch(result: EpochResult): void;
  /** Probabilities [digits, 10] of the first test images, after each epoch and when stopped. */
  onPredictions(probabilities: Float32Array): void;
}

export interface Run {
  readonly runtime: Runtime;
  readonly mnist: Mnist;
  readonly settings: Settings;
  /** Test images to predict. */
  readonly digits: number;
  readonly signal: AbortSignal;
  readonly listener: Listener;
}

/** Trains a new model until done or `signal` aborts. Rejects where the library does or the device is lost. */
export async function train(run: Run): Promise<void> {
  const { runtime, mnist, settings } = run;
  const owned: { dispose(): void }[] = [];
  const own = <T extends { dispose(): void }>(made: T): T => {
    owned.push(made);
    return made;
  };
  try {
    const training = own(await uploadSplit(runtime, mnist.train, settings.images));
    const test = own(await uploadSplit(runtime, mnist.test, testSize(settings.images)));
    const model = own(await createModel(runtime));
    await Promise.race([trainEpochs(run, model, training, test), deviceLost(runtime)]);
  } finally {
    for (const one of owned.reverse()) one.dispose();
  }
}

async function trainEpochs(run: Run, model: Sequential, training: Dataset, test: Dataset): Promise<void> {
  const { settings, signal, listener, mnist } = run;
  const { batchSize, epochs } = settings;
  const predict = async () => {
    const { data } = await model.predict(imageTensor(mnist.test.images, run.digits));
    listener.onPredictions(data);
  };
  const callbacks = [reporter(listener), { onEpochEnd: predict }];
  await model.fit(training, { batchSize, epochs, validationData: test, verbose: 0, callbacks, signal });
  if (signal.aborted) await predict();
}

function reporter(listener: Listener): Callback {
  let pace = new Pace();
  let steps = 0;
  let epoch = 0;
  return {
    onTrainBegin: (params) => {
      steps = params.steps;
    },
    onEpochBegin: (begun) => {
      epoch = begun;
      pace = new Pace();
      listener.onStep({ epoch, step: 0, steps, loss: Number.NaN, accuracy: Number.NaN, msPerStep: undefined });
    },
    onBatchEnd: (step, { loss, accuracy = Number.NaN }) => {
      const msPerStep = pace.msPerStep(step, performance.now());
      listener.onStep({ epoch, step, steps, loss, accuracy, msPerStep });
    },
    onEpochEnd: (ended, logs) => listener.onEpoch({ epoch: ended, ...figures(logs) }),
  };
}

function figures({ loss, accuracy = Number.NaN, val_loss = Number.NaN, val_accuracy = Number.NaN }: Logs) {
  return { loss, accuracy, testLoss: val_loss, testAccuracy: val_accuracy };
}

async function deviceLost({ lost }: Runtime): Promise<never> {
  const { message, reason } = await lost;
  throw new Error(
    `The GPU device was lost during training (${message.replace(/\.$/, "") || reason}). Press Train to begin again.`,
  );
}
