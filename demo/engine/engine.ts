// What the page can ask of the library. It all runs in a worker, and every call is a promise there.

import { type AdapterInfo, createGpu } from "./gpu.ts";
import { createKeep } from "./keep.ts";
import { createLab } from "./lab.ts";
import { createMnist } from "./mnist.ts";
import { describe } from "./models.ts";
import { createObserver } from "./observer.ts";
import { createOwn } from "./own.ts";
import { createReader } from "./reader.ts";
import { createSamples } from "./samples.ts";
import { createSession } from "./session.ts";
import { createTrainer } from "./trainer.ts";

export type { AdapterInfo } from "./gpu.ts";

export type Engine = ReturnType<typeof createEngine>;

export function createEngine() {
  const gpu = createGpu();
  const session = createSession(gpu);
  // Seen from the worker's script, served and built.
  const mnist = createMnist(new URL("../mnist/", location.href));
  const observer = createObserver(session, mnist);
  const trainer = createTrainer(session, mnist, observer.tick);
  return {
    /** Finds the adapter. Rejects where there is no WebGPU or no adapter, in words for the reader. */
    async start(): Promise<AdapterInfo> {
      const { adapter } = await gpu.runtime();
      return { label: adapter.label, software: adapter.software };
    },
    loseDevice: gpu.lose,
    /** A network's layers, as far as they fit each other. */
    describe,
    ...createLab(gpu),
    ...createKeep(session, trainer.stopTraining),
    ...createOwn(gpu),
    ...createReader(session),
    ...createSamples(mnist),
    ...trainer,
    ...observer.api,
  };
}
