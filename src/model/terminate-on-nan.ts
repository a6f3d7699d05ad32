import { FeaturemapError } from "../errors.ts";
import type { OwnedBuffer } from "../gpu/buffers.ts";
import { checked } from "../gpu/checked.ts";
import { readBuffers } from "../gpu/readback.ts";
import { elements } from "../shape.ts";
import type { Callback } from "./callbacks.ts";
import type { CompiledModel } from "./compiled.ts";
import { insideOf } from "./inside.ts";
import { outputsOf } from "./probe.ts";
import type { Sequential } from "./sequential.ts";
import type { Trainer, Training } from "./training.ts";

/** Where the first NaN or Infinity of a training came up. */
export interface NonFinite {
  /** Counted from 0, as in the callbacks. */
  readonly epoch: number;
  /** Step of the epoch, counted from 1. */
  readonly step: number;
  /**
   * - `start`: a parameter had it before training
   * - `samples`: the batch brought it
   * - `forward`: the output of `layer` is the first to have it
   * - `loss`: every output is finite
   * - `update`: the step made a parameter of `layer` so; of several layers, the last, where gradients begin
   */
  readonly where: "start" | "samples" | "forward" | "loss" | "update";
  /** Name of the layer; none for `samples` and `loss`. */
  readonly layer?: string;
  /** One sentence. */
  readonly message: string;
}

export interface TerminateOnNaN extends Callback {
  /** What ended the last `fit`; `undefined` where nothing did. */
  readonly found: NonFinite | undefined;
}

/**
 * Ends `fit` at the first step whose loss or parameters hold a NaN or Infinity, and finds the layer where it begins: Keras's
 * `TerminateOnNaN`. Unlike Keras's, it leaves the model as it was before that step. It keeps a copy of the parameters and the
 * optimizer's slots on the GPU, reads the loss with each submit and the parameters after each epoch. To find the layer it makes
 * the epoch's steps again.
 *
 * @example
 * const guard = terminateOnNaN();
 * await model.fit(x, y, { callbacks: [guard] });
 * if (guard.found) console.log(guard.found.layer);
 */
export function terminateOnNaN(): TerminateOnNaN {
  let model: Sequential | undefined;
  let copy: Copy | undefined;
  let bad: { readonly epoch: number; readonly step: number } | undefined;
  let found: NonFinite | undefined;
  const stopAt = (epoch: number, step: number) => {
    bad ??= { epoch, step };
    model!.stopTraining = true;
  };
  let running = 0;
  return {
    watches: true,
    get found() {
      return found;
    },
    setModel: (its) => {
      model = its;
      [bad, found] = [undefined, undefined];
    },
    onEpochBegin: async (epoch) => {
      running = epoch;
      const { compiled, training } = await insideOf(model!, "terminateOnNaN");
      if (copy?.compiled !== compiled) {
        copy?.dispose();
        copy = await Copy.of(compiled);
      }
      await copy.take(training);
    },
    onBatchEnd: (_, __, { badStep }) => {
      if (badStep > 0) stopAt(running, badStep);
    },
    onEpochEnd: async (epoch) => {
      const { compiled, training, network } = await insideOf(model!, "terminateOnNaN");
      const { samples, batchSize } = training.bookmark!;
      const paths = network.parameters.map(({ path }) => path);
      if (badParameter(await compiled.readParameters(), paths)) stopAt(epoch, Math.ceil(samples / batchSize) + 1);
    },
    onTrainEnd: async () => {
      if (bad) {
        const { compiled, training, network } = await insideOf(model!, "terminateOnNaN");
        const search = new Search(model!, compiled, training, copy!, network.parameters);
        found = await search.run(bad.epoch, bad.step);
        console.warn(`terminateOnNaN: ${found.message}`);
      }
      copy?.dispose();
      copy = undefined;
    },
  };
}

/** What training changes, as it was when an epoch began or went on, and what the optimizer stepped by since. */
class Copy {
  readonly compiled: CompiledModel;
  /** Steps of the epoch that had been made. */
  steps = 0;
  /** Hyperparameters, and the step of the epoch up to which they held. Those of now are not among them. */
  rates: { readonly until: number; readonly values: Readonly<Record<string, number>> }[] = [];
  readonly #owned: readonly OwnedBuffer[];
  readonly #visit: { leave(): void };

  private constructor(compiled: CompiledModel, owned: readonly OwnedBuffer[]) {
    this.compiled = compiled;
    this.#owned = owned;
    this.#visit = compiled.host(this);
  }

  static async of(compiled: CompiledModel): Promise<Copy> {
    const requests = compiled.state.trained.map(({ label, size }) => ({ label: `${label} before`, bytes: size }));
    return new Copy(compiled, await compiled.runtime.buffers.create(requests));
  }

  take({ bookmark }: Training): Promise<void> {
    const { state } = this.compiled;
    this.steps = bookmark!.steps;
    this.rates = [];
    state.onHyperparameters = () => this.rates.push({ until: bookmark!.steps, values: state.hyperparameters });
    return this.#copy(this.compiled.state.trained, this.#buffers);
  }

  restore(): Promise<void> {
    return this.#copy(this.#buffers, this.compiled.state.trained);
  }

  dispose(): void {
    this.#visit.leave();
    this.compiled.state.onHyperparameters = undefined;
    for (const owned of this.#owned) owned.release();
  }

  get #buffers(): readonly GPUBuffer[] {
    return this.#owned.map(({ buffer }) => buffer);
  }

