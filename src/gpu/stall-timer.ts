/** Timer of a stall: it calls `onStall` after each `ms` without a `restart`, with the time so far. The first `restart` starts it. */
export class StallTimer {
  readonly #ms: number;
  readonly #onStall: (ms: number) => void;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(ms: number, onStall: (ms: number) => void) {
    this.#ms = ms;
    this.#onStall = onStall;
  }

  restart(): void {
    this.stop();
    let waited = 0;
    this.#timer = setInterval(() => {
      waited += this.#ms;
      this.#onStall(waited);
    }, this.#ms);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
