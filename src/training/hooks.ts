import { type Callback, GUARD } from "./callback.ts";

/** Milliseconds that hooks have to settle once training is aborted. */
const LAST_MS = 2000;

/** The callbacks of a `fit`: each hook is called in their order, and awaited. One that never settles does not keep `fit` from its end. */
export class Hooks {
  readonly #callbacks: readonly Callback[];
  readonly #signal: AbortSignal | undefined;
  readonly #aborted = () => {
    this.#timer = setTimeout(() => this.drop(), LAST_MS);
  };
  #timer: ReturnType<typeof setTimeout> | undefined;
  #dropped = false;
  #tell = () => {};
  /** Resolves when no hook is waited for any more. */
  readonly dropped = new Promise<void>((resolve) => {
    this.#tell = resolve;
  });
  /** Ends the wait for the hook under way. */
  #leave = () => {};

  constructor(callbacks: readonly Callback[], signal: AbortSignal | undefined) {
    this.#callbacks = callbacks;
    this.#signal = signal;
  }

  /** Training begins. */
  begin(): void {
    if (this.#signal?.aborted) this.#aborted();
    else this.#signal?.addEventListener("abort", this.#aborted, { once: true });
  }

  /** Calls a hook of each callback. What one throws is thrown. */
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

  /** Resolves when the hook that is called next is waited for no longer. */
  #next(): Promise<void> {
    return new Promise((resolve) => {
      this.#leave = resolve;
      if (this.#dropped) resolve();
    });
  }

  /** `fit` has ended. */
  end(): void {
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener("abort", this.#aborted);
  }

  /** Waits for no hook any more. */
  drop(): void {
    this.#dropped = true;
    this.#tell();
    this.#leave();
  }
}
