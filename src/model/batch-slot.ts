import { type Dataset, type HostData, upload } from "../data/dataset.ts";
import type { OwnedBuffer } from "../gpu/buffers.ts";
import type { Runtime } from "../gpu/runtime.ts";
import { STATE_WORDS, sweepStart } from "../graph/graph.ts";
import { sameShape } from "../shape.ts";

/** Room on the GPU for one batch from the host: made once, written anew by each call whose samples fit in. */
export class BatchSlot {
  readonly dataset: Dataset;
  /** The samples in the order in which they lie. */
  readonly order: GPUBuffer;
  /** `sweepStart` of the batch that was written last. */
  readonly start: GPUBuffer;
  readonly bytes: number;
  readonly #owned: readonly OwnedBuffer[];
  #samples = 0;

  private constructor(dataset: Dataset, order: OwnedBuffer, start: OwnedBuffer) {
    this.dataset = dataset;
    this.order = order.buffer;
    this.start = start.buffer;
    this.bytes = dataset.bytes + order.bytes + start.bytes;
    this.#owned = [order, start];
  }

  /** A slot that holds the batch. */
  static async create(runtime: Runtime, data: HostData): Promise<BatchSlot> {
    const dataset = await upload(runtime, data);
    const [order, start] = await runtime.buffers
      .create([
        { label: "batch order", bytes: data.size * 4 },
        { label: "batch start", bytes: (STATE_WORDS - 1) * 4 },
      ])
      .catch((error: unknown) => {
        dataset.dispose();
        throw error;
      });
    const indices = Uint32Array.from({ length: data.size }, (_, i) => i);
    runtime.device.queue.writeBuffer(order!.buffer, 0, indices);
    const slot = new BatchSlot(dataset, order!, start!);
    slot.#begin(data.size);
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
    const { queue } = this.dataset.runtime.device;
    queue.writeBuffer(this.dataset.x.buffer, 0, x.words);
    if (y) queue.writeBuffer(this.dataset.y!.buffer, 0, y.words);
    if (size !== this.#samples) this.#begin(size);
  }

  dispose(): void {
    this.dataset.dispose();
    for (const owned of this.#owned) owned.release();
  }

  #begin(samples: number): void {
    this.#samples = samples;
    this.dataset.runtime.device.queue.writeBuffer(this.start, 0, sweepStart({ samples, batch: samples }));
  }
}

type Kind = Pick<Dataset["x"], "dtype" | "shape">;
