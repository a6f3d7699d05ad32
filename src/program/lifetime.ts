import { FeaturemapError } from "../base/errors.ts";
import type { Runtime } from "../gpu/runtime.ts";

/** Lifetime of what belongs to a compiled model: it lasts until it is ended, or its device is lost. */
export class Lifetime {
  readonly runtime: Runtime;
  /** Resolves when the lifetime is over. */
  readonly ended: Promise<unknown>;
  #why: string | undefined;
  #resolve: () => void = () => {};
  #over = false;
  readonly #resources = new Set<{ dispose(): void }>();

  constructor(runtime: Runtime) {
    this.runtime = runtime;
    const ended = new Promise<void>((resolve) => {
      this.#resolve = resolve;
    });
    this.ended = Promise.race([ended, runtime.lost]);
    this.ended.then(() => this.#disposeResources());
  }

  /** @throws FeaturemapError `state` where it was ended or the runtime disposed, `lost` where the device is lost */
  assertLive(): void {
    if (this.#why !== undefined) throw new FeaturemapError("state", this.#why);
    this.runtime.assertLive();
  }

  /** Disposes of a resource at the lifetime's end, unless `cancel` is called before. */
  disposeAtEnd(resource: { dispose(): void }): { cancel(): void } {
    if (this.#over) resource.dispose();
    else this.#resources.add(resource);
    return { cancel: () => void this.#resources.delete(resource) };
  }

  /** Returns a resource that was just made. Disposes of it and throws where the lifetime ended meanwhile. */
  disposeUnlessLive<T extends { dispose(): void }>(resource: T): T {
    if (this.#why !== undefined) resource.dispose();
    this.assertLive();
    return resource;
  }

  /** Ends the lifetime, with the reason that later calls are told. */
  end(why: string): void {
    this.#why ??= why;
    this.#resolve();
    this.#disposeResources();
  }

  #disposeResources(): void {
    this.#over = true;
    for (const resource of this.#resources) resource.dispose();
    this.#resources.clear();
  }
}