  #copy(from: readonly GPUBuffer[], to: readonly GPUBuffer[]): Promise<void> {
    const { runtime } = this.compiled;
    return checked(runtime, "terminateOnNaN", () => {
      const encoder = runtime.device.createCommandEncoder({ label: "terminateOnNaN" });
      from.forEach((buffer, i) => {
        encoder.copyBufferToBuffer(buffer, 0, to[i]!, 0, buffer.size);
      });
      runtime.device.queue.submit([encoder.finish()]);
    });
  }
}

/** Goes back to the begin of an epoch, and forth to where its first NaN or Infinity comes up. */
class Search {
  readonly #model: Sequential;
  readonly #compiled: CompiledModel;
  readonly #training: Training;
  readonly #copy: Copy;
  readonly #paths: readonly string[];

  constructor(
    model: Sequential,
    compiled: CompiledModel,
    training: Training,
    copy: Copy,
    parameters: readonly { readonly path: string }[],
  ) {
    this.#model = model;
    this.#compiled = compiled;
    this.#training = training;
    this.#copy = copy;
    this.#paths = parameters.map(({ path }) => path);
  }

  /** Leaves the model as it is before the step that is to blame. `step`: the first whose loss is not finite. */
  async run(epoch: number, step: number): Promise<NonFinite> {
    this.#compiled.state.onHyperparameters = undefined;
    const found = await this.#find(step);
    const bookmark = this.#training.bookmark!;
    const good = Math.max(found.step - 1, this.#copy.steps);
    bookmark.steps = good;
    // The epoch may be over, where only its parameters are not finite.
    if (bookmark.epoch > epoch) {
      bookmark.epoch = epoch;
      bookmark.history.epoch.pop();
      for (const figures of Object.values(bookmark.history.history)) figures.pop();
    }
    const at = `epoch ${epoch + 1}, step ${found.step}`;
    return { ...found, epoch, message: `${at}: ${found.message}. The model is as it was before that step.` };
  }

  async #find(step: number): Promise<Omit<NonFinite, "epoch">> {
    const { steps: first } = this.#copy;
    const before = await this.#badAfter(first);
    if (before) {
      const layer = layerOf(before);
      return { step: first + 1, where: "start", layer, message: `${before} was not finite before it` };
    }
    const bad = await this.#badAfter(step - 1);
    if (!bad) return { step, ...(await this.#forward(step)) };
    // As a rule the update just before is to blame.
    let [good, blamed, parameter] = [first, step - 1, bad];
    for (let middle = blamed - 1; blamed - good > 1; middle = Math.floor((good + blamed) / 2)) {
      const found = await this.#badAfter(middle);
      if (found) [blamed, parameter] = [middle, found];
      else good = middle;
    }
    await this.#badAfter(blamed - 1);
    const layer = layerOf(parameter);
    return { step: blamed, where: "update", layer, message: `its update makes ${parameter} a NaN or infinite` };
  }

  /** Name of the last parameter that is not finite after so many steps. */
  async #badAfter(steps: number): Promise<string | undefined> {
    const { state } = this.#compiled;
    const now = state.hyperparameters;
    await this.#copy.restore();
    let made = this.#copy.steps;
    for (const { until, values } of this.#copy.rates) {
      if (until <= made || made >= steps) continue;
      await state.setHyperparameters(values);
      await this.#trainer.replay(made, Math.min(until, steps));
      made = Math.min(until, steps);
    }
    await state.setHyperparameters(now);
    await this.#trainer.replay(made, steps);
    return badParameter(await this.#compiled.readParameters(), this.#paths);
  }

  async #forward(step: number): Promise<Pick<NonFinite, "where" | "layer" | "message">> {
    const { dataset, scale } = this.#trainer;
    const indices = this.#trainer.samplesOf(step);
    const size = elements(dataset.x.shape);
    const all = await rowsOf(this.#compiled, this.#trainer);
    const rows =
      all instanceof Uint8Array ? new Uint8Array(indices.length * size) : new Float32Array(indices.length * size);
    indices.forEach((index, i) => {
      rows.set(all.subarray(index * size, (index + 1) * size), i * size);
    });
    const sampleOf = (at: number, each: number) => `for sample ${indices[Math.floor(at / each)]} of x`;
    const brought = firstBad(rows);
    if (brought >= 0) return { where: "samples", message: `x has a NaN or Infinity, ${sampleOf(brought, size)}` };
    const outputs = await outputsOf(this.#model, { data: rows, shape: [indices.length, ...dataset.x.shape], scale });
    for (const [layer, { data }] of outputs) {
      const at = firstBad(data);
      if (at < 0) continue;
      const sample = sampleOf(at, data.length / indices.length);
      return { where: "forward", layer, message: `the output of layer "${layer}" is ${data[at]} first, ${sample}` };
    }
    return { where: "loss", message: "the loss is a NaN or infinite, though every layer's output is finite" };
  }

  get #trainer(): Trainer {
    const { trainer } = this.#training;
    if (!trainer) throw new FeaturemapError("state", "terminateOnNaN: fit has ended.");
    return trainer;
  }
}

async function rowsOf({ runtime }: CompiledModel, { dataset }: Trainer): Promise<Uint8Array | Float32Array> {
  const { buffer, dtype } = dataset.x;
  const [bytes] = await readBuffers(runtime, [{ buffer, bytes: buffer.size }], { mostBytes: 2 ** 24 });
  return dtype === "u8" ? new Uint8Array(bytes!) : new Float32Array(bytes!);
}

function firstBad(values: ArrayLike<number>): number {
  return Array.prototype.findIndex.call(values, (value: number) => !Number.isFinite(value));
}

/** Name of the last that is not finite. */
function badParameter(values: readonly Float32Array[], paths: readonly string[]): string | undefined {
  return paths[values.findLastIndex((each) => firstBad(each) >= 0)];
}

/** `conv2d` of `conv2d/kernel`. */
function layerOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}
