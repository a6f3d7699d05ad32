// Our training step of ResNet-18 on images of 32 x 32, at the batch sizes of torch_step.py.

import { createRuntime } from "../../../src/gpu/runtime.ts";
import { stepFlop } from "../../arithmetic.ts";
import { fitted } from "../../data.ts";
import { createStep } from "../../lab/step.ts";
import { createTimer } from "../../lab/timer.ts";
import { NETWORKS } from "../../networks.ts";
import { runPart } from "../part.ts";
import { counts, type DispatchTime, deviceTimes, dispatchTimes, timesText, wallTime } from "../step-times.ts";

export interface ResnetFigures {
  readonly batch: number;
  readonly dispatches: number;
  /** Useful floating-point operations of a step. */
  readonly flop: number;
  /** Milliseconds to the end of the first epoch: the upload of the data and compiling included. */
  readonly firstEpochMs: number;
  /** Milliseconds a step, medians, by the steps of a submit. */
  readonly wallMs: Record<number, number>;
  readonly deviceMs: Record<number, number>;
  readonly dispatchUs: readonly DispatchTime[];
}

/** Steps of an epoch. */
const BATCHES = 64;

await runPart("resnet18", async (part) => {
  const runtime = await createRuntime();
  const timer = createTimer(runtime.device);
  const rows: ResnetFigures[] = [];
  for (const batch of part.quick ? [2] : [16, 32, 64]) {
    const network = { ...NETWORKS.resnet18, batch };
    const batches = part.quick ? 4 : BATCHES;
    const { images, labels } = await part.load(batches * batch);
    // `compile` draws the weights: what a step takes does not depend on them.
    const data = { network, images: fitted(images, network), labels, weights: [] };
    const wallMs: Record<number, number> = {};
    let figures: Omit<ResnetFigures, "batch" | "flop" | "wallMs"> | undefined;
    for (const stepsPerExecution of counts(part)) {
      const begin = performance.now();
      const step = await createStep(runtime, data, { batches, stepsPerExecution });
      await step.epoch();
      const firstEpochMs = performance.now() - begin;
      wallMs[stepsPerExecution] = await wallTime(step, batches, part);
      figures ??= {
        dispatches: step.plan.steps.length,
        firstEpochMs,
        deviceMs: await deviceTimes(step, timer, part),
        dispatchUs: await dispatchTimes(step, timer, part),
      };
      step.dispose();
    }
    const flop = stepFlop(network);
    const { dispatches, deviceMs } = figures!;
    const gflops = flop / 1e6 / Math.min(...Object.values(deviceMs));
    part.say(
      `batch ${batch}, ${dispatches} dispatches: wall ${timesText(wallMs)} ms; device ${timesText(deviceMs)} ms, ` +
        `${gflops.toFixed(0)} GFLOP/s`,
    );
    rows.push({ batch, flop, ...figures!, wallMs });
    part.save({ adapter: runtime.adapter, method: timer.method, rows });
  }
});
