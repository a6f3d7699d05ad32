// What a training needs, in memory and on the device.

import type { Dataset, Model, Runtime } from "../../src/index.ts";
import { createExaminer, type Examiner } from "./examiner.ts";
import { type Mnist, type OnBytes, type Split, uploadSplit } from "./mnist.ts";
import type { Session } from "./session.ts";
import type { Report } from "./training.ts";

export interface Splits {
  readonly train: Split;
  readonly test: Split;
}

/** Both of MNIST's, with the bytes of both reported. */
export async function loadSplits(mnist: Mnist, report: Report): Promise<Splits> {
  const parts: Record<keyof Splits, Parameters<OnBytes>> = { train: [0, undefined], test: [0, undefined] };
  let told = 0;
  const onBytes =
    (part: keyof Splits): OnBytes =>
    (...bytes) => {
      parts[part] = bytes;
      const [received, ofTrain, ofTest] = [parts.train[0] + parts.test[0], parts.train[1], parts.test[1]];
      const total = ofTrain !== undefined && ofTest !== undefined ? ofTrain + ofTest : undefined;
      if (performance.now() - told < 100 && received !== total) return;
      told = performance.now();
      report({ kind: "loading", received, total });
    };
  const [train, test] = await Promise.all([mnist.train(onBytes("train")), mnist.test(onBytes("test"))]);
  return { train, test };
}

export interface Loaded {
  readonly runtime: Runtime;
  readonly model: Model;
  readonly training: Dataset;
  readonly validation: Dataset;
  readonly examiner: Examiner;
  dispose(): void;
}

/** The session's model, and images for it on its device. Fewer test images where a processor reads them. */
export async function load(session: Session, { train, test }: Splits, images: number): Promise<Loaded> {
  const runtime = await session.gpu.runtime();
  const model = await session.model();
  const { software } = runtime.adapter;
  const all = software ? Math.min(1000, Math.max(100, Math.round(images / 4))) : test.labels.length;
  const few = Math.min(all, software ? 200 : 1000);
  const training = await uploadSplit(runtime, train, images);
  const validation = await uploadSplit(runtime, test, all);
  const examiner = await createExaminer(runtime, test, { few, all }, session.spec!.batchSize);
  return {
    runtime,
    model,
    training,
    validation,
    examiner,
    dispose() {
      for (const one of [training, validation, examiner]) one.dispose();
    },
  };
}
