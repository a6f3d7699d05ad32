import { FeaturemapError } from "../base/errors.ts";
import type { Runtime } from "../gpu/runtime.ts";
import { StallTimer } from "../gpu/stall-timer.ts";
import type { TensorId } from "../graph/tensor.ts";
import { assertFeatures, assertWithinLimits } from "./limits.ts";
import type { Plan, PlanBuffer } from "./plan.ts";
import { ScratchPool } from "./scratch.ts";

/** Progress of a plan's pipelines. */
export interface CompileProgress {
  /** Name of the plan, such as `training step`, `evaluation step` or `prediction step`. */
  readonly plan: string;
  readonly compiled: number;
  /** Different pipelines of the plan. Those that an earlier plan has compiled are ready at once. */
  readonly total: number;
  /** Kernel that was compiled last; none before the first. */
  readonly kernel?: string;
  /** Whether `compile({ tune })` is measuring. Then the numbers count choices, of which `kernel` names one; `total` grows once. */
  readonly tuning?: boolean;
  /**
   * Seconds in which no pipeline became ready, and the kernels and nodes that are still compiling. It comes each 5 s. Without an
   * `onProgress`, the console warns once of each. After 120 s the call fails.
   */
  readonly waiting?: { readonly seconds: number; readonly kernels: readonly string[] };
}

/** Wait for a pipeline after which the user is told, in ms. */
const WAIT_MS = 5000;

export interface PrepareOptions {
  /** Pool of scratch buffers, shared with other plans. Default: the plan has its own. */
  readonly scratch?: ScratchPool;
  /** Called as each pipeline is ready, and once before. `prepare` throws what it throws. It is not called after a failure. */
  readonly onProgress?: ((progress: CompileProgress) => void | Promise<void>) | undefined;
}

/** Plan on a device: its pipelines are compiled, its scratch buffers made. */
export interface Executable {
  readonly plan: Plan;
  /** Wall time until all pipelines were ready, in ms. */
  readonly compileMs: number;
  /** Binds a set of the caller's buffers, or of parts of them. Do so once for each set: it makes bind groups. */
  bind(buffers: ReadonlyMap<TensorId, GPUBuffer | GPUBufferBinding>): BoundPlan;
  dispose(): void;
}

/** Plan with all of its buffers. */
export interface BoundPlan {
  readonly plan: Plan;
  /** Records the plan's dispatches: nothing is made, written or looked up. */
  encode(pass: GPUComputePassEncoder): void;
  /** Records one dispatch, by its place in `plan.steps`. */
  encodeStep(pass: GPUComputePassEncoder, step: number): void;
  /** Gives the buffer that holds a tensor, or whose bound part does, when the step is over. */
  bufferOf(tensor: TensorId): GPUBuffer;
}

/**
 * Compiles all pipelines of a plan in parallel and makes its scratch buffers.
 *
 * @throws FeaturemapError `limit` before any GPU work where the adapter cannot run the plan; `device` where a shader does
 *   not compile
 */
export async function prepare(runtime: Runtime, plan: Plan, options: PrepareOptions = {}): Promise<Executable> {
  runtime.assertLive();
  assertWithinLimits(plan, runtime.device.limits, runtime.ownsDevice);
  assertFeatures(plan, runtime.device.features, runtime.ownsDevice);
  const started = performance.now();
  const pipelines = await compileAll(runtime, plan, options.onProgress);
  const compileMs = performance.now() - started;
  const own = plan.buffers.filter(({ bound }) => bound === undefined);
  const lease = await (options.scratch ?? new ScratchPool(runtime)).take(own);
  const scratch = new Map(own.map((buffer, i) => [buffer, lease.buffers[i]!]));
  return {
    plan,
    compileMs,
    bind: (buffers) =>
      bindPlan(runtime, plan, pipelines, (index) => {
        const buffer = plan.buffers[index]!;
        const own = scratch.get(buffer);
        return own ? { buffer: own } : callersRange(plan, buffer, buffers);
      }),
    dispose: () => lease.release(),
  };
}

/** Compiles the pipelines of a plan's steps. */
async function compileAll(
  runtime: Runtime,
  plan: Plan,
  onProgress: PrepareOptions["onProgress"],
): Promise<GPUComputePipeline[]> {
  const different = new Map(plan.steps.map((step) => [step.shader.code, step]));
  const total = different.size;
  let compiled = 0;
  // Calls follow each other. After one that throws, or a pipeline that fails, there are no more.
  let ended = false;
  let telling: Promise<void> = Promise.resolve();
  const tell = (more: Pick<CompileProgress, "kernel" | "waiting">) => {
    const progress = { plan: plan.name, compiled, total, ...more };
    if (onProgress) telling = telling.then(() => (ended ? undefined : onProgress(progress)));
    return telling;
  };
  const open = new Set(different.values());
  const warned = new Set<string>();
  let fail: (error: unknown) => void;
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  const stallTimer = new StallTimer(WAIT_MS, (ms) => {
    const seconds = ms / 1000;
    const kernels = [...open].map(({ kernel, node }) => `${kernel} of "${node}"`);
    tell({ waiting: { seconds, kernels } }).catch(fail);
    const fresh = kernels.filter((kernel) => !warned.has(kernel));
    for (const kernel of fresh) warned.add(kernel);
    if (!onProgress && fresh.length > 0)
      console.warn(`featuremap: ${plan.name}: the GPU's compiler is at it for ${seconds} s: ${fresh.join(", ")}`);
  });
  stallTimer.restart();
  const begun = tell({});
  const compiling = [...open].map(async (step) => {
    await runtime.pipelines.get(step.shader, step.node);
    open.delete(step);
    if (open.size > 0) stallTimer.restart();
    else stallTimer.stop();
    compiled++;
    await tell({ kernel: step.kernel });
  });
  try {
    await Promise.race([Promise.all([begun, ...compiling]), failed]);
  } finally {
    ended = true;
    open.clear(); // A pipeline that is ready later restarts nothing.
    stallTimer.stop();
  }
  return Promise.all(plan.steps.map(({ shader }) => runtime.pipelines.get(shader)));
}

function callersRange(
  plan: Plan,
  { bound, label }: PlanBuffer,
  buffers: ReadonlyMap<TensorId, GPUBuffer | GPUBufferBinding>,
): GPUBufferBinding {
  const given = buffers.get(bound!);
  if (!given) throw new FeaturemapError("state", `${plan.name} has no buffer for "${label}".`);
  return "buffer" in given ? given : { buffer: given };
}

function bindPlan(
  runtime: Runtime,
  plan: Plan,
  pipelines: readonly GPUComputePipeline[],
  rangeAt: (index: number) => GPUBufferBinding,
): BoundPlan {
  const groups = plan.steps.map(({ node, shader, buffers }) =>
    runtime.device.createBindGroup({
      label: node,
      layout: runtime.pipelines.layout(shader),
      entries: buffers.map((index, binding) => ({ binding, resource: rangeAt(index) })),
    }),
  );
  const encodeStep = (pass: GPUComputePassEncoder, i: number) => {
    pass.setPipeline(pipelines[i]!);
    pass.setBindGroup(0, groups[i]!);
    pass.dispatchWorkgroups(...plan.steps[i]!.workgroups);
  };
  return {
    plan,
    encode: (pass) => {
      for (let i = 0; i < groups.length; i++) encodeStep(pass, i);
    },
    encodeStep,
    bufferOf: (tensor) => {
      const index = plan.bufferOf.get(tensor);
      if (index === undefined) throw new FeaturemapError("state", `${plan.name} keeps no tensor ${tensor}.`);
      return rangeAt(index).buffer;
    },
  };
}
