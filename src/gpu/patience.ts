/** Says how long nothing has happened: each `ms` without a `restart`, until `end`. Before the first `restart` it says nothing. */
export class Patience {
  readonly #ms: number;
  readonly #tell: (ms: number) => void;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(ms: number, tell: (ms: number) => void) {
    this.#ms = ms;
    this.#tell = tell;
  }

  restart(): void {
    this.end();
    let waited = 0;
    this.#timer = setInterval(() => {
      waited += this.#ms;
      this.#tell(waited);
    }, this.#ms);
  }

  end(): void {
    clearInterval(this.#timer);
  }
}
