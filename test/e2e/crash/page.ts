// A page that trains by `trainWithRecovery`, and tells its test where it is.

import {
  adam,
  type Callback,
  FeaturemapError,
  indexedDbSnapshots,
  type Model,
  type RecoveryOptions,
  type Snapshot,
  snapshot,
  trainWithRecovery,
} from "../../../src/index.ts";
import { noise, tinyModel } from "../../support/models.ts";

export interface RunOptions {
  /** Whether snapshots go to IndexedDB, under this name. */
  readonly store?: string;
}

/** What can cross to the test. */
export type RunResult =
  | { readonly recoveries: number; readonly outcome: string }
  | { readonly code: string; readonly message: string };

declare global {
  /** The test's: told of each part of a run as it begins. A crash comes before it resolves, or some ms after. */
  var reached: (part: string) => Promise<void>;
  var run: (options: RunOptions) => Promise<RunResult>;
}

const { x, y } = noise(64, [4], 3);
const held = noise(20, [4], 3, 5);

async function make(): Promise<Model> {
  await reached("make");
  const model = tinyModel();
  await model.compile({ loss: "sparseCategoricalCrossentropy", optimizer: adam(), metrics: ["accuracy"] });
  await reached("made");
  return model;
}

function looking(): Callback {
  let model: Model;
  return {
    setModel: (given: Model) => {
      model = given;
    },
    onEpochBegin: async () => {
      await reached("predict");
      await model.predict(x);
    },
    onTrainBatchEnd: async (batch) => {
      await reached("batch");
      if (batch !== 5) return;
      await reached("snapshot");
      await snapshot(model);
    },
    onEpochEnd: async () => {
      await reached("evaluate");
      await model.evaluate(x, y);
    },
    onTrainEnd: () => reached("end"),
  };
}

/** All numbers of a snapshot and the history, as text: equal where each bit is. */
function textOf(taken: Snapshot, history: object): string {
  const bits = (data: Float32Array | Uint32Array) => [...new Uint32Array(data.slice().buffer)];
  return JSON.stringify([taken.variables.map(({ path, data }) => [path, bits(data)]), history]);
}

globalThis.run = async ({ store }) => {
  const options: RecoveryOptions = {
    make,
    data: [x, y],
    validationData: [held.x, held.y],
    callbacks: [looking()],
    batchSize: 4,
    epochs: 3,
    seed: 7,
    stepsPerExecution: 1,
    verbose: 0,
    everyMs: 0,
    ...(store !== undefined && { store: indexedDbSnapshots(store) }),
  };
  try {
    const { model, history, recoveries, snapshot: taken } = await trainWithRecovery(options);
    model.dispose();
    return { recoveries, outcome: textOf(taken, history) };
  } catch (error) {
    if (error instanceof FeaturemapError) return { code: error.code, message: error.message };
    throw error;
  }
};
