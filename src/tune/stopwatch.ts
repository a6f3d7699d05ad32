import { type OwnedBuffer, STAGING } from "../gpu/buffers.ts";
import { inErrorScope } from "../gpu/error-scope.ts";
import type { Runtime } from "../gpu/runtime.ts";

export type Encode = (pass: GPUComputePassEncoder) => void;

export interface Stopwatch {
  /**
   * Least length of a timing, in ms. Browsers round a device's clock to 0.1 ms (https://gpuweb.github.io/gpuweb/#timestamp). By
   * the wall clock, the wait for a submit counts, too. 6 and 20 ms were set by hand on 2026-11-24, not measured.
   */
  readonly timingMs: number;
  /** Milliseconds that the device takes for a pass. */
  time(encode: Encode): Promise<number>;
  dispose(): void;
}

/** Makes a stopwatch: by the device's own clock where it has one (`timestamp-query`), else by the wall clock. */
export function createStopwatch(runtime: Runtime): Stopwatch {
  return runtime.device.features.has("timestamp-query") ? timestamps(runtime) : wallClock(runtime);
}

const BYTES = 16;

function timestamps(runtime: Runtime): Stopwatch {
  const { device, completions } = runtime;
  const querySet = device.createQuerySet({ type: "timestamp", count: 2 });
  // GPUBufferUsage as numbers, since not every host has it: QUERY_RESOLVE | COPY_SRC.
  const requests = [
    { label: "tuning: timestamps", bytes: BYTES, usage: 0x200 | 0x4 },
    { label: "tuning: timestamps read", bytes: BYTES, usage: STAGING },
  ];
  let owned: readonly OwnedBuffer[] = [];
  return {
    timingMs: 6,
    async time(encode) {
      if (owned.length === 0) owned = await runtime.buffers.create(requests);
      const [resolved, staging] = owned.map(({ buffer }) => buffer);
      const submitted = inErrorScope(runtime, "tuning", () => {
        const encoder = device.createCommandEncoder({ label: "tuning" });
        const timestampWrites = { querySet, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 };
        const pass = encoder.beginComputePass({ label: "tuning", timestampWrites });
        encode(pass);
        pass.end();
        encoder.resolveQuerySet(querySet, 0, 2, resolved!, 0);
        encoder.copyBufferToBuffer(resolved!, 0, staging!, 0, BYTES);
        device.queue.submit([encoder.finish()]);
      });
      await Promise.all([submitted, completions.mapped(staging!)]);
      const [begin, end] = new BigUint64Array(staging!.getMappedRange().slice(0));
      staging!.unmap();
      return Number(end! - begin!) / 1e6;
    },
    dispose() {
      querySet.destroy();
      for (const { release } of owned) release();
    },
  };
}

function wallClock(runtime: Runtime): Stopwatch {
  const { device, completions } = runtime;
  return {
    timingMs: 20,
    async time(encode) {
      const encoder = device.createCommandEncoder({ label: "tuning" });
      const pass = encoder.beginComputePass({ label: "tuning" });
      encode(pass);
      pass.end();
      const commands = encoder.finish();
      const begin = performance.now();
      const submitted = inErrorScope(runtime, "tuning", () => device.queue.submit([commands]));
      await completions.submitted();
      const ms = performance.now() - begin;
      await submitted;
      return ms;
    },
    dispose() {},
  };
}
