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
   * `resume`.
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

  /** @internal A training begins. */
  enter(): void {
    this.#running++;
  }

  /** @internal It has ended, or waits, and nothing of it is on the GPU. */
  leave(): void {
    this.#running--;
    if (this.#running === 0) this.#tell(this.#idle);
  }

  /** @internal Waits for `resume`, or for what ends the training. */
  async hold(end: Promise<unknown>, signal?: AbortSignal): Promise<void> {
    if (!this.#paused || signal?.aborted) return;
    this.leave();
    let free = () => {};
    const held = new Promise<void>((resolve) => {
      free = resolve;
    });
    this.#held.push(free);
    signal?.addEventListener("abort", free);
    await Promise.race([held, end]);
    signal?.removeEventListener("abort", free);
    this.enter();
  }

  #tell(waiting: (() => void)[]): void {
    for (const resolve of waiting.splice(0)) resolve();
  }
}

/** A switch for `fit(x, y, { pause })`; one may serve several models. */
export function pauseSwitch(): PauseSwitch {
  return new PauseSwitch();
}
