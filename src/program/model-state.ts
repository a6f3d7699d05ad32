import { seedOf } from "../base/random.ts";
import type { Shape } from "../base/shape.ts";
import { type OwnedBuffer, STAGING } from "../gpu/buffers.ts";
import { checked } from "../gpu/checked.ts";
import { ReadbackRing } from "../gpu/readback.ts";
import type { Runtime } from "../gpu/runtime.ts";
import { byteLength, type TensorId } from "../graph/graph.ts";
import { stepState } from "../graph/step-state.ts";
import { initialize } from "../layers/initializers.ts";
import type { Network } from "../network/network.ts";
import { type Optimizer, slotsOf } from "../optimizers/optimizer.ts";
import { metricsLayout } from "../training/metrics-layout.ts";
import type { SweepPlace } from "../training/sweep.ts";
import type { ProgramTensors } from "./programs.ts";

const scalar: Shape = [1];

/** Sweeps that train and sweeps that only look do not disturb each other. */
export type Place = "train" | "look";

const PLACES = ["train", "look"] as const satisfies readonly Place[];

/** Reads of metrics that may be under way: one a submit in flight, and the last of the sweep. */
const RING_DEPTH = 4;

/** What a model keeps on the GPU from step to step: parameters, optimizer slots, rates, the step's state, metrics. */
export class ModelState {
  readonly runtime: Runtime;
  /** In the order of the network's parameters. */
  readonly parameterBuffers: readonly GPUBuffer[];
  readonly #slots: readonly GPUBuffer[];
  readonly #hyperparameters: readonly GPUBuffer[];
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
    const next = (count: number) => rest.splice(0, count).map(({ buffer }) => buffer);
    this.parameterBuffers = next(network.parameters.length);
    this.#slots = next(slotsOf(optimizer, network.parameters).length);
    this.#hyperparameters = next(Object.keys(optimizer?.hyperparameters ?? {}).length);
    const [train, look] = PLACES.map((): SweepPlace => {
      const [state, metrics] = next(2);
      const ring = new ReadbackRing(runtime, metricsLayout().bytes, rest.splice(0, RING_DEPTH));
      return { state: state!, metrics: metrics!, ring };
    });
    this.#places = { train: train!, look: look! };
    // A ring frees its own buffers, when they are read.
    this.#all = owned.filter(({ buffer }) => buffer.usage !== STAGING);
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
      ...slotsOf(optimizer, network.parameters).map(({ name, shape }) => floats(name, shape)),
      ...Object.keys(optimizer?.hyperparameters ?? {}).map((name) => floats(name, scalar)),
      ...PLACES.flatMap((place) => [
        { label: `${place} state`, bytes: stepState().bytes },
        { label: `${place} metrics`, bytes: metricsLayout().bytes },
        ...ReadbackRing.requests(metricsLayout().bytes, RING_DEPTH),
      ]),
    ];
    const state = new ModelState(runtime, network, optimizer, await runtime.buffers.create(requests));
    try {
      // An initializer may be the user's, and throw.
      const values = network.parameters.map(({ initializer, shape }, i) =>
        initialize(initializer, shape, seedOf(seed, i)),
      );
      await state.write(state.parameterBuffers, values);
      await state.setHyperparameters(optimizer?.hyperparameters ?? {});
    } catch (error) {
      state.dispose();
      throw error;
    }
    return state;
  }

  place(place: Place): SweepPlace {
    return this.#places[place];
  }

  get hyperparameters(): Readonly<Record<string, number>> {
    return this.#values;
  }

  /** Some or all of them, from the next submit on; taken as checked. */
  setHyperparameters(values: Readonly<Record<string, number>>): Promise<void> {
    this.#values = { ...this.#values, ...values };
    return this.write(
      this.#hyperparameters,
      Object.values(this.#values).map((value) => Float32Array.of(value)),
    );
  }

  /** The buffers that a program's tensors stand for. */
  bindings(tensors: ProgramTensors, place: Place): Map<TensorId, GPUBuffer> {
    const { state, metrics } = this.place(place);
    const bound = new Map<TensorId, GPUBuffer>([[tensors.state, state]]);
    const bind = (ids: readonly TensorId[] = [], buffers: readonly GPUBuffer[]) => {
      ids.forEach((id, i) => {
        bound.set(id, buffers[i]!);
      });
    };
    bind(tensors.parameters, this.parameterBuffers);
    bind(tensors.slots, this.#slots);
    bind(tensors.hyperparameters, this.#hyperparameters);
    if (tensors.metrics !== undefined) bound.set(tensors.metrics, metrics);
    return bound;
  }

  get parameterBytes(): number {
    return this.parameterBuffers.reduce((sum, { size }) => sum + size, 0);
  }

  /** All that training changes: the parameters, the optimizer's slots, the step's state, the metrics of the epoch. */
  get trained(): readonly GPUBuffer[] {
    const { state, metrics } = this.place("train");
    return [...this.parameterBuffers, ...this.#slots, state, metrics];
  }

  /** The values are taken as checked. They are written before the promise is returned. */
  write(buffers: readonly GPUBuffer[], values: readonly (Float32Array | Uint32Array)[]): Promise<void> {
    return checked(this.runtime, "write", () => {
      values.forEach((value, i) => {
        this.runtime.device.queue.writeBuffer(buffers[i]!, 0, value.slice());
      });
    });
  }

  dispose(): void {
    for (const owned of this.#all) owned.release();
    for (const { ring } of Object.values(this.#places)) ring.dispose();
  }
}
