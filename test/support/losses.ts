/** Calls at which a device may be lost. */
const DEVICE = [
  "createBuffer",
  "createBindGroup",
  "createBindGroupLayout",
  "createShaderModule",
  "createComputePipelineAsync",
  "createCommandEncoder",
  "popErrorScope",
];
const QUEUE = ["writeBuffer", "submit", "onSubmittedWorkDone"];

/** When a device is to be lost: at the so-manieth call of a part, counted from 1, before or after it is made. */
export interface Point {
  readonly part: string;
  readonly call: number;
  readonly after: boolean;
}

/** Destroys devices at chosen points of what runs on them: by the number of a WebGPU call in a part of the run. */
export class Losses {
  /** The part of the run that calls are counted in. */
  #part = "";
  #calls = 0;
  #points: readonly Point[] = [];
  #device: GPUDevice | undefined;
  readonly #undo: (() => void)[] = [];
  /** The longest that each part was. */
  readonly seen = new Map<string, number>();

  constructor() {
    this.#wrap(GPUDevice.prototype, DEVICE);
    this.#wrap(GPUQueue.prototype, QUEUE);
    this.#wrap(GPUBuffer.prototype, ["mapAsync"]);
  }

  /** Points of one run, in the order in which they come. */
  plan(points: readonly Point[]): void {
    this.#points = points;
    this.#part = "";
  }

  /** Points that were not come to. */
  get left(): number {
    return this.#points.length;
  }

  /** What is to be lost next. */
  watch(device: GPUDevice): void {
    this.#device = device;
  }

  begin(part: string): void {
    this.#part = part;
    this.#calls = 0;
  }

  /** Calls that `run` makes are of another part, and those after it of the part before. */
  async within<T>(part: string, run: () => Promise<T>): Promise<T> {
    const [before, calls] = [this.#part, this.#calls];
    this.begin(part);
    try {
      return await run();
    } finally {
      this.#part = before;
      this.#calls = calls;
    }
  }

  stop(): void {
    for (const undo of this.#undo) undo();
  }

  #come(after: boolean): void {
    const [point] = this.#points;
    if (point?.part !== this.#part || point.call !== this.#calls || point.after !== after) return;
    this.#points = this.#points.slice(1);
    this.#device!.destroy();
  }

  #wrap(prototype: object, names: readonly string[]): void {
    const methods = prototype as Record<string, (...args: unknown[]) => unknown>;
    const losses = this;
    for (const name of names) {
      const original = methods[name]!;
      methods[name] = function (...args) {
        losses.#calls++;
        losses.seen.set(losses.#part, Math.max(losses.seen.get(losses.#part) ?? 0, losses.#calls));
        losses.#come(false);
        const result = original.apply(this, args);
        losses.#come(true);
        return result;
      };
      this.#undo.push(() => {
        methods[name] = original;
      });
    }
  }
}
