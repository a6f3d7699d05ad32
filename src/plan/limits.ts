import { FeaturemapError } from "../base/errors.ts";
import { limitRemedy } from "../gpu/limit.ts";
import { product, workgroupBytes } from "../wgsl/merge-kernels.ts";
import type { Plan } from "./plan.ts";

/** Limits that a plan can run into. A `GPUSupportedLimits` has them all. */
export type PlanLimits = Pick<
  GPUSupportedLimits,
  | "maxBufferSize"
  | "maxStorageBufferBindingSize"
  | "maxStorageBuffersPerShaderStage"
  | "maxComputeInvocationsPerWorkgroup"
  | "maxComputeWorkgroupStorageSize"
  | "maxComputeWorkgroupsPerDimension"
>;

/**
 * Checks that the device has the features of a plan's kernels.
 *
 * @throws FeaturemapError `limit` where it lacks one
 */
export function assertFeatures(plan: Plan, features: Pick<GPUSupportedFeatures, "has">, ownsDevice = false): void {
  for (const { kernel, node, shader } of plan.steps) {
    if (!/^enable subgroups;/m.test(shader.code) || features.has("subgroups")) continue;
    throw new FeaturemapError(
      "limit",
      `${plan.name}: kernel "${kernel}" of "${node}" needs the feature "subgroups", which this device does not have. ` +
        "Leave out the choices of another adapter whose tiles are quads" +
        (ownsDevice ? "." : ', or make the device by requestDevice({ requiredFeatures: ["subgroups"] }).'),
    );
  }
}

/** Bytes of the largest buffer that a shader can bind. There is no bound if the limits are not known. */
export function maxBufferBytes(limits: Partial<PlanLimits> = {}): number {
  return Math.min(limits.maxBufferSize ?? Infinity, limits.maxStorageBufferBindingSize ?? Infinity);
}

/**
 * Checks that the device can run a plan.
 *
 * @param ownsDevice Whether the library made the device, which then has all of its adapter's limits.
 * @throws FeaturemapError `limit`, with what is needed and what there is, where the device cannot run the plan
 */
export function assertWithinLimits(plan: Plan, limits: PlanLimits, ownsDevice = false): void {
  const check = (what: string, needed: number, name: keyof PlanLimits) => {
    if (needed <= limits[name]) return;
    throw new FeaturemapError(
      "limit",
      `${plan.name}: ${what} needs ${needed}, but this device's ${name} is ${limits[name]}. ` +
        limitRemedy([name], needed, ownsDevice),
    );
  };
  for (const { label, bytes } of plan.buffers) {
    check(`the buffer of "${label}" (bytes)`, bytes, "maxBufferSize");
    check(`the buffer of "${label}" (bytes)`, bytes, "maxStorageBufferBindingSize");
  }
  for (const { kernel, node, shader, workgroups } of plan.steps) {
    const what = `kernel "${kernel}" of "${node}"`;
    check(`${what} (storage buffers)`, shader.bindings.length, "maxStorageBuffersPerShaderStage");
    check(`${what} (invocations a workgroup)`, product(shader.workgroupSize), "maxComputeInvocationsPerWorkgroup");
    // Some types are not counted. If they are too much, the driver refuses them.
    const bytes = workgroupBytes(shader.code);
    if (Number.isFinite(bytes)) check(`${what} (bytes of workgroup memory)`, bytes, "maxComputeWorkgroupStorageSize");
    check(`${what} (workgroups)`, Math.max(...workgroups), "maxComputeWorkgroupsPerDimension");
  }
}
