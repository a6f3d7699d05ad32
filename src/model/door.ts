import { FeaturemapError } from "../base/errors.ts";

/** The door through which everything goes that changes a model: one thing at a time, in the order of the calls. */
export class Door {
  #closed = false;
  /** The call that has the model for itself. */
  #busy: string | undefined;
  /** Whether that call lets parameters be written meanwhile. */
  #writable = false;
  /** Writes that were called for and are not done. */
  readonly #writing = new Set<Promise<unknown>>();
  #last: Promise<unknown> = Promise.resolve();

  /** The model was disposed. */
  close(): void {
    this.#closed = true;
  }

  /** Resolves when the writes that were called for are done. */
  get written(): Promise<unknown> {
    return this.#last;
  }

  /** @throws FeaturemapError `state` where the model was disposed */
  assertOpen(name: string): void {
    if (this.#closed) throw new FeaturemapError("state", `${name}: the model was disposed.`);
  }

  /** @throws FeaturemapError `state` where the model was disposed, or something changes it */
  assertFree(name: string): void {
    this.#refuse(name, this.#busy ?? (this.#writing.size > 0 ? "a write of its parameters" : undefined));
  }

  /**
   * Runs what needs the model for itself: two trainings would take turns on one state. It begins at once, before the call returns,
   * and waits itself for `written`.
   *
   * @param writable Whether `write` may come meanwhile, as from the callbacks of `fit`.
   */
  async alone<T>(name: string, run: () => Promise<T>, writable = false): Promise<T> {
    this.#refuse(name, this.#busy);
    this.#busy = name;
    this.#writable = writable;
    try {
      return await run();
    } finally {
      this.#busy = undefined;
    }
  }

  /** Runs what writes to the model between two steps, after the writes that were called for before. */
  async write(name: string, run: () => Promise<void>): Promise<void> {
    this.#refuse(name, this.#writable ? undefined : this.#busy);
    const mine = this.#last.then(() => {
      this.assertOpen(name);
      return run();
    });
    this.#last = mine.catch(() => {});
    this.#writing.add(mine);
    try {
      await mine;
    } finally {
      this.#writing.delete(mine);
    }
  }

  #refuse(name: string, busy: string | undefined): void {
    this.assertOpen(name);
    if (busy) throw new FeaturemapError("state", `${name}: the model is busy with ${busy}. Await it first.`);
  }
}
