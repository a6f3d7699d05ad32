import { seedOf } from "../base/random.ts";
import { type BufferRequest, type OwnedBuffer, STAGING } from "../gpu/buffers.ts";
import { inErrorScope } from "../gpu/error-scope.ts";
import { ReadbackRing } from "../gpu/readback.ts";
import type { Runtime } from "../gpu/runtime.ts";
import { byteLength, type TensorId } from "../graph/tensor.ts";
import { isOfSweep, TRAINED_ROLES, type Variable, WEIGHT_ROLES } from "../graph/variable.ts";

/** Kind of sweep. Each has a state and metrics of its own, so that evaluation and prediction do not disturb training. */
export type SweepKind = "training" | "inference";

const KINDS = ["training", "inference"] as const satisfies readonly SweepKind[];

/** Variable with its buffer. */
export interface StoredVariable {
  readonly variable: Variable;
  readonly buffer: GPUBuffer;
}

/** Cursor of a sweep: its place in the data, its metrics, and the staging buffers for reading them. */
export interface Cursor {
  readonly state: GPUBuffer;
  readonly metrics: readonly GPUBuffer[];
  readonly ring: ReadbackRing;
}

/** Most reads of metrics under way: one for each submit in flight, and the last of the sweep. */
const RING_DEPTH = 4;

/** Variables of a model on the GPU. Those of role `metric` and `state` exist once for each kind of sweep. */
export class VariableStore {
  readonly #runtime: Runtime;
  readonly #shared: readonly StoredVariable[];
  readonly #ofSweep: Readonly<Record<SweepKind, readonly StoredVariable[]>>;
  readonly #cursors: Readonly<Record<SweepKind, Cursor>>;
  readonly #owned: readonly OwnedBuffer[];
  #rates: Readonly<Record<string, number>> = {};

  private constructor(runtime: Runtime, variables: readonly Variable[], owned: readonly OwnedBuffer[]) {
    this.#runtime = runtime;
    const rest = [...owned];
    const next = (variable: Variable): StoredVariable => ({ variable, buffer: rest.shift()!.buffer });
    this.#shared = variables.filter((variable) => !isOfSweep(variable)).map(next);
    const sweeps = KINDS.map((kind) => {
      const stored = variables.filter(isOfSweep).map(next);
      const ring = new ReadbackRing(runtime, metricBytes(variables), rest.splice(0, RING_DEPTH));
      return { kind, stored, ring };
    });
    this.#ofSweep = byKind(({ stored }) => stored);
    this.#cursors = byKind(({ stored, ring }) => {
      const metrics = stored.filter(({ variable }) => variable.role === "metric").map(({ buffer }) => buffer);
      return { state: stored.find(({ variable }) => variable.role === "state")!.buffer, metrics, ring };
    });
    // A ring frees its own buffers, when they are read.
    this.#owned = owned.filter(({ buffer }) => buffer.usage !== STAGING);

    function byKind<T>(of: (sweep: (typeof sweeps)[number]) => T): Record<SweepKind, T> {
      return Object.fromEntries(sweeps.map((sweep) => [sweep.kind, of(sweep)])) as Record<SweepKind, T>;
    }
  }

  /**
   * Makes the buffers and writes the first values.
   *
   * @throws FeaturemapError `limit` where the GPU has no room; any error of a user's initializer
   */
  static async create(
    runtime: Runtime,
    variables: readonly Variable[],
    {
      seed,
      rates,
      kept = [],
    }: {
      readonly seed: number;
      readonly rates: Readonly<Record<string, number>>;
      /** Values of the layers' variables, which are the first. They go before any others. */
      readonly kept?: readonly Uint32Array[] | undefined;
    },
  ): Promise<VariableStore> {
    const requests = (of: readonly Variable[], prefix = ""): BufferRequest[] =>
      of.map((variable) => ({ label: `${prefix}${variable.path}`, bytes: byteLength(variable) }));
    const owned = await runtime.buffers.create([
      ...requests(variables.filter((variable) => !isOfSweep(variable))),
      ...KINDS.flatMap((kind) => [
        ...requests(variables.filter(isOfSweep), `${kind} `),
        ...ReadbackRing.requests(metricBytes(variables), RING_DEPTH),
      ]),
    ]);
    const store = new VariableStore(runtime, variables, owned);
    try {
      const initialized = store.#shared.filter(({ variable }) => variable.initial);
      const values = initialized.map(
        async (stored, i) =>
          [
            stored,
            kept[i] ?? (await stored.variable.carried?.()) ?? stored.variable.initial!(seedOf(seed, i)),
          ] as const,
      );
      await store.write(await Promise.all(values));
      await store.setRates(rates);
    } catch (error) {
      store.dispose();
      throw error;
    }
    return store;
  }

  cursor(kind: SweepKind): Cursor {
    return this.#cursors[kind];
  }

  /** Lists the variables of some roles, in the model's order. Those of sweeps are training's. */
  of(...roles: readonly Variable["role"][]): readonly StoredVariable[] {
    return [...this.#shared, ...this.#ofSweep.training].filter(({ variable }) => roles.includes(variable.role));
  }

  /** Variables of `getWeights`: parameters and statistics. */
  get weights(): readonly StoredVariable[] {
    return this.of(...WEIGHT_ROLES);
  }

  /** Variables that training changes, and goes on from. */
  get trained(): readonly StoredVariable[] {
    return this.of(...TRAINED_ROLES);
  }

  /** Gives the buffers for a program's tensors, by the paths of their variables. */
  bindings(tensors: ReadonlyMap<string, TensorId>, kind: SweepKind): Map<TensorId, GPUBuffer> {
    const stored = [...this.#shared, ...this.#ofSweep[kind]];
    const buffers = new Map(stored.map(({ variable, buffer }) => [variable.path, buffer]));
    return new Map([...tensors].map(([path, id]) => [id, buffers.get(path)!]));
  }

  /** Hyperparameters of the optimizer, by name. */
  get rates(): Readonly<Record<string, number>> {
    return this.#rates;
  }

  /** Changes some or all of them, from the next submit on. They must be checked. */
  setRates(rates: Readonly<Record<string, number>>): Promise<void> {
    this.#rates = { ...this.#rates, ...rates };
    const stored = this.of("rate");
    return this.write(stored.map((each) => [each, Float32Array.of(this.#rates[each.variable.path]!)]));
  }

  /** Writes values, which must be checked. They are written before the promise is returned. */
  write(values: readonly (readonly [Pick<StoredVariable, "buffer">, Float32Array | Uint32Array])[]): Promise<void> {
    return inErrorScope(this.#runtime, "write", () => {
      for (const [{ buffer }, value] of values) this.#runtime.device.queue.writeBuffer(buffer, 0, value.slice());
    });
  }

  dispose(): void {
    for (const owned of this.#owned) owned.release();
    for (const { ring } of Object.values(this.#cursors)) ring.dispose();
  }
}

/** Counts the bytes of a sweep's metrics, which are read back at once. A buffer has at least 4. */
function metricBytes(variables: readonly Variable[]): number {
  const metrics = variables.filter(({ role }) => role === "metric");
  return Math.max(
    4,
    metrics.reduce((sum, variable) => sum + byteLength(variable), 0),
  );
}
