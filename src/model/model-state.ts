import { type OwnedBuffer, STAGING } from "../gpu/buffers.ts";
import { ReadbackRing } from "../gpu/readback.ts";
import type { Runtime } from "../gpu/runtime.ts";
import { byteLength, STATE_WORDS, type TensorId } from "../graph/graph.ts";
import { initialize } from "../layers/initializers.ts";
import { seedOf } from "../random.ts";
import type { Shape } from "../shape.ts";
import type { Network } from "./network.ts";
import type { Optimizer } from "./optimizers.ts";
import { METRIC_WORDS, type ProgramTensors } from "./programs.ts";

const scalar: Shape = [1];

/** Sweeps that train and sweeps that only look do not disturb each other. */
export type Place = "train" | "look";

const PLACES = ["train", "look"] as const satisfies readonly Place[];

/** Where a sweep keeps its place in the data and its metrics, and how it reads them. */
export interface SweepPlace {
  readonly state: GPUBuffer;
  readonly metrics: GPUBuffer;
  readonly ring: ReadbackRing;
}

/** Reads of metrics that may be under way: one a submit in flight, and the last of the sweep. */
const RING_DEPTH = 4;
const METRIC_BYTES = METRIC_WORDS * 4;

/** What a model keeps on the GPU from step to step: parameters, optimizer slots, rates, the step's state, metrics. */
export class ModelState {
  readonly runtime: Runtime;
  readonly parameterBytes: number;
  readonly #parameters: readonly OwnedBuffer[];
  readonly #slots: readonly (readonly OwnedBuffer[])[];
  readonly #hyperparameters: ReadonlyMap<string, OwnedBuffer>;
  #values: Readonly<Record<string, number>> = {};
  readonly #places: Readonly<Record<Place, SweepPlace>>;
  readonly #all: readonly OwnedBuffer[];

  private constructor(
    runtime: Runtime,
    network: Network,
    optimizer: Optimizer | undefined,
    owned: readonly OwnedBuffer[],
  ) {
    this.runtime = runtime;
    const rest = [...owned];
    this.#parameters = network.parameters.map(() => rest.shift()!);
    this.#slots = network.parameters.map(({ shape }) => (optimizer?.slots?.(shape) ?? []).map(() => rest.shift()!));
    this.#hyperparameters = new Map(Object.keys(optimizer?.hyperparameters ?? {}).map((name) => [name, rest.shift()!]));
    const [train, look] = PLACES.map((): SweepPlace => {
      const [state, metrics] = rest.splice(0, 2);
      const ring = new ReadbackRing(runtime, METRIC_BYTES, rest.splice(0, RING_DEPTH));
      return { state: state!.buffer, metrics: metrics!.buffer, ring };
    });
    this.#places = { train: train!, look: look! };
    // A ring frees its own buffers, when they are read.
    this.#all = owned.filter(({ buffer }) => buffer.usage !== STAGING);
    this.parameterBytes = this.#parameters.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Makes the buffers, gives the parameters their first values and the optimizer's slots zeros. */
  static async create(
    runtime: Runtime,
    network: Network,
    optimizer: Optimizer | undefined,
    seed: number,
  ): Promise<ModelState> {
    const floats = (label: string, shape: Shape) => ({ label, bytes: byteLength({ shape, dtype: "f32" }) });
    const requests = [
      ...network.parameters.map(({ path, shape }) => floats(path, shape)),
      ...network.parameters.flatMap(({ path, shape }) =>
        (optimizer?.slots?.(shape) ?? []).map((slot) => floats(`${path}/${slot.name}`, slot.shape)),
      ),
      ...Object.keys(optimizer?.hyperparameters ?? {}).map((name) => floats(name, scalar)),
      ...PLACES.flatMap((place) => [
        { label: `${place} state`, bytes: STATE_WORDS * 4 },
        { label: `${place} metrics`, bytes: METRIC_BYTES },
        ...ReadbackRing.requests(METRIC_BYTES, RING_DEPTH),
      ]),
    ];
    const state = new ModelState(runtime, network, optimizer, await runtime.buffers.create(requests));
    try {
      // An initializer may be the user's, and throw.
      state.write(
        state.parameterBuffers,
        network.parameters.map(({ initializer, shape }, i) => initialize(initializer, shape, seedOf(seed, i))),
      );
    } catch (error) {
      state.dispose();
      throw error;
    }
    state.hyperparameters = optimizer?.hyperparameters ?? {};
    return state;
  }

  /** In the order of the network's parameters. */
  get parameterBuffers(): readonly GPUBuffer[] {
    return this.#parameters.map(({ buffer }) => buffer);
  }

  place(place: Place): SweepPlace {
    return this.#places[place];
  }

  get hyperparameters(): Readonly<Record<string, number>> {
    return this.#values;
  }

  /** Some or all of them, from the next submit on; taken as checked. */
  set hyperparameters(values: Readonly<Record<string, number>>) {
    this.#values = { ...this.#values, ...values };
    for (const [name, value] of Object.entries(values)) {
      this.runtime.device.queue.writeBuffer(this.#hyperparameters.get(name)!.buffer, 0, Float32Array.of(value));
    }
  }

  /** The buffers that a program's tensors stand for. */
  bindings(tensors: ProgramTensors, place: Place): Map<TensorId, GPUBuffer> {
    const { state, metrics } = this.place(place);
    const bound = new Map<TensorId, GPUBuffer>([[tensors.state, state]]);
    tensors.parameters.forEach((id, i) => {
      bound.set(id, this.#parameters[i]!.buffer);
    });
    tensors.slots?.forEach((slots, i) => {
      slots.forEach((id, j) => {
        bound.set(id, this.#slots[i]![j]!.buffer);
      });
    });
    for (const [name, id] of tensors.hyperparameters ?? []) bound.set(id, this.#hyperparameters.get(name)!.buffer);
    if (tensors.metrics !== undefined) bound.set(tensors.metrics, metrics);
    return bound;
  }

  /** All that training changes: the parameters, the optimizer's slots, the step's state, the metrics of the epoch. */
  get trained(): readonly GPUBuffer[] {
    const { state, metrics } = this.place("train");
    return [...this.parameterBuffers, ...this.#slots.flat().map(({ buffer }) => buffer), state, metrics];
  }

  /** The values are taken as checked. */
  write(buffers: readonly GPUBuffer[], values: readonly (Float32Array | Uint32Array)[]): void {
    values.forEach((value, i) => {
      this.runtime.device.queue.writeBuffer(buffers[i]!, 0, value.slice());
    });
  }

  dispose(): void {
    for (const owned of this.#all) owned.release();
    for (const { ring } of Object.values(this.#places)) ring.dispose();
  }
}
