import { type LiveDevice, orLost } from "./lost.ts";

/**
 * Time between two empty submits, in ms. Timers of a page do not fire more often
 * (https://html.spec.whatwg.org/multipage/timers-and-user-prompts.html#timers).
 */
const NUDGE_MS = 4;

/** Tells Firefox on a computer or on Android from its relatives, and from Firefox on iOS, which is WebKit. */
export function isFirefox(userAgent: string | undefined): boolean {
  return userAgent !== undefined && /\bFirefox\/\d/.test(userAgent) && !/\bSeamonkey\//i.test(userAgent);
}

/** Waits for the device: for work that is done, for buffers that are mapped. */
export class Completions {
  readonly #device: GPUDevice;
  readonly #live: LiveDevice;
  readonly #nudges: boolean;
  #pending = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param nudges Whether to make an empty submit each 4 ms while something is awaited. Firefox looks for finished work each 100 ms,
   *   or when something is submitted (https://bugzilla.mozilla.org/show_bug.cgi?id=1870699). So `onSubmittedWorkDone` and `mapAsync`
   *   take about 103 ms whatever the work. With an empty submit each millisecond they took 1.4 ms (Firefox 153,
   *   https://github.com/ekzhang/jax-js/pull/124). Delete it, with `isFirefox`, when the oldest Firefox in use has that bug fixed.
   * @param assertLive Throws if the device is lost.
   */
  constructor(device: GPUDevice, nudges: boolean, assertLive: () => void) {
    this.#device = device;
    this.#live = { device, assertLive };
    this.#nudges = nudges;
  }

  /** Resolves when all that was submitted is done. */
  submitted(): Promise<undefined> {
    return this.#await(this.#device.queue.onSubmittedWorkDone());
  }

  /** Resolves when a staging buffer can be read. */
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
