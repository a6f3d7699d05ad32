import type { Figures } from "../program/measures.ts";
import type { Pause, Stop } from "./sweep.ts";

/**
 * Switch that stops training between two submits and lets it go on: `fit(x, y, { pause })`. Results do not change by a bit. A paused
 * model still answers `evaluate`, `predict` and the like, and an `AbortSignal` ends `fit`.
 */
export class PauseSwitch {
  #paused = false;
  /** Number of trainings that have work on the GPU or are about to. */
  #running = 0;
  readonly #idle: (() => void)[] = [];
  readonly #held: (() => void)[] = [];

  get paused(): boolean {
    return this.#paused;
  }

  /**
   * Makes no further submit. Resolves when those under way are done, so that the GPU has no more work of the training. It resolves at once
   * if nothing trains, and when `resume` comes first. A validation under way is dropped, and made anew after `resume`. A callback of
   * `fit` must not return or await the promise: training and callback would wait for each other.
   */
  pause(): Promise<void> {
    this.#paused = true;
    return new Promise((resolve) => {
      this.#idle.push(resolve);
      if (this.#running === 0) this.#tell(this.#idle);
    });
  }

  /** Lets training go on where it stopped. */
  resume(): void {
    this.#paused = false;
    this.#tell(this.#idle);
    this.#tell(this.#held);
  }

  /** @internal Makes the gate of a training. `end` resolves when the training cannot go on. */
  gate(end: () => Promise<unknown>, stop: Stop, signal: AbortSignal | undefined): Gate {
    return new Gate(this, end, stop, signal);
  }

  /** @internal Counts a training that begins. */
  enter(): void {
    this.#running++;
  }

  /** @internal Counts a training that has ended or waits, without work on the GPU. */
  leave(): void {
    this.#running--;
    if (this.#running === 0) this.#tell(this.#idle);
  }

  /** @internal Gives a promise that resolves at `resume`, or when `free` is called. */
  held(): { readonly resumed: Promise<void>; readonly free: () => void } {
    let free = () => {};
    const resumed = new Promise<void>((resolve) => {
      free = resolve;
    });
    this.#held.push(free);
    return { resumed, free };
  }

  /** @internal Forgets a `held` promise. */
  forget(free: () => void): void {
    const at = this.#held.indexOf(free);
    if (at >= 0) this.#held.splice(at, 1);
  }

  #tell(waiting: (() => void)[]): void {
    for (const resolve of waiting.splice(0)) resolve();
  }
}

/** Gate of one training at a pause switch. */
class Gate implements Pause {
  readonly #pause: PauseSwitch;
  readonly #end: () => Promise<unknown>;
  readonly #stop: Stop;
  readonly #signal: AbortSignal | undefined;

  constructor(pause: PauseSwitch, end: () => Promise<unknown>, stop: Stop, signal: AbortSignal | undefined) {
    this.#pause = pause;
    this.#end = end;
    this.#stop = stop;
    this.#signal = signal;
  }

  get paused(): boolean {
    return this.#pause.paused;
  }

  enter(): void {
    this.#pause.enter();
  }

  leave(): void {
    this.#pause.leave();
  }

  /** Waits for `resume`, or for the training's end. */
  async hold(): Promise<void> {
    if (!this.paused || this.#stop.aborted) return;
    this.leave();
    const { resumed, free } = this.#pause.held();
    this.#signal?.addEventListener("abort", free);
    await Promise.race([resumed, this.#end()]);
    this.#signal?.removeEventListener("abort", free);
    this.#pause.forget(free);
    this.enter();
  }

  /** Runs an evaluation of so many samples. A pause drops it, since it would keep others from evaluating; `resume` makes it anew. */
  async uninterrupted(
    run: (stop: Stop) => Promise<Figures | undefined>,
    samples: number,
  ): Promise<Figures | undefined> {
    const aborted = () => this.#stop.aborted;
    const stop = {
      get aborted() {
        return aborted() || pause.paused;
      },
    };
    const pause = this.#pause;
    for (;;) {
      await this.hold();
      const metrics = await run(stop);
      if (aborted() || metrics?.samples === samples) return metrics;
    }
  }
}

/** Makes a switch for `fit(x, y, { pause })`. One may serve several models. */
export function pauseSwitch(): PauseSwitch {
  return new PauseSwitch();
}
