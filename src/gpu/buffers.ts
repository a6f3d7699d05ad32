import { FeaturemapError } from "../errors.ts";

/** A buffer that somebody owns and must release; sizes are counted until then. */
export interface OwnedBuffer {
  readonly buffer: GPUBuffer;
  readonly bytes: number;
  release(): void;
}

/** Live GPU buffers of a runtime, in bytes. */
export interface MemoryUse {
  readonly buffers: number;
  readonly bytes: number;
  readonly peakBytes: number;
}

export interface BufferRequest {
  readonly label: string;
  readonly bytes: number;
  readonly usage?: GPUBufferUsageFlags;
}

/** GPUBufferUsage.STORAGE | COPY_SRC | COPY_DST, as numbers: hosts without a global GPUBufferUsage exist. */
export const STORAGE = 0x80 | 0x4 | 0x8;
/** GPUBufferUsage.MAP_READ | COPY_DST */
export const STAGING = 0x1 | 0x8;

/** Makes buffers and keeps count of them. */
export class BufferPool {
  readonly #device: GPUDevice;
  #buffers = 0;
  #bytes = 0;
  #peakBytes = 0;

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  get use(): MemoryUse {
    return { buffers: this.#buffers, bytes: this.#bytes, peakBytes: this.#peakBytes };
  }

  /**
   * Makes all of the buffers or, where one cannot be had, none.
   *
   * @throws FeaturemapError `limit` where a buffer is larger than the device allows or memory runs out
   */
  async create(requests: readonly BufferRequest[]): Promise<OwnedBuffer[]> {
    for (const request of requests) this.#checkSize(request);
    this.#device.pushErrorScope("validation");
    this.#device.pushErrorScope("out-of-memory");
    const made = requests.map((request) => this.#make(request));
    // Both at once: what is pushed during an `await`, by the app or another call, must not be popped here.
    const [outOfMemory, invalid] = await Promise.all([this.#device.popErrorScope(), this.#device.popErrorScope()]);
    if (!outOfMemory && !invalid) return made;
    for (const owned of made) owned.release();
    const total = requests.reduce((sum, { bytes }) => sum + bytes, 0);
    const reason = (outOfMemory ?? invalid)!.message;
    throw new FeaturemapError(
      "limit",
      `The GPU has no room for ${requests.length} buffers of ${total} bytes in all, beside ${this.#bytes} bytes in use. ` +
        `Use a smaller batch size or network. The device says: ${reason}`,
    );
  }

  /** As `create`, for a single buffer. */
  async createOne(request: BufferRequest): Promise<OwnedBuffer> {
    return (await this.create([request]))[0]!;
  }

  #make({ label, bytes, usage = STORAGE }: BufferRequest): OwnedBuffer {
    const buffer = this.#device.createBuffer({ label, size: bytes, usage });
    this.#buffers++;
    this.#bytes += bytes;
    this.#peakBytes = Math.max(this.#peakBytes, this.#bytes);
    let live = true;
    const release = () => {
      if (!live) return;
      live = false;
      this.#buffers--;
      this.#bytes -= bytes;
      buffer.destroy();
    };
    return { buffer, bytes, release };
  }

  #checkSize({ label, bytes, usage = STORAGE }: BufferRequest): void {
    const { maxBufferSize, maxStorageBufferBindingSize } = this.#device.limits;
    const most = usage === STORAGE ? Math.min(maxBufferSize, maxStorageBufferBindingSize) : maxBufferSize;
    if (bytes > most) {
      throw new FeaturemapError(
        "limit",
        `"${label}" needs a buffer of ${bytes} bytes, but this device allows at most ${most} ` +
          `(maxBufferSize ${maxBufferSize}, maxStorageBufferBindingSize ${maxStorageBufferBindingSize}). ` +
          "Use a smaller batch size, data set or network.",
      );
    }
  }
}
