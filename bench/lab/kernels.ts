// Every dispatch of the training step, beside plain products of matrices of equal work on the same adapter.

import type { Runtime } from "../../src/gpu/runtime.ts";
import { type LayerWork, workOf } from "../arithmetic.ts";
import { difference, installLedger } from "../ledger/ledger.ts";
import { resized } from "../networks.ts";
import type { BenchData } from "../systems/system.ts";
import type {
  CountFigures,
  DispatchFigures,
  EncodeFigures,
  KernelFigures,
  KernelsRequest,
  MatmulFigures,
  Product,
} from "./figures.ts";
import { type Family, families, type Matmul } from "./matmul.ts";
import { asGpu, createStep, type Step } from "./step.ts";
import { createTimer, type Encode, type Timer, warmUp } from "./timer.ts";

/** Batches that the step goes through; the state is put back to the first after them. */
const BATCHES_HELD = 4;
const SQUARE: Product = { m: 1024, n: 1024, k: 1024 };
/** Milliseconds of work before each round on a GPU, whose clock sinks while results are read. */
const WARM_UP_MS = 200;
/** Families that stay in the rounds, and are tried at the layers' work. */
const FINALISTS = 3;

export async function measureKernels(
  runtime: Runtime,
  data: BenchData,
  { rounds }: KernelsRequest,
  say: (line: string) => void,
): Promise<KernelFigures> {
  const timer = createTimer(runtime.device);
  say("compiling the step");
  const step = await createStep(runtime, data, { batches: BATCHES_HELD });
  await step.epoch();
  const warm = () => {
    step.rewind();
    return warmUp(runtime.device, step.encode, runtime.adapter.software ? 0 : WARM_UP_MS);
  };
  await warm();
  const { square, finalists } = await qualify(runtime, timer, say);
  const equal: Matches[] = [];
  for (const work of workOf(data.network)) equal.push(await matchesOf(runtime, work, finalists, timer, say));
  const dispatches = dispatchesOf(step);
  const stepMs: number[] = [];
  for (let round = 1; round <= rounds; round++) {
    say(`round ${round} of ${rounds}`);
    await warm();
    await timeStep(step, timer, dispatches, stepMs);
    for (const { figures, matmul } of [...finalists, ...equal.flatMap(({ entrants }) => entrants)]) {
      figures.ms.push((await timer.time([matmul.encode]))[0]!);
    }
  }
  for (const { matmul } of [...finalists, ...equal.flatMap(({ entrants }) => entrants)]) matmul.dispose();
  timer.dispose();
  const layerNames = step.layerNames;
  step.dispose();
  say("encoding, and counting calls");
  return {
    method: timer.method,
    layerNames,
    dispatches,
    stepMs,
    square,
    equal: equal.map(({ layer, entrants }) => ({ layer, matmuls: entrants.map(({ figures }) => figures) })),
    encode: await timeEncoding(asGpu(runtime), data),
    counts: await countCalls(runtime, data),
  };
}

function dispatchesOf({ plan }: Step): DispatchFigures[] {
  return plan.steps.map(({ node, kernel, workgroups, shader, buffers }) => {
    const used = (access: string) => buffers.filter((_, i) => shader.bindings[i]!.access === access);
    return { node, kernel, workgroups, reads: used("read"), writes: used("write"), ms: [] };
  });
}

/** One step in passes of a dispatch each, then one in a single pass. */
async function timeStep(step: Step, timer: Timer, dispatches: readonly DispatchFigures[], stepMs: number[]) {
  step.rewind();
  const apart = dispatches.map(
    (_, i): Encode =>
      (pass) =>
        step.encodeDispatch(pass, i),
  );
  (await timer.time(apart)).forEach((ms, i) => {
    dispatches[i]!.ms.push(ms);
  });
  stepMs.push(...(await timer.time([(pass) => step.encode(pass)])));
}

interface Entrant {
  readonly family: Family;
  readonly matmul: Matmul;
  readonly figures: MatmulFigures;
}

