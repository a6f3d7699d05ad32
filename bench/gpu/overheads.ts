// What scheduling costs on a device before any arithmetic: dispatches, passes, submits.

import type { Runtime } from "../../src/gpu/runtime.ts";
import { createTimer, type Encode, warmUp } from "../lab/timer.ts";
import { median } from "../statistics.ts";

export interface Overheads {
  /** Microseconds of a dispatch that waits for the one before it, in one pass. */
  readonly dependentDispatchUs: number;
  /** Microseconds of a dispatch that waits for none. */
  readonly independentDispatchUs: number;
  /** Milliseconds from a submit of one dispatch until it is known to be done. */
  readonly submitMs: number;
}

const CODE = `
@group(0) @binding(0) var<storage, read_write> x: array<f32>;

@compute @workgroup_size(64)
fn add_one(@builtin(global_invocation_id) id: vec3u) {
  x[id.x] += 1.0f;
}`;

const DISPATCHES = 200;
const ROUNDS = 9;

export async function measureOverheads({ device }: Runtime): Promise<Overheads> {
  const timer = createTimer(device);
  const module = device.createShaderModule({ code: CODE });
  const pipeline = await device.createComputePipelineAsync({ layout: "auto", compute: { module } });
  const groups = Array.from({ length: DISPATCHES }, () => {
    // GPUBufferUsage.STORAGE, as a number, since not every host has it.
    const buffer = device.createBuffer({ size: 64 * 64 * 4, usage: 0x80 });
    return device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: [{ binding: 0, resource: { buffer } }],
    });
  });
  /** So many dispatches, on one buffer or each on its own. */
  const dispatches =
    (count: number, own: boolean): Encode =>
    (pass) => {
      pass.setPipeline(pipeline);
      for (let i = 0; i < count; i++) {
        pass.setBindGroup(0, groups[own ? i : 0]);
        pass.dispatchWorkgroups(64);
      }
    };
  await warmUp(device, dispatches(DISPATCHES, false), 200);
  const dependent: number[] = [];
  const independent: number[] = [];
  const submits: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const [one, many, apart] = await timer.time([
      dispatches(1, false),
      dispatches(DISPATCHES, false),
      dispatches(DISPATCHES, true),
    ]);
    dependent.push(((many! - one!) / (DISPATCHES - 1)) * 1000);
    independent.push(((apart! - one!) / (DISPATCHES - 1)) * 1000);
    const begin = performance.now();
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    dispatches(1, false)(pass);
    pass.end();
    device.queue.submit([encoder.finish()]);
    await device.queue.onSubmittedWorkDone();
    submits.push(performance.now() - begin);
  }
  timer.dispose();
  const [dependentDispatchUs, independentDispatchUs, submitMs] = [dependent, independent, submits].map(median);
  return {
    dependentDispatchUs: dependentDispatchUs!,
    independentDispatchUs: independentDispatchUs!,
    submitMs: submitMs!,
  };
}
