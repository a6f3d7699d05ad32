import { FeaturemapError } from "../base/errors.ts";

/** Lock of a model: what changes the model happens one call at a time, in the order of the calls. */
export class ModelLock {
  #disposed = false;
  /** Name of the call that has the model for itself. */
  #holder: string | undefined;
  /** Whether that call lets parameters be written meanwhile. */
  #writable = false;
  /** Writes that were called for and are not done. */
  readonly #writing = new Set<Promise<unknown>>();
  #last: Promise<unknown> = Promise.resolve();

  /** Refuses all further calls, since the model is disposed. */
  dispose(): void {
    this.#disposed = true;
  }

  /** Resolves when the writes that were called for are done. */
  get written(): Promise<unknown> {
    return this.#last;
  }

  /** @throws FeaturemapError `state` where the model was disposed */
  assertNotDisposed(name: string): void {
    if (this.#disposed) throw new FeaturemapError("state", `${name}: the model was disposed.`);
  }

  /** @throws FeaturemapError `state` where the model was disposed, or something changes it */
  assertIdle(name: string): void {
    this.#refuse(name, this.#holder ?? (this.#writing.size > 0 ? "a write of its parameters" : undefined));
  }

  /**
   * Runs a call that needs the model for itself: two trainings would take turns on one state. The call begins before `exclusive`
   * returns, and awaits `written` itself.
   *
   * @param writable Whether `write` may come meanwhile, as from the callbacks of `fit`.
   */
  async exclusive<T>(name: string, run: () => Promise<T>, writable = false): Promise<T> {
    this.#refuse(name, this.#holder);
    this.#holder = name;
    this.#writable = writable;
    try {
      return await run();
    } finally {
      this.#holder = undefined;
    }
  }

  /** Runs a write to the model between two steps, after the writes that were called for before. */
  async write(name: string, run: () => Promise<void>): Promise<void> {
    this.#refuse(name, this.#writable ? undefined : this.#holder);
    const mine = this.#last.then(() => {
      this.assertNotDisposed(name);
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

  #refuse(name: string, holder: string | undefined): void {
    this.assertNotDisposed(name);
    if (holder) throw new FeaturemapError("state", `${name}: the model is busy with ${holder}. Await it first.`);
  }
}
