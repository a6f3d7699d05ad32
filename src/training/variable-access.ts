import { readBuffers } from "../gpu/readback.ts";
import type { MemoryMode } from "../graph/tile.ts";
import type { Lifetime } from "../program/lifetime.ts";
import type { StoredVariable, VariableStore } from "../program/variable-store.ts";
import { createParameterCheck, type ParameterCheck } from "./parameter-check.ts";

/** Watcher that is told when a caller changes the variables that training goes on from. */
export interface Watcher {
  /** Called before hyperparameters change, with their old values. */
  rates(before: Readonly<Record<string, number>>): void;
  /** Called after a write of variables was submitted, which the GPU may not have done yet. */
  written(): void;
}

/** Most bytes that are read back at once. */
const STAGING_BYTES: Readonly<Record<MemoryMode, number>> = { fast: Number.POSITIVE_INFINITY, compact: 2 ** 19 };

/** Access of the host to a model's variables: reads and writes in order with training. */
export class VariableAccess {
  readonly store: VariableStore;
  readonly watchers = new Set<Watcher>();
  readonly #lifetime: Lifetime;
  readonly #memory: MemoryMode;
  /** Read that takes several submits. No training step may come between them. */
  #reading: Promise<unknown> | undefined;
  /** Rewind that moves the variables back and forth. They are read and written only afterwards. */
  #rewinding: Promise<unknown> | undefined;

  constructor(store: VariableStore, lifetime: Lifetime, memory: MemoryMode) {
    this.store = store;
    this.#lifetime = lifetime;
    this.#memory = memory;
  }

  /** Read that the next training step must wait for. */
  get reading(): Promise<unknown> | undefined {
    return this.#reading;
  }

  /** Most bytes that are read back at once, as an option of `readBuffers`. */
  get staging(): { readonly maxBytes: number } {
    const { maxBufferSize } = this.#lifetime.runtime.device.limits;
    return { maxBytes: Math.min(STAGING_BYTES[this.#memory], maxBufferSize) };
  }

  /**
   * Reads variables, all of one moment. `moment` is called before each submit of copies; its last call is of that moment. If the variables
   * do not fit into one staging buffer, training waits until they are read.
   */
  async read(variables: readonly StoredVariable[], moment = () => {}): Promise<ArrayBuffer[]> {
    while (this.#rewinding) await this.#rewinding;
    const sources = variables.map(({ buffer }) => ({ buffer, bytes: buffer.size }));
    const assertLive = () => {
      this.#lifetime.assertLive();
      moment();
    };
    const read = readBuffers(this.#lifetime.runtime, sources, { ...this.staging, assertLive });
    if (bytesOf(variables) > this.staging.maxBytes) {
      const reading = Promise.allSettled([read, this.#reading]).then(() => {
        if (this.#reading === reading) this.#reading = undefined;
      });
      this.#reading = reading;
    }
    return read;
  }

  /** Reads the weights: parameters and statistics, in the order of `getWeights`. */
  async readWeights(): Promise<Float32Array[]> {
    const read = await this.read(this.store.weights);
    return read.map((bytes) => new Float32Array(bytes));
  }

  /** Writes the weights, in the order of `getWeights`. The values must be checked. */
  writeWeights(values: readonly Float32Array[]): Promise<void> {
    return this.write(this.store.weights.map((stored, i) => [stored, values[i]!]));
  }

  /** Writes variables. The values must be checked. */
  async write(values: readonly (readonly [StoredVariable, Float32Array | Uint32Array])[]): Promise<void> {
    for (let held = this.#held; held; held = this.#held) await held;
    this.#lifetime.assertLive();
    const written = this.store.write(values);
    for (const watcher of this.watchers) watcher.written();
    await written;
  }

  /** Changes hyperparameters. The values must be checked. */
  setRates(rates: Readonly<Record<string, number>>): Promise<void> {
    for (const watcher of this.watchers) watcher.rates(this.store.rates);
    return this.store.setRates(rates);
  }

  /** Runs something that moves the variables back and forth. No read or write of them comes in between. */
  async rewind<T>(run: () => Promise<T>): Promise<T> {
    for (let held = this.#held; held; held = this.#held) await held;
    const running = run();
    this.#rewinding = running.catch(() => {});
    try {
      return await running;
    } finally {
      this.#rewinding = undefined;
    }
  }

  /** Makes a parameter check; `undefined` if the parameters are more than is read back at once. */
  prepareParameterCheck(): Promise<ParameterCheck> | undefined {
    const parameters = this.store.of("parameter");
    if (bytesOf(parameters) > this.staging.maxBytes) return undefined;
    return createParameterCheck(this.#lifetime.runtime, parameters);
  }

  get #held(): Promise<unknown> | undefined {
    return this.#reading ?? this.#rewinding;
  }
}

function bytesOf(variables: readonly StoredVariable[]): number {
  return variables.reduce((sum, { buffer }) => sum + buffer.size, 0);
}
