import { type Callback, GUARD } from "./callback.ts";

/** Milliseconds that hooks have to settle once training is aborted. */
const GRACE_MS = 2000;

/** Hooks of a `fit`'s callbacks. Each is called in order and awaited. One that never settles does not keep `fit` from ending. */
export class Hooks {
  readonly #callbacks: readonly Callback[];
  readonly #signal: AbortSignal | undefined;
  readonly #aborted = () => {
    this.#timer = setTimeout(() => this.abandon(), GRACE_MS);
  };
  #timer: ReturnType<typeof setTimeout> | undefined;
  #abandoned = false;
  #tell = () => {};
  /** Promise that resolves when hooks are no longer waited for. */
  readonly abandoned = new Promise<void>((resolve) => {
    this.#tell = resolve;
  });
  /** Ends the wait for the hook that is running. */
  #leave = () => {};

  constructor(callbacks: readonly Callback[], signal: AbortSignal | undefined) {
    this.#callbacks = callbacks;
    this.#signal = signal;
  }

  /** Tells whether a callback has a hook or another property. */
  has(key: keyof Callback): boolean {
    return this.#callbacks.some((callback) => callback[key]);
  }

  /** Begins to watch the signal. */
  begin(): void {
    if (this.#signal?.aborted) this.#aborted();
    else this.#signal?.addEventListener("abort", this.#aborted, { once: true });
  }

  /** Calls a hook of each callback. Throws what one of them throws. */
  async call(hook: (callback: Callback) => void | Promise<void> | undefined): Promise<void> {
    for (const callback of this.#callbacks) {
      const running = hook(callback);
      if (running === undefined) continue;
      const settled = Promise.resolve(running);
      // Nobody waits for what is thrown after that.
      settled.catch(() => {});
      await (callback[GUARD] ? settled : Promise.race([settled, this.#next()]));
    }
  }

  /** Resolves when the hook that is called next is no longer waited for. */
  #next(): Promise<void> {
    return new Promise((resolve) => {
      this.#leave = resolve;
      if (this.#abandoned) resolve();
    });
  }

  /** Stops watching the signal, when `fit` has ended. */
  end(): void {
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener("abort", this.#aborted);
  }

  /** Stops waiting for hooks, for good. */
  abandon(): void {
    this.#abandoned = true;
    this.#tell();
    this.#leave();
  }
}
