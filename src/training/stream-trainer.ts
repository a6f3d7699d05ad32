import { emptyStream } from "../data/batches.ts";
import { inErrorScope } from "../gpu/error-scope.ts";
import type { Lifetime } from "../program/lifetime.ts";
import type { Figures, Measures } from "../program/measures.ts";
import type { SweepKind } from "../program/variable-store.ts";
import { Pace } from "./pace.ts";
import type { StreamFeeder } from "./stream-feeder.ts";
import { type Sweep, type SweepCounts, type SweepSettings, sweep } from "./sweep.ts";
import type { EpochTrainer } from "./trainer.ts";
import type { VariableAccess } from "./variable-access.ts";

/** Compiled model, as a sweep over a stream uses it. */
export interface StreamTarget {
  readonly lifetime: Lifetime;
  readonly variables: VariableAccess;
  readonly measures: Measures | undefined;
}

/** Runs a step on each batch of a stream's pass, one a submit, two under way. */
export async function sweepStream(
  { lifetime, variables, measures }: StreamTarget,
  kind: SweepKind,
  feeder: StreamFeeder,
  settings: SweepSettings,
  options: Pick<Sweep, "counts"> & Partial<Pick<Sweep, "until" | "last" | "onSubmitted">>,
): Promise<Figures | undefined> {
  const figures = await sweep({
    ...settings,
    until: Number.POSITIVE_INFINITY,
    ...options,
    next: () => feeder.next(),
    runtime: lifetime.runtime,
    run: undefined,
    start: undefined,
    samples: 0,
    cursor: variables.store.cursor(kind),
    decode: (bytes) => measures!.decode(bytes),
    assertLive: () => lifetime.assertLive(),
    hold: () => (kind === "training" ? variables.reading : undefined),
    // A software adapter's pace is two submits under way, each of a fixed number of steps.
    pace: new Pace({ stepsPerExecution: 1, submitMs: settings.submitMs, software: true }),
  });
  await feeder.settled();
  return figures;
}

/** What an epoch on a stream is, and how many there are. */
export interface StreamEpochs {
  readonly stepsPerEpoch: number | undefined;
  /** Epoch to begin with, counted from 0, and the one to end before. */
  readonly from: number;
  readonly epochs: number;
  /** Called with the steps of an epoch when it has ended. */
  onSteps(steps: number): void;
}

/** Trains on a stream as Keras does: an epoch is so many steps, or a pass over the batches. It warns where they run out. */
export function streamTrainer(
  target: StreamTarget,
  feeder: StreamFeeder,
  settings: SweepSettings,
  counts: SweepCounts,
  { stepsPerEpoch, from, epochs, onSteps }: StreamEpochs,
): EpochTrainer {
  let epoch = from;
  if (stepsPerEpoch !== undefined) feeder.limit(stepsPerEpoch * (epochs - from));
  return {
    get exhausted() {
      return feeder.exhausted;
    },
    epoch: async (_, { last, onSubmitted } = {}) => {
      let steps = 0;
      let recorded = last === undefined;
      const record = (encoder: GPUCommandEncoder) => {
        recorded = true;
        last?.(encoder);
      };
      const figures = await sweepStream(target, "training", feeder, settings, {
        counts,
        ...(stepsPerEpoch !== undefined && { until: stepsPerEpoch }),
        last: record,
        onSubmitted: (made) => {
          steps = made;
          onSubmitted?.(made);
        },
      });
      epoch++;
      if (settings.signal?.aborted) return figures;
      if (steps === 0 && epoch === from + 1) throw emptyStream("fit");
      onSteps(steps);
      const { runtime } = target.lifetime;
      if (steps > 0 && !recorded)
        await inErrorScope(runtime, "train", () => {
          const encoder = runtime.device.createCommandEncoder({ label: "last" });
          record(encoder);
          runtime.device.queue.submit([encoder.finish()]);
        });
      const short = stepsPerEpoch !== undefined && steps < stepsPerEpoch;
      if (short || steps === 0 || (feeder.exhausted && epoch < epochs)) warn(epoch, steps, stepsPerEpoch);
      return figures;
    },
    dispose: () => feeder.dispose(),
  };
}

function warn(epoch: number, steps: number, of: number | undefined): void {
  const place = `in epoch ${epoch}, after ${steps}${of === undefined ? "" : ` of ${of}`} steps`;
  const remedy = "A function begins anew with each pass: stream(() => batches())";
  console.warn(`fit: the stream ran out of data ${place}. ${remedy}.`);
}
