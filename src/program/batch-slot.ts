import { sameShape } from "../base/shape.ts";
import { type Dataset, type HostData, upload } from "../data/dataset.ts";
import type { OwnedBuffer } from "../gpu/buffers.ts";
import { checked } from "../gpu/checked.ts";
import { type PendingRead, ReadbackRing } from "../gpu/readback.ts";
import type { Runtime } from "../gpu/runtime.ts";
import { stepState, sweepStart, sweepStartAt } from "../graph/step-state.ts";
import type { BoundPlan, Executable } from "../plan/executable.ts";
import type { Place } from "./model-state.ts";

/** Room on the GPU for one batch from the host: made once, written anew by each call whose samples fit in. */
export class BatchSlot {
  readonly dataset: Dataset;
  /** The samples in the order in which they lie. */
  readonly order: GPUBuffer;
  /** `sweepStart` of the batch that was written last. */
  readonly start: GPUBuffer;
  /** Where the batch's predictions go, in a slot for predictions. */
  readonly predictions: GPUBuffer | undefined;
  readonly bytes: number;
  /** What became of the last write. */
  written: Promise<void> = Promise.resolve();
  readonly #owned: readonly OwnedBuffer[];
  readonly #reader: ReadbackRing | undefined;
  #samples = 0;
  #bound: { readonly to: Executable; readonly run: BoundPlan } | undefined;

  private constructor(dataset: Dataset, owned: readonly OwnedBuffer[]) {
    const [order, start, predictions, staging] = owned;
    this.dataset = dataset;
    this.order = order!.buffer;
    this.start = start!.buffer;
    this.predictions = predictions?.buffer;
    this.bytes = owned.reduce((sum, { bytes }) => sum + bytes, dataset.bytes);
    this.#reader = staging && new ReadbackRing(dataset.runtime, staging.bytes, [staging]);
    // The reader frees its own.
    this.#owned = owned.slice(0, 3);
  }

  /** A slot that holds the batch; with `rowBytes`, those of one sample's output, a slot for predictions. */
  static async create(runtime: Runtime, data: HostData, rowBytes?: number): Promise<BatchSlot> {
    const dataset = await upload(runtime, data);
    const bytes = data.size * (rowBytes ?? 0);
    const requests = [
      { label: "batch order", bytes: data.size * 4 },
      { label: "batch start", bytes: stepState().bytes - sweepStartAt() },
      ...(rowBytes ? [{ label: "batch predictions", bytes }, ...ReadbackRing.requests(bytes, 1)] : []),
    ];
    const indices = Uint32Array.from({ length: data.size }, (_, i) => i);
    const fill = ([order]: readonly GPUBuffer[]) => runtime.device.queue.writeBuffer(order!, 0, indices);
    const owned = await runtime.buffers.create(requests, fill).catch((error: unknown) => {
      dataset.dispose();
      throw error;
    });
    const slot = new BatchSlot(dataset, owned);
    slot.written = checked(runtime, "batch", () => slot.#begin(data.size));
    return slot;
  }

  /** Whether a batch can be written here: samples and labels of the same kind, and no more of them. */
  takes({ size, x, y }: HostData): boolean {
    const { dataset } = this;
    const alike = (a: Kind | undefined, b: Kind | undefined) =>
      a?.dtype === b?.dtype && sameShape(a?.shape ?? [], b?.shape ?? []);
    return size <= dataset.size && alike(x, dataset.x) && alike(y, dataset.y);
  }

  /** Puts a batch in place of the last: two writes, and one more where it has another number of samples. */
  write({ size, x, y }: HostData): void {
    const { runtime } = this.dataset;
    const { queue } = runtime.device;
    this.written = checked(runtime, "batch", () => {
      queue.writeBuffer(this.dataset.x.buffer, 0, x.words);
      if (y) queue.writeBuffer(this.dataset.y!.buffer, 0, y.words);
      if (size !== this.#samples) this.#begin(size);
    });
  }

  /** The plan bound to the slot: `bind` is called where another one was before. */
  boundTo(executable: Executable, bind: () => BoundPlan): BoundPlan {
    if (this.#bound?.to !== executable) this.#bound = { to: executable, run: bind() };
    return this.#bound.run;
  }

  /** Runs a plan that is bound to the slot once, and reads what it predicts: one submit. */
  async predict(run: BoundPlan, state: GPUBuffer): Promise<ArrayBuffer> {
    const { runtime } = this.dataset;
    let pending: PendingRead;
    const submitted = checked(runtime, "predict", () => {
      const encoder = runtime.device.createCommandEncoder({ label: run.plan.name });
      encoder.copyBufferToBuffer(this.start, 0, state, sweepStartAt(), this.start.size);
      const pass = encoder.beginComputePass({ label: run.plan.name });
      run.encode(pass);
      pass.end();
      pending = this.#reader!.record(encoder, this.predictions!)!;
      runtime.device.queue.submit([encoder.finish()]);
    });
    const [bytes] = await Promise.all([pending!.read(), submitted, this.written]);
    return bytes;
  }

  dispose(): void {
    this.dataset.dispose();
    this.#reader?.dispose();
    for (const owned of this.#owned) owned.release();
  }

  #begin(samples: number): void {
    this.#samples = samples;
    this.dataset.runtime.device.queue.writeBuffer(this.start, 0, sweepStart({ samples, batch: samples }));
  }
}

/** A batch in memory of its own, for the caller may change or take away the samples before they are written. */
export function copyOf(data: HostData): HostData {
  const { buffer, byteOffset, byteLength } = data.x.words;
  return { ...data, x: { ...data.x, words: new Uint8Array(buffer.slice(byteOffset, byteOffset + byteLength)) } };
}

/** The slots of a model, one for each place. */
export class BatchSlots {
  readonly #runtime: Runtime;
  readonly #assertLive: () => void;
  readonly #slots = new Map<Place, BatchSlot>();
  #disposed = false;

  /** `assertLive` throws where the model is gone. */
  constructor(runtime: Runtime, assertLive: () => void) {
    this.#runtime = runtime;
    this.#assertLive = assertLive;
  }

  /** A slot that holds the batch: the one that is there, if it takes it, or a new one. */
  async take(place: Place, data: HostData, rowBytes?: number): Promise<BatchSlot> {
    this.#assertLive();
    const known = this.#slots.get(place);
    if (known?.takes(data)) {
      known.write(data);
      return known;
    }
    known?.dispose();
    this.#slots.delete(place);
    const slot = await BatchSlot.create(this.#runtime, data, rowBytes);
    if (this.#disposed) slot.dispose();
    this.#assertLive();
    this.#slots.set(place, slot);
    return slot;
  }

  dispose(): void {
    this.#disposed = true;
    for (const slot of this.#slots.values()) slot.dispose();
  }
}

type Kind = Pick<Dataset["x"], "dtype" | "shape">;
