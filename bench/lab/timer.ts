// How long a device works on something, one compute pass for each thing timed.

import type { KernelFigures } from "./figures.ts";

export type Encode = (pass: GPUComputePassEncoder) => void;

export interface Timer {
  /**
   * `timestamps`: the device's own clock, at the pass's begin and end. `wall clock`, where the device has no
   * `timestamp-query`: a submit for each pass, waited for, what an empty one takes subtracted.
   */
  readonly method: KernelFigures["method"];
  /** Milliseconds of each pass, run in their order. */
  time(passes: readonly Encode[]): Promise<number[]>;
  dispose(): void;
}

export function createTimer(device: GPUDevice): Timer {
  return device.features.has("timestamp-query") ? timestamps(device) : wallClock(device);
}

const MOST_PASSES = 1024;

function timestamps(device: GPUDevice): Timer {
  const bytes = MOST_PASSES * 2 * 8;
  const querySet = device.createQuerySet({ type: "timestamp", count: MOST_PASSES * 2 });
  // GPUBufferUsage as numbers, since not every host has it: QUERY_RESOLVE | COPY_SRC, and MAP_READ | COPY_DST.
  const resolved = device.createBuffer({ size: bytes, usage: 0x200 | 0x4 });
  const staging = device.createBuffer({ size: bytes, usage: 0x1 | 0x8 });
  return {
    method: "timestamps",
    async time(passes) {
      const encoder = device.createCommandEncoder();
      passes.forEach((encode, i) => {
        const timestampWrites = { querySet, beginningOfPassWriteIndex: 2 * i, endOfPassWriteIndex: 2 * i + 1 };
        const pass = encoder.beginComputePass({ timestampWrites });
        encode(pass);
        pass.end();
      });
      const size = passes.length * 16;
      encoder.resolveQuerySet(querySet, 0, passes.length * 2, resolved, 0);
      encoder.copyBufferToBuffer(resolved, 0, staging, 0, size);
      device.queue.submit([encoder.finish()]);
      await staging.mapAsync(1, 0, size);
      const nanoseconds = new BigUint64Array(staging.getMappedRange(0, size).slice(0));
      staging.unmap();
      return passes.map((_, i) => Number(nanoseconds[2 * i + 1]! - nanoseconds[2 * i]!) / 1e6);
    },
    dispose() {
      querySet.destroy();
      resolved.destroy();
      staging.destroy();
    },
  };
}

/** Keeps a device busy for so many milliseconds: a GPU's clock is low until it has worked for a while. */
export async function warmUp(device: GPUDevice, encode: Encode, ms: number): Promise<void> {
  const until = performance.now() + ms;
  while (performance.now() < until) {
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    for (let i = 0; i < 16; i++) encode(pass);
    pass.end();
    device.queue.submit([encoder.finish()]);
    await device.queue.onSubmittedWorkDone();
  }
}

function wallClock(device: GPUDevice): Timer {
  const timeOne = async (encode: Encode) => {
    const start = performance.now();
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    encode(pass);
    pass.end();
    device.queue.submit([encoder.finish()]);
    await device.queue.onSubmittedWorkDone();
    return performance.now() - start;
  };
  return {
    method: "wall clock",
    async time(passes) {
      const empty = Math.min(await timeOne(() => {}), await timeOne(() => {}), await timeOne(() => {}));
      const times: number[] = [];
      for (const encode of passes) times.push(Math.max(0, (await timeOne(encode)) - empty));
      return times;
    },
    dispose() {},
  };
}