async function qualify(runtime: Runtime, timer: Timer, say: (line: string) => void) {
  const entrants: Entrant[] = [];
  for (const family of families(runtime)) {
    say(`1024 x 1024 x 1024 by ${family.label}`);
    entrants.push(await enter(runtime, family, SQUARE, timer));
  }
  const finalists = [...entrants].sort((a, b) => least(a) - least(b)).slice(0, FINALISTS);
  for (const entrant of entrants) if (!finalists.includes(entrant)) entrant.matmul.dispose();
  return { square: entrants.map(({ figures }) => figures), finalists };
}

function least({ figures }: Entrant): number {
  return Math.min(...figures.ms);
}

/** Builds a product, which runs it once to check it, and times it twice. */
async function enter(runtime: Runtime, family: Family, product: Product, timer: Timer): Promise<Entrant> {
  const matmul = await family.build(runtime, product);
  const ms = await timer.time([matmul.encode, matmul.encode]);
  return { family, matmul, figures: { label: family.label, ...product, ms } };
}

interface Matches {
  readonly layer: number;
  readonly entrants: readonly Entrant[];
}

/** A layer's product and the cube of as much work, each by the family that is fastest at it. */
async function matchesOf(
  runtime: Runtime,
  { layer, m, n, k }: LayerWork,
  finalists: readonly Entrant[],
  timer: Timer,
  say: (line: string) => void,
): Promise<Matches> {
  const entrants: Entrant[] = [];
  for (const product of [{ m, n, k }, cubeOf({ m, n, k })]) {
    say(`${product.m} x ${product.n} x ${product.k}, of layer ${layer + 1}'s work`);
    const tried: Entrant[] = [];
    for (const { family } of finalists) tried.push(await enter(runtime, family, product, timer));
    const best = tried.reduce((a, b) => (least(b) < least(a) ? b : a));
    for (const entrant of tried) if (entrant !== best) entrant.matmul.dispose();
    entrants.push(best);
  }
  return { layer, entrants };
}

/** A product of about as many multiply-adds whose three sizes are about equal: the friendliest to every kernel. */
export function cubeOf({ m, n, k }: Product): Product {
  const side = Math.max(16, Math.round(Math.cbrt(m * n * k) / 16) * 16);
  return { m: side, n: side, k: Math.max(16, Math.round((m * n * k) / side ** 2 / 16) * 16) };
}

/** As the sweep records them: so many steps in a pass, a pass in an encoder. */
const STEPS_A_PASS = 16;
const PASSES = 8;

async function timeEncoding(runtime: Runtime, data: BenchData): Promise<EncodeFigures> {
  const step = await createStep(runtime, data, { batches: 1 });
  const ms: number[] = [];
  // The first rounds are for the engine's compiler.
  for (let round = 0; round < 30; round++) {
    const start = performance.now();
    for (let i = 0; i < PASSES; i++) record(runtime.device, step);
    ms.push((performance.now() - start) / (PASSES * STEPS_A_PASS));
  }
  const dispatches = step.plan.steps.length;
  step.dispose();
  return { dispatches, ms: ms.slice(10) };
}

function record(device: GPUDevice, step: Step): void {
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  for (let i = 0; i < STEPS_A_PASS; i++) step.encode(pass);
  pass.end();
  encoder.finish();
}

const COUNTED = 32;

/** The difference of two epochs, so that what an epoch costs once is not in it. */
async function countCalls(runtime: Runtime, data: BenchData): Promise<CountFigures> {
  const single: BenchData = { ...data, network: resized(data.network, { batch: 1 }) };
  const ledger = installLedger();
  const callsOf = async (batches: number) => {
    const step = await createStep(runtime, single, { batches, stepsPerExecution: STEPS_A_PASS });
    const before = ledger.calls();
    await step.epoch();
    const calls = difference(ledger.calls(), before);
    step.dispose();
    return calls;
  };
  const short = await callsOf(COUNTED);
  return { steps: COUNTED, calls: difference(await callsOf(2 * COUNTED), short) };
}
