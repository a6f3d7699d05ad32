import { permutation } from "../base/random.ts";
import { inErrorScope } from "../gpu/error-scope.ts";
import type { Runtime } from "../gpu/runtime.ts";
import type { BoundPlan } from "../plan/executable.ts";
import type { Feed } from "../program/feed.ts";
import type { Figures } from "../program/measures.ts";
import { FRAMES_MS } from "./pace.ts";
import { noCounts, type SweepCounts, type SweepSettings } from "./sweep.ts";
import type { Sweeper } from "./sweeper.ts";

/** Trainer, epoch by epoch. */
export interface EpochTrainer {
  /** Whether there is no data for a further epoch. Default false. */
  readonly exhausted?: boolean;
  /**
   * Trains on all samples once, in the order of a seed or, without one, in the order in which they lie. It goes on after the first `from`
   * steps. `onSubmitted` is called after each submit. `last` records further work after the last step, in its submit.
   */
  epoch(
    shuffleSeed: number | undefined,
    options?: {
      readonly from?: number;
      readonly onSubmitted?: (steps: number) => void;
      readonly last?: ((encoder: GPUCommandEncoder) => void) | undefined;
    },
  ): Promise<Figures | undefined>;
  dispose(): void;
}

/** Trainer on a data set. */
export interface Trainer extends EpochTrainer {
  readonly feed: Feed;
  /** Step that an epoch repeats. */
  readonly run: BoundPlan;
  /** Bytes of the data set and its order on the GPU. */
  readonly bytes: number;
  /**
   * Makes the epoch's steps after `from` again, up to `to`, on the variables and the order that are on the GPU. No callback is called.
   */
  replay(from: number, to: number): Promise<void>;
  /** Gives the samples of a step of the epoch, counted from 1, by their rows in the columns of the data set. */
  samplesOf(step: number): readonly number[];
}

/** Prepares training on a data set. */
export async function createTrainer(
  sweeper: Sweeper,
  runtime: Runtime,
  feed: Feed,
  settings: SweepSettings,
  counts: SweepCounts,
): Promise<Trainer> {
  const { dataset } = feed;
  const { size, order: rows } = dataset;
  const { batchSize } = settings;
  const ready = await sweeper.plan("train", feed, settings);
  const order = await runtime.buffers.createOne({ label: "order", bytes: size * 4 });
  const run = sweeper.bind("training", ready, feed, { order: order.buffer });
  const what = { ready, run, kind: "training", feed } as const;
  let indices = new Uint32Array();
  return {
    feed,
    run,
    bytes: dataset.bytes + order.bytes,
    epoch: async (shuffleSeed, options = {}) => {
      indices =
        shuffleSeed === undefined ? Uint32Array.from({ length: size }, (_, i) => i) : permutation(size, shuffleSeed);
      if (rows) indices = indices.map((at) => rows[at]!);
      const written = inErrorScope(runtime, "order", () => runtime.device.queue.writeBuffer(order.buffer, 0, indices));
      const figures = await sweeper.sweep(what, settings, { counts, ...options });
      await written;
      return figures;
    },
    replay: async (from, until) => {
      const quiet = { batchSize, stepsPerExecution: "auto", submitMs: FRAMES_MS } as const;
      await sweeper.sweep(what, quiet, { counts: noCounts(), from, until });
    },
    samplesOf: (step) => [...indices.subarray((step - 1) * batchSize, step * batchSize)],
    dispose: () => order.release(),
  };
}
