import type { SweepMetrics } from "./metrics-reader.ts";
import type { Pause, Stop } from "./sweep.ts";

/**
 * Stops training between two submits and lets it go on, from outside of `fit`: `fit(x, y, { pause })`. Results do not change
 * by a bit. While it is paused the model answers `evaluate`, `predict` and the like, and an `AbortSignal` ends `fit`.
 */
export class PauseSwitch {
  #paused = false;
  /** Trainings that have work on the GPU or are about to. */
  #running = 0;
  readonly #idle: (() => void)[] = [];
  readonly #held: (() => void)[] = [];

  get paused(): boolean {
    return this.#paused;
  }

  /**
   * No further submit is made. Resolves when those under way are done, so that the GPU has nothing of the training left to
   * do: at once where nothing trains, and where `resume` comes first. A validation under way is dropped, and made anew after
   * `resume`. A callback of `fit` must not return or await the promise: training would wait for the callback, and it for training.
   */
  pause(): Promise<void> {
    this.#paused = true;
    return new Promise((resolve) => {
      this.#idle.push(resolve);
      if (this.#running === 0) this.#tell(this.#idle);
    });
  }

  /** Training goes on where it stands. */
  resume(): void {
    this.#paused = false;
    this.#tell(this.#idle);
    this.#tell(this.#held);
  }

  /** @internal For a training; `end` resolves where it cannot go on any more. */
  gate(end: () => Promise<unknown>, stop: Stop, signal: AbortSignal | undefined): Gate {
    return new Gate(this, end, stop, signal);
  }

  /** @internal A training begins. */
  enter(): void {
    this.#running++;
  }

  /** @internal It has ended, or waits, and nothing of it is on the GPU. */
  leave(): void {
    this.#running--;
    if (this.#running === 0) this.#tell(this.#idle);
  }

  /** @internal Resolves at `resume`, and may be told earlier. */
  held(): { readonly resumed: Promise<void>; readonly free: () => void } {
    let free = () => {};
    const resumed = new Promise<void>((resolve) => {
      free = resolve;
    });
    this.#held.push(free);
    return { resumed, free };
  }

  /** @internal Who was `held` waits no longer. */
  forget(free: () => void): void {
    const at = this.#held.indexOf(free);
    if (at >= 0) this.#held.splice(at, 1);
  }

  #tell(waiting: (() => void)[]): void {
    for (const resolve of waiting.splice(0)) resolve();
  }
}

/** A switch as one training sees it. */
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

  /** Waits for `resume`, or for what ends the training. */
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

  /** A look at so many samples: dropped at a pause, and made anew, since halfway it would keep others from looking. */
  async whole(
    look: (stop: Stop) => Promise<SweepMetrics | undefined>,
    samples: number,
  ): Promise<SweepMetrics | undefined> {
    const aborted = () => this.#stop.aborted;
    const stop = {
      get aborted() {
        return aborted() || pause.paused;
      },
    };
    const pause = this.#pause;
    for (;;) {
      await this.hold();
      const metrics = await look(stop);
      if (aborted() || metrics?.samples === samples) return metrics;
    }
  }
}

/** A switch for `fit(x, y, { pause })`; one may serve several models. */
export function pauseSwitch(): PauseSwitch {
  return new PauseSwitch();
}
