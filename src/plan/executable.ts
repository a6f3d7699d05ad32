import { FeaturemapError } from "../errors.ts";
import type { OwnedBuffer } from "../gpu/buffers.ts";
import type { Runtime } from "../gpu/runtime.ts";
import type { TensorId } from "../graph/graph.ts";
import { assertWithinLimits } from "./limits.ts";
import type { Plan } from "./plan.ts";

/** A plan on a device: pipelines compiled, scratch buffers made. */
export interface Executable {
  readonly plan: Plan;
  /** Wall time until all pipelines were ready, in ms. */
  readonly compileMs: number;
  /** Makes the bind groups for the caller's buffers, once for each set of them. */
  bind(buffers: ReadonlyMap<TensorId, GPUBuffer>): BoundPlan;
  dispose(): void;
}

/** A plan with all its buffers. */
export interface BoundPlan {
  readonly plan: Plan;
  /** Records the plan's dispatches: nothing is made, written or looked up. */
  encode(pass: GPUComputePassEncoder): void;
  /** The buffer that holds a tensor when the step is over. */
  bufferOf(tensor: TensorId): GPUBuffer;
}

/**
 * Compiles all pipelines of a plan in parallel and makes its scratch buffers.
 *
 * @throws FeaturemapError `limit` before any GPU work where the adapter cannot run the plan; `device` where a shader does
 *   not compile
 */
export async function prepare(runtime: Runtime, plan: Plan): Promise<Executable> {
  runtime.assertLive();
  assertWithinLimits(plan, runtime.device.limits);
  const started = performance.now();
  const pipelines = await Promise.all(plan.steps.map(({ shader }) => runtime.pipelines.get(shader)));
  const compileMs = performance.now() - started;
  const own = plan.buffers.map((buffer, index) => ({ ...buffer, index })).filter(({ bound }) => bound === undefined);
  const made = await runtime.buffers.create(own.map(({ label, bytes }) => ({ label, bytes })));
  const scratch = new Map<number, OwnedBuffer>(own.map(({ index }, i) => [index, made[i]!]));
  return {
    plan,
    compileMs,
    bind: (buffers) =>
      bindPlan(runtime, plan, pipelines, (index) => scratch.get(index)?.buffer ?? brought(plan, index, buffers)),
    dispose: () => {
      for (const owned of made) owned.release();
    },
  };
}

function brought(plan: Plan, index: number, buffers: ReadonlyMap<TensorId, GPUBuffer>): GPUBuffer {
  const { bound, label } = plan.buffers[index]!;
  const buffer = buffers.get(bound!);
  if (!buffer) throw new FeaturemapError("state", `${plan.name} has no buffer for "${label}".`);
  return buffer;
}

function bindPlan(
  runtime: Runtime,
  plan: Plan,
  pipelines: readonly GPUComputePipeline[],
  bufferAt: (index: number) => GPUBuffer,
): BoundPlan {
  const groups = plan.steps.map(({ node, shader, buffers }) =>
    runtime.device.createBindGroup({
      label: node,
      layout: runtime.pipelines.layout(shader),
      entries: buffers.map((index, binding) => ({ binding, resource: { buffer: bufferAt(index) } })),
    }),
  );
  return {
    plan,
    encode: (pass) => {
      for (let i = 0; i < groups.length; i++) {
        pass.setPipeline(pipelines[i]!);
        pass.setBindGroup(0, groups[i]!);
        pass.dispatchWorkgroups(...plan.steps[i]!.workgroups);
      }
    },
    bufferOf: (tensor) => {
      const index = plan.bufferOf.get(tensor);
      if (index === undefined) throw new FeaturemapError("state", `${plan.name} keeps no tensor ${tensor}.`);
      return bufferAt(index);
    },
  };
}
