import { type LiveDevice, orLost } from "./lost.ts";

/** Ask for the state of the device so often, in ms. Timers of a page do not fire more often than each 4 ms. */
const NUDGE_MS = 4;

/** Firefox on a computer and on Android; not its relatives, nor Firefox on iOS, which is WebKit. */
export function isFirefox(userAgent: string | undefined): boolean {
  return userAgent !== undefined && /\bFirefox\/\d/.test(userAgent) && !/\bSeamonkey\//i.test(userAgent);
}

/** Waits for what the device reports: work that is done, buffers that are mapped. */
export class Completions {
  readonly #device: GPUDevice;
  readonly #live: LiveDevice;
  readonly #nudges: boolean;
  #pending = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * `nudges`: Firefox looks for finished work each 100 ms, or when something is submitted
   * (https://bugzilla.mozilla.org/show_bug.cgi?id=1870699), so that `onSubmittedWorkDone` and `mapAsync` take about 103 ms
   * whatever the work; with an empty submit each millisecond they took 1.4 ms (Firefox 153,
   * https://github.com/ekzhang/jax-js/pull/124). While something is awaited, we submit nothing each 4 ms. To be deleted,
   * with `isFirefox`, when that bug is fixed in the oldest Firefox that is to be served. `assertLive` throws where the device
   * is lost.
   */
  constructor(device: GPUDevice, nudges: boolean, assertLive: () => void) {
    this.#device = device;
    this.#live = { device, assertLive };
    this.#nudges = nudges;
  }

  /** When all that was submitted is done. */
  submitted(): Promise<undefined> {
    return this.#await(this.#device.queue.onSubmittedWorkDone());
  }

  /** When a staging buffer can be read. */
  mapped(buffer: GPUBuffer): Promise<undefined> {
    return this.#await(buffer.mapAsync(1)); // GPUMapMode.READ
  }

  #await(promise: Promise<undefined>): Promise<undefined> {
    return orLost(this.#live, this.#nudges ? this.#nudged(promise) : promise);
  }

  async #nudged(promise: Promise<undefined>): Promise<undefined> {
    this.#pending++;
    this.#timer ??= setTimeout(() => this.#nudge(), NUDGE_MS);
    try {
      return await promise;
    } finally {
      this.#pending--;
      if (this.#pending === 0) {
        clearTimeout(this.#timer);
        this.#timer = undefined;
      }
    }
  }

  #nudge(): void {
    this.#device.queue.submit([this.#device.createCommandEncoder({ label: "nudge" }).finish()]);
    this.#timer = setTimeout(() => this.#nudge(), NUDGE_MS);
  }
}
