import { FeaturemapError } from "../base/errors.ts";
import { errorIn } from "./error-scope.ts";
import { limitRemedy } from "./limit.ts";
import type { LiveDevice } from "./lost.ts";

/** Buffer with an owner, who must release it. Its size is counted until then. */
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
  readonly #live: LiveDevice;
  readonly #device: GPUDevice;
  readonly #owned = new Set<OwnedBuffer>();
  #bytes = 0;
  #peakBytes = 0;

  constructor(live: LiveDevice) {
    this.#live = live;
    this.#device = live.device;
  }

  get use(): MemoryUse {
    return { buffers: this.#owned.size, bytes: this.#bytes, peakBytes: this.#peakBytes };
  }

  /**
   * Makes all of the buffers, or none if one cannot be had.
   *
   * @param fill Called before `create` returns its promise, to write data that the caller may change afterwards.
   * @throws FeaturemapError `limit` where a buffer is larger than the device allows or memory runs out; `lost`, `state` where the
   *   device is gone
   */
  async create(
    requests: readonly BufferRequest[],
    fill: (buffers: readonly GPUBuffer[]) => void = () => {},
  ): Promise<OwnedBuffer[]> {
    this.#live.assertLive();
    for (const request of requests) this.#checkSize(request);
    let made: OwnedBuffer[] = [];
    const release = () => {
      for (const owned of made) owned.release();
    };
    let error: GPUError | undefined;
    try {
      error = await errorIn(this.#live, () => {
        made = requests.map((request) => this.#make(request));
        fill(made.map(({ buffer }) => buffer));
      });
      this.#live.assertLive();
    } catch (gone) {
      release();
      throw gone;
    }
    if (!error) return made;
    release();
    const total = requests.reduce((sum, { bytes }) => sum + bytes, 0);
    const reason = error.message;
    throw new FeaturemapError(
      "limit",
      `The GPU has no room for ${requests.length} buffers of ${total} bytes in all, beside ${this.#bytes} bytes in use. ` +
        `Use a smaller batch size or network. The device says: ${reason}`,
    );
  }

  /** Makes a single buffer, as `create` does. */
  async createOne(request: BufferRequest): Promise<OwnedBuffer> {
    return (await this.create([request]))[0]!;
  }

  /** Frees all buffers, whoever owns them. */
  dispose(): void {
    for (const owned of this.#owned) owned.release();
  }

  #make({ label, bytes, usage = STORAGE }: BufferRequest): OwnedBuffer {
    const buffer = this.#device.createBuffer({ label, size: bytes, usage });
    const release = () => {
      if (!this.#owned.delete(owned)) return;
      this.#bytes -= bytes;
      buffer.destroy();
    };
    const owned = { buffer, bytes, release };
    this.#owned.add(owned);
    this.#bytes += bytes;
    this.#peakBytes = Math.max(this.#peakBytes, this.#bytes);
    return owned;
  }

  #checkSize({ label, bytes, usage = STORAGE }: BufferRequest): void {
    const { limits } = this.#device;
    const names = ["maxBufferSize", "maxStorageBufferBindingSize"] as const;
    const small = names.filter((name) => bytes > limits[name] && (usage === STORAGE || name === "maxBufferSize"));
    if (small.length === 0) return;
    throw new FeaturemapError(
      "limit",
      `"${label}" needs a buffer of ${bytes} bytes, but this device's ` +
        `${small.map((name) => `${name} is ${limits[name]}`).join(" and ")}. ` +
        limitRemedy(small, bytes, this.#live.ownsDevice),
    );
  }
}
