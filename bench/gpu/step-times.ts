// How long steps take: by the wall clock and by the device's, at 1, 4, 16 and 64 steps a submit.

import type { Runtime } from "../../src/gpu/runtime.ts";
import type { Step } from "../lab/step.ts";
import type { Encode, Timer } from "../lab/timer.ts";
import { median } from "../statistics.ts";
import type { Part } from "./part.ts";

const STEPS_A_SUBMIT = [1, 4, 16, 64] as const;

/** Milliseconds a step of `fit`'s loop over the data, orders and the reading of metrics included. */
export async function wallTime(step: Step, batches: number, { quick }: Part): Promise<number> {
  const samples: number[] = [];
  const until = performance.now() + (quick ? 0 : 500);
  do {
    const begin = performance.now();
    await step.epoch();
    samples.push((performance.now() - begin) / batches);
  } while (performance.now() < until);
  return median(samples);
}

/** Steps that can be encoded, of training or of inference. */
interface Steps {
  rewind(): void;
  encode(pass: GPUComputePassEncoder): void;
}

/** Milliseconds a step by the wall clock, for each number of steps in a submit, over many submits without a wait between. */
export async function submittedTimes({ device }: Runtime, { rewind, encode }: Steps, part: Part) {
  const figures: Record<number, number> = {};
  const submits = (count: number, steps: number) => {
    for (let i = 0; i < count; i++) {
      rewind();
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      for (let j = 0; j < steps; j++) encode(pass);
      pass.end();
      device.queue.submit([encoder.finish()]);
    }
    return device.queue.onSubmittedWorkDone();
  };
  for (const steps of counts(part)) {
    const count = part.quick ? 1 : Math.ceil(512 / steps);
    const samples: number[] = [];
    for (let round = 0; round < (part.quick ? 1 : 5); round++) {
      const begin = performance.now();
      await submits(count, steps);
      samples.push((performance.now() - begin) / (count * steps));
    }
    figures[steps] = median(samples);
  }
  return figures;
}

/** Milliseconds a step by the device's clock, for each number of steps in one pass. */
export async function deviceTimes(
  { rewind, encode }: Steps,
  timer: Timer,
  part: Part,
): Promise<Record<number, number>> {
  const figures: Record<number, number> = {};
  for (const steps of counts(part)) {
    const pass: Encode = (encoder) => {
      for (let i = 0; i < steps; i++) encode(encoder);
    };
    const samples: number[] = [];
    for (let round = 0; round < (part.quick ? 1 : 15); round++) {
      rewind();
      samples.push((await timer.time([pass]))[0]! / steps);
    }
    figures[steps] = median(samples);
  }
  return figures;
}

export interface DispatchTime {
  readonly kernel: string;
  readonly node: string;
  readonly us: number;
}

/** Microseconds of each dispatch, in a pass of its own among those of its step. */
export async function dispatchTimes(step: Step, timer: Timer, { quick }: Part): Promise<DispatchTime[]> {
  const { steps } = step.plan;
  const passes = steps.map(
    (_, i): Encode =>
      (pass) =>
        step.encodeDispatch(pass, i),
  );
  const rounds: number[][] = [];
  for (let round = 0; round < (quick ? 1 : 15); round++) {
    step.rewind();
    rounds.push(await timer.time(passes));
  }
  return steps.map(({ kernel, node }, i) => ({ kernel, node, us: median(rounds.map((ms) => ms[i]! * 1000)) }));
}

/** Steps of a submit. */
export function counts({ quick }: Part): readonly number[] {
  return quick ? [1, 4] : STEPS_A_SUBMIT;
}

/** Milliseconds in words, by the steps of a submit. */
export function timesText(figures: Readonly<Record<number, number>>): string {
  return Object.entries(figures)
    .map(([steps, ms]) => `${steps}: ${ms.toFixed(4)}`)
    .join(", ");
}
