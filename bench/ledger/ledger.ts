// Counts a page's WebGPU calls and the bytes of its buffers, by wrapping the prototypes before any library is loaded.

export const CALLS = [
  "createBuffer",
  "createBindGroup",
  "createShaderModule",
  "createComputePipeline",
  "createComputePipelineAsync",
  "createCommandEncoder",
  "writeBuffer",
  "submit",
  "onSubmittedWorkDone",
  "beginComputePass",
  "copyBufferToBuffer",
  "setPipeline",
  "setBindGroup",
  "dispatchWorkgroups",
  "mapAsync",
] as const;

export type Calls = Record<(typeof CALLS)[number], number>;

export interface Ledger {
  /** All calls since the page was opened. */
  calls(): Calls;
  /** Bytes of the buffers made and not destroyed, now and at most. */
  bytes(): { live: number; peak: number };
}

/** What was called between two counts. */
export function difference(later: Calls, earlier: Calls): Calls {
  return Object.fromEntries(CALLS.map((name) => [name, later[name] - earlier[name]])) as Calls;
}

type Methods = Record<string, (...args: unknown[]) => unknown>;

/** Installs the ledger. Where there is no WebGPU, it counts nothing. */
export function installLedger(): Ledger {
  const counts = Object.fromEntries(CALLS.map((name) => [name, 0])) as Calls;
  const sizes = new WeakMap<object, number>();
  let live = 0;
  let peak = 0;
  const made = (buffer: object, size: number) => {
    sizes.set(buffer, size);
    live += size;
    peak = Math.max(peak, live);
  };
  const destroyed = (buffer: object) => {
    live -= sizes.get(buffer) ?? 0;
    sizes.delete(buffer);
  };
  for (const prototype of prototypes()) {
    for (const name of CALLS) {
      if (Object.hasOwn(prototype, name)) after(prototype, name, () => counts[name]++);
    }
  }
  if (typeof GPUDevice !== "undefined") {
    after(GPUDevice.prototype, "createBuffer", (buffer, [descriptor]) =>
      made(buffer as object, (descriptor as GPUBufferDescriptor).size),
    );
    after(GPUBuffer.prototype, "destroy", (_, __, buffer) => destroyed(buffer));
  }
  return { calls: () => ({ ...counts }), bytes: () => ({ live, peak }) };
}

function prototypes(): object[] {
  if (typeof GPUDevice === "undefined") return [];
  return [GPUDevice, GPUQueue, GPUBuffer, GPUCommandEncoder, GPUComputePassEncoder].map(({ prototype }) => prototype);
}

function after(prototype: object, name: string, then: (result: unknown, args: unknown[], self: object) => void): void {
  const methods = prototype as Methods;
  const original = methods[name]!;
  methods[name] = function (this: object, ...args) {
    const result = original.apply(this, args);
    then(result, args, this);
    return result;
  };
}
