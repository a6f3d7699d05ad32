// Our training step and our inference: by the wall clock and by the device's clock, at 1, 4, 16 and 64 steps a submit.

import { createRuntime, type Runtime } from "../../../src/gpu/runtime.ts";
import { type Choices, tuner } from "../../../src/index.ts";
import { stepFlop } from "../../arithmetic.ts";
import { dataOf } from "../../data.ts";
import { createInference, createStep, type StepOptions } from "../../lab/step.ts";
import { createTimer, type Timer } from "../../lab/timer.ts";
import { type NetworkName, type NetworkSpec, PLAIN_NETWORKS } from "../../networks.ts";
import type { BenchData } from "../../systems/system.ts";
import { type Part, runPart } from "../part.ts";
import {
  counts,
  type DispatchTime,
  deviceTimes,
  dispatchTimes,
  submittedTimes,
  timesText,
  wallTime,
} from "../step-times.ts";

/** Batches of the data, those of an epoch of MNIST's 60,000 images in batches of 128. */
const BATCHES = 469;

const SECOND_CONVOLUTION = ["conv2d_1", "conv2d_1/conv2dInputGradient", "conv2d_1/conv2dFilterGradient"];

/** Ways to compile the same network. */
const VARIANTS: Readonly<Record<string, (data: BenchData) => StepOptions["compile"]>> = {
  shipped: () => ({}),
  direct: () => ({ choices: directChoices() }),
  winograd: ({ network }) => ({ choices: winogradChoices(network) }),
  tuned: () => ({ tune: tuner() }),
};

export interface StepFigures {
  readonly network: NetworkName;
  readonly variant: string;
  readonly dispatches: number;
  /** What was chosen for each node. */
  readonly choices: Choices;
  /** Milliseconds to the end of the first epoch: the upload of the data, tuning and compiling included. */
  readonly firstEpochMs: number;
  /** Milliseconds a step, medians, by the steps of a submit. */
  readonly wallMs: Record<number, number>;
  readonly deviceMs: Record<number, number>;
  /** Microseconds of each dispatch, in a pass of its own among those of its step. */
  readonly dispatchUs: readonly DispatchTime[];
}

export interface InferenceFigures {
  readonly network: NetworkName;
  readonly batch: number;
  readonly dispatches: number;
  /** Milliseconds a prediction, medians, of many submitted one after the other, data and results on the device. */
  readonly wallMs: Record<number, number>;
  readonly deviceMs: Record<number, number>;
}

await runPart("steps", async (part) => {
  const runtime = await createRuntime();
  const timer = createTimer(runtime.device);
  const training: StepFigures[] = [];
  const inference: InferenceFigures[] = [];
  const save = () => part.save({ adapter: runtime.adapter, method: timer.method, training, inference });
  for (const network of PLAIN_NETWORKS) {
    const data = await loaded(part, network);
    for (const variant of part.quick ? ["shipped"] : Object.keys(VARIANTS)) {
      training.push(await measureTraining(runtime, timer, data, { network, variant }, part));
      save();
    }
    for (const batch of [1, data.network.batch]) {
      const step = await createInference(runtime, data, { batch, batches: part.quick ? 4 : BATCHES });
      const wallMs = await submittedTimes(runtime, step, part);
      const deviceMs = await deviceTimes(step, timer, part);
      part.say(`${network}, inference of ${batch}: wall ${timesText(wallMs)} ms; device ${timesText(deviceMs)} ms`);
      inference.push({ network, batch, dispatches: step.plan.steps.length, wallMs, deviceMs });
      step.dispose();
      save();
    }
  }
});

async function loaded({ load, quick }: Part, name: NetworkName): Promise<BenchData> {
  const more = (samples: number) => load(quick ? samples : (samples / 16) * BATCHES);
  const { network, ...data } = await dataOf(more, name);
  return { network: quick ? { ...network, batch: 8 } : network, ...data };
}

async function measureTraining(
  runtime: Runtime,
  timer: Timer,
  data: BenchData,
  { network, variant }: Pick<StepFigures, "network" | "variant">,
  part: Part,
): Promise<StepFigures> {
  const compile = VARIANTS[variant]!(data);
  const wallMs: Record<number, number> = {};
  let figures: Omit<StepFigures, "network" | "variant" | "wallMs"> | undefined;
  for (const stepsPerExecution of counts(part)) {
    const begin = performance.now();
    const batches = part.quick ? 4 : BATCHES;
    // What was chosen first is repeated, so that a tuner measures once.
    const again = figures ? { ...compile, choices: figures.choices, tune: undefined } : compile;
    const options = { batches, stepsPerExecution, compile: again } as StepOptions;
    const step = await createStep(runtime, data, options);
    await step.epoch();
    const firstEpochMs = performance.now() - begin;
    wallMs[stepsPerExecution] = await wallTime(step, batches, part);
    figures ??= {
      dispatches: step.plan.steps.length,
      choices: step.plan.choices,
      firstEpochMs,
      deviceMs: await deviceTimes(step, timer, part),
      dispatchUs: await dispatchTimes(step, timer, part),
    };
    step.dispose();
  }
  const gflop = (ms: number) => (stepFlop(data.network) / 1e6 / ms).toFixed(0);
  const { deviceMs } = figures!;
  part.say(
    `${network}, ${variant}, ${figures!.dispatches} dispatches: wall ${timesText(wallMs)} ms; device ${timesText(deviceMs)} ms, ` +
      `${gflop(Math.min(...Object.values(deviceMs)))} GFLOP/s`,
  );
  for (const { kernel, node, us } of figures!.dispatchUs)
    part.say(`  ${us.toFixed(1).padStart(7)} us  ${kernel}  (${node})`);
  return { network, variant, ...figures!, wallMs };
}

/** Winograd's algorithm for the second convolution, forward and backward, at the points that suit its kernel. */
function winogradChoices({ layers }: NetworkSpec): Choices {
  const second = layers.filter(({ kind }) => kind === "conv2d")[1] as { kernelSize: number };
  const choice = { algorithm: second.kernelSize === 5 ? "winograd8" : "winograd6" };
  return Object.fromEntries(SECOND_CONVOLUTION.map((node) => [node, choice]));
}

/** The second convolution's own kernels. */
function directChoices(): Choices {
  return Object.fromEntries(SECOND_CONVOLUTION.map((node) => [node, { algorithm: "direct" }]));
}
