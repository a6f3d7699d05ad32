import { FeaturemapError } from "../base/errors.ts";
import { elements } from "../base/shape.ts";
import type { OwnedBuffer } from "../gpu/buffers.ts";
import { checked } from "../gpu/checked.ts";
import { readBuffers } from "../gpu/readback.ts";
import type { CompiledModel, Watcher } from "../model/compiled.ts";
import { insideOf } from "../model/inside.ts";
import type { Sequential } from "../model/sequential.ts";
import { outputsOf } from "../observe/probe.ts";
import type { Trainer, Training } from "../training/bookmark.ts";
import { type Callback, GUARD } from "../training/callback.ts";

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
  let running = 0;
  const stopAt = (epoch: number, step: number) => {
    bad ??= { epoch, step };
    model!.stopTraining = true;
  };
  return {
    [GUARD]: {
      release: (its) => {
        if (its !== model) return;
        copy?.dispose();
        [model, copy] = [undefined, undefined];
      },
    },
    get found() {
      return found;
    },
    setModel: (its: Sequential) => {
      if (model) {
        const message = "terminateOnNaN: it is among the callbacks of a fit already. Make one for each.";
        throw new FeaturemapError("state", message);
      }
      model = its;
      [bad, found] = [undefined, undefined];
    },
    onEpochBegin: async (epoch) => {
      running = epoch;
      const { compiled, training } = await insideOf(model!, "terminateOnNaN");
      copy ??= await Copy.of(compiled, training);
      await copy.take();
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
      if (!bad) return;
      const { epoch, step } = bad;
      const { compiled, training, network } = await insideOf(model!, "terminateOnNaN");
      const search = new Search(model!, compiled, training, copy!, network.parameters);
      found = await compiled.rewind(() => search.run(epoch, step));
      console.warn(`terminateOnNaN: ${found.message}`);
    },
  };
}

/** What training changes, as it was when an epoch began or a caller wrote to it, and what the optimizer stepped by since. */
class Copy implements Watcher {
  /** Steps of the epoch that had been made. */
  steps = 0;
  /** Hyperparameters, and the step of the epoch up to which they held. Those of now are not among them. */
  rates: { readonly until: number; readonly values: Readonly<Record<string, number>> }[] = [];
  readonly #compiled: CompiledModel;
  readonly #training: Training;
  readonly #owned: readonly OwnedBuffer[];
  /** None where the model was gone by then. */
  readonly #visit: { leave(): void } | undefined;

  private constructor(compiled: CompiledModel, training: Training, owned: readonly OwnedBuffer[]) {
    this.#compiled = compiled;
    this.#training = training;
    this.#owned = owned;
    compiled.watchers.add(this);
    this.#visit = compiled.host(this);
  }

  static async of(compiled: CompiledModel, training: Training): Promise<Copy> {
    const requests = compiled.state.trained.map(({ label, size }) => ({ label: `${label} before`, bytes: size }));
    const copy = new Copy(compiled, training, await compiled.runtime.buffers.create(requests));
    compiled.assertLive();
    return copy;
  }

  take(): Promise<void> {
    this.steps = this.#training.bookmark!.steps;
    this.rates = [];
    return this.#copy(this.#compiled.state.trained, this.#buffers);
  }

  written(): void {
    void this.take();
  }

  hyperparameters(values: Readonly<Record<string, number>>): void {
    this.rates.push({ until: this.#training.bookmark!.steps, values });
  }

  restore(): Promise<void> {
    return this.#copy(this.#buffers, this.#compiled.state.trained);
  }

  dispose(): void {
    this.#visit?.leave();
    this.#compiled.watchers.delete(this);
    for (const owned of this.#owned) owned.release();
  }

  get #buffers(): readonly GPUBuffer[] {
    return this.#owned.map(({ buffer }) => buffer);
  }

  #copy(from: readonly GPUBuffer[], to: readonly GPUBuffer[]): Promise<void> {
    const { runtime } = this.#compiled;
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
    // Not by `compiled.read`, which waits until the search is over.
    const sources = state.parameterBuffers.map((buffer) => ({ buffer, bytes: buffer.size }));
    const read = await readBuffers(this.#compiled.runtime, sources, { mostBytes: 2 ** 24 });
    return badParameter(
      read.map((bytes) => new Float32Array(bytes)),
      this.#paths,
    );
  }

  async #forward(step: number): Promise<Pick<NonFinite, "where" | "layer" | "message">> {
    const { dataset, scale } = this.#trainer;
    const indices = this.#trainer.samplesOf(step);
    const size = elements(dataset.x.shape);
    const rows = await rowsOf(this.#compiled, this.#trainer, indices);
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

/** Some samples of a data set, in their order. */
async function rowsOf(
  { runtime }: CompiledModel,
  { dataset }: Trainer,
  indices: readonly number[],
): Promise<Uint8Array | Float32Array> {
  const { buffer, dtype, shape } = dataset.x;
  const bytes = elements(shape) * (dtype === "u8" ? 1 : 4);
  // Copies are of whole words.
  const sources = indices.map((index) => {
    const offset = Math.floor((index * bytes) / 4) * 4;
    return { buffer, offset, bytes: Math.ceil(((index + 1) * bytes) / 4) * 4 - offset };
  });
  const read = await readBuffers(runtime, sources, { mostBytes: 2 ** 24 });
  const rows = new Uint8Array(indices.length * bytes);
  indices.forEach((index, i) => {
    rows.set(new Uint8Array(read[i]!, index * bytes - sources[i]!.offset, bytes), i * bytes);
  });
  return dtype === "u8" ? rows : new Float32Array(rows.buffer);
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
