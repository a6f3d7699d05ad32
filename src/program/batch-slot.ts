import { sameShape } from "../base/shape.ts";
import { type ColumnKind, HostData } from "../data/columns.ts";
import { type Dataset, upload } from "../data/dataset.ts";
import type { OwnedBuffer } from "../gpu/buffers.ts";
import { inErrorScope } from "../gpu/error-scope.ts";
import { type PendingRead, ReadbackRing } from "../gpu/readback.ts";
import type { Runtime } from "../gpu/runtime.ts";
import { stepState, sweepStart, sweepStartOffset } from "../graph/step-state.ts";
import type { BoundPlan, Executable } from "../plan/executable.ts";
import type { PlanKind } from "./plans.ts";

/** Slot on the GPU for one batch from the host. It is made once, and written anew by each call whose samples fit in. */
export class BatchSlot {
  readonly dataset: Dataset;
  /** Order of the samples: as they lie. */
  readonly order: GPUBuffer;
  /** `sweepStart` of the batch that was written last. */
  readonly start: GPUBuffer;
  /** Buffer of the batch's predictions for each output, in a slot for predictions. */
  readonly predictions: readonly GPUBuffer[];
  readonly bytes: number;
  /** Outcome of the last write. */
  written: Promise<void> = Promise.resolve();
  readonly #owned: readonly OwnedBuffer[];
  readonly #reader: ReadbackRing | undefined;
  #samples = 0;
  #bound: { readonly to: Executable; readonly run: BoundPlan } | undefined;

  private constructor(dataset: Dataset, owned: readonly OwnedBuffer[]) {
    const [order, start, ...rest] = owned;
    const staging = rest.pop();
    this.dataset = dataset;
    this.order = order!.buffer;
    this.start = start!.buffer;
    this.predictions = rest.map(({ buffer }) => buffer);
    this.bytes = owned.reduce((sum, { bytes }) => sum + bytes, dataset.bytes);
    this.#reader = staging && new ReadbackRing(dataset.runtime, staging.bytes, [staging]);
    // The reader frees its own.
    this.#owned = [order!, start!, ...rest];
  }

  /** Makes a slot that holds the batch. With `rowBytes`, the bytes of one sample of each output, it is a slot for predictions. */
  static async create(runtime: Runtime, data: HostData, rowBytes: readonly number[] = []): Promise<BatchSlot> {
    const dataset = await upload(runtime, data);
    const bytes = rowBytes.map((each) => data.size * each);
    const total = bytes.reduce((sum, each) => sum + each, 0);
    const requests = [
      { label: "batch order", bytes: data.size * 4 },
      { label: "batch start", bytes: stepState().bytes - sweepStartOffset() },
      ...bytes.map((each) => ({ label: "batch predictions", bytes: each })),
      ...(total > 0 ? ReadbackRing.requests(total, 1) : []),
    ];
    const indices = Uint32Array.from({ length: data.size }, (_, i) => i);
    const fill = ([order]: readonly GPUBuffer[]) => runtime.device.queue.writeBuffer(order!, 0, indices);
    const owned = await runtime.buffers.create(requests, fill).catch((error: unknown) => {
      dataset.dispose();
      throw error;
    });
    const slot = new BatchSlot(dataset, owned);
    slot.written = inErrorScope(runtime, "batch", () => slot.#begin(data.size));
    return slot;
  }

  /** Tells whether a batch can be written here: its columns are of the same kinds, and it has no more samples. */
  takes({ size, columns }: HostData): boolean {
    const { dataset } = this;
    if (size > dataset.size || columns.length !== dataset.columns.length) return false;
    return columns.every((column, i) => sameKind(column, dataset.columns[i]!));
  }

  /** Replaces the batch, by a write for each column, and one more if the number of samples differs. */
  write({ size, columns }: HostData): void {
    const { runtime, columns: written } = this.dataset;
    const { queue } = runtime.device;
    this.written = inErrorScope(runtime, "batch", () => {
      columns.forEach(({ words }, i) => {
        queue.writeBuffer(written[i]!.buffer, 0, words!);
      });
      if (size !== this.#samples) this.#begin(size);
    });
  }

  /** Gives the plan bound to the slot. It calls `bind` if another plan was bound before. */
  boundTo(executable: Executable, bind: () => BoundPlan): BoundPlan {
    if (this.#bound?.to !== executable) this.#bound = { to: executable, run: bind() };
    return this.#bound.run;
  }

  /** Runs a plan that is bound to the slot, and reads its predictions, in one submit. */
  async predict(run: BoundPlan, state: GPUBuffer): Promise<ArrayBuffer> {
    const { runtime } = this.dataset;
    let pending: PendingRead;
    const submitted = inErrorScope(runtime, "predict", () => {
      const encoder = runtime.device.createCommandEncoder({ label: run.plan.name });
      encoder.copyBufferToBuffer(this.start, 0, state, sweepStartOffset(), this.start.size);
      const pass = encoder.beginComputePass({ label: run.plan.name });
      run.encode(pass);
      pass.end();
      pending = this.#reader!.record(encoder, this.predictions)!;
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

/** Copies a batch, since the caller may change or transfer the numbers before they are written. */
export function copyOf({ size, columns }: HostData): HostData {
  const copied = columns.map((column) => {
    const { buffer, byteOffset, byteLength } = column.words!;
    return { ...column, words: new Uint8Array(buffer.slice(byteOffset, byteOffset + byteLength)) };
  });
  return new HostData({ size, columns: copied });
}

function sameKind(a: ColumnKind, b: ColumnKind): boolean {
  const alike = a.role === b.role && a.name === b.name && a.dtype === b.dtype && a.scale === b.scale;
  return alike && sameShape(a.shape, b.shape);
}

/** Slots of a model, one for each kind of work. */
export class BatchSlots {
  readonly #runtime: Runtime;
  readonly #assertLive: () => void;
  readonly #slots = new Map<PlanKind, BatchSlot>();
  #disposed = false;

  /** @param assertLive Throws if the model is gone. */
  constructor(runtime: Runtime, assertLive: () => void) {
    this.#runtime = runtime;
    this.#assertLive = assertLive;
  }

  /** Writes the batch to the existing slot if it fits, else to a new one, and gives the slot. */
  async take(kind: PlanKind, data: HostData, rowBytes?: readonly number[]): Promise<BatchSlot> {
    this.#assertLive();
    const known = this.#slots.get(kind);
    if (known?.takes(data)) {
      known.write(data);
      return known;
    }
    known?.dispose();
    this.#slots.delete(kind);
    const slot = await BatchSlot.create(this.#runtime, data, rowBytes);
    if (this.#disposed) slot.dispose();
    this.#assertLive();
    this.#slots.set(kind, slot);
    return slot;
  }

  dispose(): void {
    this.#disposed = true;
    for (const slot of this.#slots.values()) slot.dispose();
  }
}
