import type { OwnedBuffer } from "../gpu/buffers.ts";
import { inErrorScope } from "../gpu/error-scope.ts";
import type { CompiledModel } from "../model/compiled.ts";

/** Copy of a model's weights, parameters and statistics, on the GPU. It takes as many bytes as they do. */
export class WeightCopy {
  readonly #compiled: CompiledModel;
  readonly #owned: readonly OwnedBuffer[];
  /** Disposal of the copy at the model's end. */
  readonly #disposal: { cancel(): void };

  private constructor(compiled: CompiledModel, owned: readonly OwnedBuffer[]) {
    this.#compiled = compiled;
    this.#owned = owned;
    this.#disposal = compiled.lifetime.disposeAtEnd(this);
  }

  /** Makes the buffers. @throws FeaturemapError `limit` where the GPU has no room */
  static async of(compiled: CompiledModel): Promise<WeightCopy> {
    const requests = compiled.variables.store.weights.map(({ variable, buffer }) => ({
      label: `best ${variable.path}`,
      bytes: buffer.size,
    }));
    const copy = new WeightCopy(compiled, await compiled.settings.runtime.buffers.create(requests));
    compiled.lifetime.assertLive();
    return copy;
  }

  /** Copies the weights of this moment: of all steps that were submitted. */
  take(): Promise<void> {
    return this.#copy(this.#weights, this.#buffers);
  }

  /** Copies them back, in order with reads and writes of the model. */
  async restore(): Promise<void> {
    const { variables } = this.#compiled;
    await variables.rewind(() => this.#copy(this.#buffers, this.#weights));
    for (const watcher of variables.watchers) watcher.written();
  }

  dispose(): void {
    this.#disposal.cancel();
    for (const owned of this.#owned) owned.release();
  }

  get #buffers(): readonly GPUBuffer[] {
    return this.#owned.map(({ buffer }) => buffer);
  }

  get #weights(): readonly GPUBuffer[] {
    return this.#compiled.variables.store.weights.map(({ buffer }) => buffer);
  }

  #copy(from: readonly GPUBuffer[], to: readonly GPUBuffer[]): Promise<void> {
    const { runtime } = this.#compiled.settings;
    return inErrorScope(runtime, "best weights", () => {
      const encoder = runtime.device.createCommandEncoder({ label: "best weights" });
      from.forEach((buffer, i) => {
        encoder.copyBufferToBuffer(buffer, 0, to[i]!, 0, buffer.size);
      });
      runtime.device.queue.submit([encoder.finish()]);
    });
  }
}
