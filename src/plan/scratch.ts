import type { BufferRequest, OwnedBuffer } from "../gpu/buffers.ts";
import type { Runtime } from "../gpu/runtime.ts";
import { shareBuffers } from "./memory.ts";

/** Lease of buffers by one plan, until it releases them. */
export interface Lease {
  /** Buffers in the order of the requests. Each may be larger than asked for. */
  readonly buffers: readonly GPUBuffer[];
  release(): void;
}

interface Shared {
  readonly owned: OwnedBuffer;
  users: number;
}

/**
 * Pool of scratch buffers that the plans of one model share. Plans may even take turns step by step. That is safe, since a step
 * reads no scratch that it has not written, and a queue runs one step after the other.
 */
export class ScratchPool {
  readonly #runtime: Runtime;
  #shared: Shared[] = [];

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** Bytes of the buffers in use, each counted once. */
  get bytes(): number {
    return this.#shared.reduce((sum, { owned }) => sum + owned.bytes, 0);
  }

  /**
   * Gives a buffer for each request: those of other plans that are large enough, new ones for the rest.
   *
   * @throws FeaturemapError `limit` where the GPU has no room
   */
  async take(requests: readonly BufferRequest[]): Promise<Lease> {
    const { bufferOf } = shareBuffers(
      requests.map(({ bytes }) => ({ bytes, first: 0, last: 0 })),
      this.#shared.map(({ owned }) => owned.bytes),
    );
    const mine = bufferOf.map((place) => this.#shared[place]);
    // They are counted before the wait, so that another plan's end does not free them meanwhile.
    for (const shared of mine) if (shared) shared.users++;
    const missing = requests.filter((_, i) => !mine[i]);
    const made = await this.#make(missing).catch((error: unknown) => {
      this.#leave(mine.filter((shared) => shared !== undefined));
      throw error;
    });
    const all = mine.map((shared) => shared ?? made.shift()!);
    let live = true;
    return {
      buffers: all.map(({ owned }) => owned.buffer),
      release: () => {
        if (live) this.#leave(all);
        live = false;
      },
    };
  }

  async #make(requests: readonly BufferRequest[]): Promise<Shared[]> {
    const made = (await this.#runtime.buffers.create(requests)).map((owned) => ({ owned, users: 1 }));
    this.#shared.push(...made);
    return made;
  }

  #leave(shared: readonly Shared[]): void {
    for (const one of shared) {
      one.users--;
      if (one.users === 0) one.owned.release();
    }
    this.#shared = this.#shared.filter(({ users }) => users > 0);
  }
}
