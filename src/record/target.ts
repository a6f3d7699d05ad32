import { wrong } from "../base/errors.ts";

/** Compute pass of an app, or its command encoder outside of a pass; of the device of `model.runtime`. */
export type RecordTarget = GPUComputePassEncoder | GPUCommandEncoder;

/** Checks a target. @throws FeaturemapError `value` for what is neither a compute pass nor a command encoder */
export function assertTarget(target: unknown, where: string): asserts target is RecordTarget {
  const fits = has(target, "dispatchWorkgroups") || has(target, "beginComputePass");
  if (!fits) throw wrong(`${where}: target`, "be a GPUComputePassEncoder or a GPUCommandEncoder", target);
}

/** Records into a compute pass. In a command encoder it opens one. */
export function recordInto(target: RecordTarget, label: string, record: (pass: GPUComputePassEncoder) => void): void {
  if (has(target, "dispatchWorkgroups")) {
    record(target as GPUComputePassEncoder);
    return;
  }
  const pass = (target as GPUCommandEncoder).beginComputePass({ label });
  record(pass);
  pass.end();
}

function has(target: unknown, method: string): boolean {
  return typeof (target as Readonly<Record<string, unknown>> | null | undefined)?.[method] === "function";
}
