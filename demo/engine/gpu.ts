// The device that all of the page shares, found anew where it is lost.

import { createRuntime, type Runtime } from "../../src/index.ts";
import { wasLost } from "./lost.ts";

export interface AdapterInfo {
  readonly label: string;
  /** A processor that stands in for a GPU. */
  readonly software: boolean;
}

export interface Gpu {
  /** The runtime of now. What was made on an earlier one is gone with it. */
  runtime(): Promise<Runtime>;
  /** What `run` computes; where the device is lost meanwhile, once more on the next one. */
  again<T>(run: () => Promise<T>): Promise<T>;
  /** Called when a device is lost, and the next call of `runtime` will find another. */
  onLost(listener: (message: string) => void): void;
  /** Loses the device, as a driver's reset does: for tests of what comes then. */
  lose(): Promise<void>;
}

export function createGpu(): Gpu {
  let current: Promise<Runtime> | undefined;
  const listeners: ((message: string) => void)[] = [];
  async function find(): Promise<Runtime> {
    const runtime = await createRuntime();
    void runtime.lost.then(({ reason, message }) => {
      current = undefined;
      for (const listener of listeners) listener(message || reason);
    });
    return runtime;
  }
  function now(): Promise<Runtime> {
    current ??= find().catch((error: unknown) => {
      current = undefined; // The next call asks again: a GPU may be plugged in, a driver may be back.
      throw error;
    });
    return current;
  }
  return {
    runtime: now,
    async again(run) {
      const runtime = await now();
      try {
        return await run();
      } catch (error) {
        if (!(await wasLost(error, runtime.lost))) throw error;
        return run();
      }
    },
    onLost: (listener) => void listeners.push(listener),
    async lose() {
      (await current)?.device.destroy();
    },
  };
}
