/** Calls of the WebGPU API, counted by wrapping a device. */
export type Calls =
  | "createBuffer"
  | "createBindGroup"
  | "createShaderModule"
  | "createComputePipelineAsync"
  | "writeBuffer"
  | "submit"
  | "beginComputePass"
  | "dispatchWorkgroups"
  | "copyBufferToBuffer"
  | "mapAsync";

export class Ledger {
  readonly #counts = new Map<Calls, number>();
  readonly #undo: (() => void)[] = [];

  /** Starts to count what is called on a device, and on whatever it makes. */
  constructor(device: GPUDevice) {
    this.#wrap(device, ["createBuffer", "createBindGroup", "createShaderModule", "createComputePipelineAsync"]);
    this.#wrap(device.queue, ["writeBuffer", "submit"]);
    this.#wrap(GPUBuffer.prototype, ["mapAsync"]);
    this.#wrap(GPUCommandEncoder.prototype, ["beginComputePass", "copyBufferToBuffer"]);
    this.#wrap(GPUComputePassEncoder.prototype, ["dispatchWorkgroups"]);
  }

  /** The counts since the last call. */
  take(): Record<Calls, number> {
    const taken = Object.fromEntries(this.#counts) as Record<Calls, number>;
    for (const name of this.#counts.keys()) this.#counts.set(name, 0);
    return taken;
  }

  stop(): void {
    for (const undo of this.#undo) undo();
  }

  #wrap(object: object, names: readonly Calls[]): void {
    for (const name of names) {
      const methods = object as Record<string, (...args: unknown[]) => unknown>;
      const original = methods[name]!;
      const own = Object.hasOwn(object, name);
      this.#counts.set(name, 0);
      const counts = this.#counts;
      methods[name] = function (...args) {
        counts.set(name, counts.get(name)! + 1);
        return original.apply(this, args);
      };
      this.#undo.push(() => {
        if (own) methods[name] = original;
        else delete methods[name];
      });
    }
  }
}
