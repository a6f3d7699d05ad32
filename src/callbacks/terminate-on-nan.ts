import { FeaturemapError } from "../base/errors.ts";
import { elements } from "../base/shape.ts";
import { type Column, columnsOf } from "../data/columns.ts";
import type { DataInput } from "../data/tensor.ts";
import type { OwnedBuffer } from "../gpu/buffers.ts";
import { inErrorScope } from "../gpu/error-scope.ts";
import { readBuffers } from "../gpu/readback.ts";
import type { CompiledModel } from "../model/compiled.ts";
import { internalsOf } from "../model/internals.ts";
import type { Model } from "../model/model.ts";
import { outputsOf } from "../observe/probe.ts";
import type { Training } from "../training/bookmark.ts";
import { type Callback, GUARD } from "../training/callback.ts";
import type { Trainer } from "../training/trainer.ts";
import type { Watcher } from "../training/variable-access.ts";

/** Place of the first NaN or Infinity of a training. */
export interface NonFinite {
  /** Epoch, counted from 0 as in the callbacks. */
  readonly epoch: number;
  /** Step of the epoch, counted from 1. */
  readonly step: number;
  /**
   * Part of the step:
   * - `start`: a parameter had it before training
   * - `samples`: the batch brought it
   * - `forward`: the output of `layer` is the first that has it
   * - `loss`: every output is finite, the loss is not
   * - `update`: the step spoilt a parameter of `layer`; of several layers this is the last, where gradients begin
   */
  readonly where: "start" | "samples" | "forward" | "loss" | "update";
  /** Name of the layer. `samples` and `loss` have none. */
  readonly layer?: string;
  /** Name of the output whose loss it is, for `loss`, if several outputs have one. */
  readonly output?: string;
  /** Sentence that says it all. */
  readonly message: string;
}

export interface TerminateOnNaN extends Callback {
  /** Reason that ended the last `fit`; `undefined` if it was not ended. */
  readonly found: NonFinite | undefined;
}

/**
 * Ends `fit` at the first step whose loss or parameters hold a NaN or Infinity, and finds the layer where it begins. Keras has it
 * as `TerminateOnNaN`. Unlike Keras's, it leaves the model as it was before that step. It keeps a copy of the parameters and the
 * optimizer's slots on the GPU. It reads the loss with each submit, and the parameters after each epoch. To find the layer it makes
 * the epoch's steps again.
 *
 * @example
 * const guard = terminateOnNaN();
 * await model.fit(x, y, { callbacks: [guard] });
 * if (guard.found) console.log(guard.found.layer);
 */
export function terminateOnNaN(): TerminateOnNaN {
  let model: Model | undefined;
  let copy: Copy | undefined;
  let bad: BadStep | undefined;
  let found: NonFinite | undefined;
  let running = 0;
  const stopAt = (at: BadStep) => {
    bad ??= at;
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
    setModel: (its: Model) => {
      if (model) {
        const message = "terminateOnNaN: it is among the callbacks of a fit already. Make one for each.";
        throw new FeaturemapError("state", message);
      }
      model = its;
      [bad, found] = [undefined, undefined];
    },
    onEpochBegin: async (epoch) => {
      running = epoch;
      const { compiled, training } = await internalsOf(model!, "terminateOnNaN");
      copy ??= await Copy.of(compiled, training);
      await copy.take();
    },
    onTrainBatchEnd: (_, __, { badStep, badOutput, badTerms }) => {
      if (badStep > 0) stopAt({ epoch: running, step: badStep, output: badOutput, terms: badTerms });
    },
    onEpochEnd: async (epoch) => {
      const { compiled, training, network } = await internalsOf(model!, "terminateOnNaN");
      const { samples, batchSize } = training.bookmark!.recipe;
      const paths = network.variables.map(({ path }) => path);
      if (badParameter(await compiled.variables.readWeights(), paths))
        stopAt({ epoch, step: Math.ceil(samples / batchSize) + 1 });
    },
    onTrainEnd: async () => {
      if (!bad) return;
      const { compiled, training } = await internalsOf(model!, "terminateOnNaN");
      const search = new Search(model!, compiled, training, copy!);
      found = await compiled.variables.rewind(() => search.run(bad!));
      console.warn(`terminateOnNaN: ${found.message}`);
    },
  };
}

/** First step of an epoch, counted from 1, whose loss is not finite, and the output whose loss it is. */
interface BadStep extends Pick<NonFinite, "epoch" | "step"> {
  readonly output?: string | undefined;
  /** Whether it is what layers add to the loss. */
  readonly terms?: boolean | undefined;
}

/** Copy of all that training changes, from when an epoch began or a caller wrote to it, with the hyperparameters since then. */
class Copy implements Watcher {
  /** Steps of the epoch before the copy. */
  steps = 0;
  /** Former hyperparameters, and the step of the epoch up to which they held. */
  steppedBy: { readonly until: number; readonly values: Readonly<Record<string, number>> }[] = [];
  readonly #compiled: CompiledModel;
  readonly #training: Training;
  readonly #owned: readonly OwnedBuffer[];
  /** Disposal of the copy at the model's end; `undefined` if the model was gone by then. */
  readonly #disposal: { cancel(): void } | undefined;

  private constructor(compiled: CompiledModel, training: Training, owned: readonly OwnedBuffer[]) {
    this.#compiled = compiled;
    this.#training = training;
    this.#owned = owned;
    compiled.variables.watchers.add(this);
    this.#disposal = compiled.lifetime.disposeAtEnd(this);
  }

  static async of(compiled: CompiledModel, training: Training): Promise<Copy> {
    const trained = trainedBuffers(compiled);
    const requests = trained.map(({ label, size }) => ({ label: `${label} before`, bytes: size }));
    const copy = new Copy(compiled, training, await compiled.settings.runtime.buffers.create(requests));
    compiled.lifetime.assertLive();
    return copy;
  }

  take(): Promise<void> {
    this.steps = this.#training.bookmark!.steps;
    this.steppedBy = [];
    return this.#copy(trainedBuffers(this.#compiled), this.#buffers);
  }

  written(): void {
    void this.take();
  }

  rates(values: Readonly<Record<string, number>>): void {
    this.steppedBy.push({ until: this.#training.bookmark!.steps, values });
  }

  restore(): Promise<void> {
    return this.#copy(this.#buffers, trainedBuffers(this.#compiled));
  }

  dispose(): void {
    this.#disposal?.cancel();
    this.#compiled.variables.watchers.delete(this);
    for (const owned of this.#owned) owned.release();
  }

  get #buffers(): readonly GPUBuffer[] {
    return this.#owned.map(({ buffer }) => buffer);
  }

  #copy(from: readonly GPUBuffer[], to: readonly GPUBuffer[]): Promise<void> {
    const { runtime } = this.#compiled.settings;
    return inErrorScope(runtime, "terminateOnNaN", () => {
      const encoder = runtime.device.createCommandEncoder({ label: "terminateOnNaN" });
      from.forEach((buffer, i) => {
        encoder.copyBufferToBuffer(buffer, 0, to[i]!, 0, buffer.size);
      });
      runtime.device.queue.submit([encoder.finish()]);
    });
  }
}

/** Goes back to the beginning of an epoch, then forward to its first NaN or Infinity. */
class Search {
  readonly #model: Model;
  readonly #compiled: CompiledModel;
  readonly #training: Training;
  readonly #copy: Copy;

  constructor(model: Model, compiled: CompiledModel, training: Training, copy: Copy) {
    this.#model = model;
    this.#compiled = compiled;
    this.#training = training;
    this.#copy = copy;
  }

  /** Leaves the model as it is before the step that is to blame. */
  async run(bad: BadStep): Promise<NonFinite> {
    const { epoch } = bad;
    const found = await this.#find(bad);
    const bookmark = this.#training.bookmark!;
    const good = Math.max(found.step - 1, this.#copy.steps);
    // The epoch is over if only its last parameters are not finite.
    bookmark.rewind(epoch, good);
    const at = `epoch ${epoch + 1}, step ${found.step}`;
    return { ...found, epoch, message: `${at}: ${found.message}. The model is as it was before that step.` };
  }

  async #find({ step, output, terms }: BadStep): Promise<Omit<NonFinite, "epoch">> {
    const { steps: first } = this.#copy;
    const before = await this.#badAfter(first);
    if (before) {
      const layer = layerOf(before);
      return { step: first + 1, where: "start", layer, message: `${before} was not finite before it` };
    }
    const bad = await this.#badAfter(step - 1);
    if (!bad) return { step, ...((await this.#forward(step)) ?? lossOf(output, terms)) };
    // In most cases the update just before is to blame.
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

  /** Finds the last parameter that is not finite after so many steps, by name. */
  async #badAfter(steps: number): Promise<string | undefined> {
    const { store } = this.#compiled.variables;
    const now = store.rates;
    await this.#copy.restore();
    let made = this.#copy.steps;
    for (const { until, values } of this.#copy.steppedBy) {
      if (until <= made || made >= steps) continue;
      await store.setRates(values);
      await this.#trainer.replay(made, Math.min(until, steps));
      made = Math.min(until, steps);
    }
    await store.setRates(now);
    await this.#trainer.replay(made, steps);
    // `variables.read` would wait until the search is over.
    const weights = store.weights;
    const sources = weights.map(({ buffer }) => ({ buffer, bytes: buffer.size }));
    const read = await readBuffers(this.#compiled.settings.runtime, sources, { maxBytes: 2 ** 24 });
    return badParameter(
      read.map((bytes) => new Float32Array(bytes)),
      weights.map(({ variable }) => variable.path),
    );
  }

  /** Finds what of the step's batch is not finite: samples, or the output of a layer. */
  async #forward(step: number): Promise<Pick<NonFinite, "where" | "layer" | "message"> | undefined> {
    const { feed } = this.#trainer;
    const indices = this.#trainer.samplesOf(step);
    const sampleOf = (at: number, each: number) => `for sample ${indices[Math.floor(at / each)]} of x`;
    const { inputs } = this.#compiled.network;
    const columns: [string, DataInput][] = [];
    for (const column of columnsOf(feed, "input")) {
      const rows = await rowsOf(this.#compiled, column, indices);
      const bad = firstBad(rows);
      const { name: input } = inputs[column.index]!;
      const name = inputs.length === 1 ? "x" : `x.${input}`;
      const sample = sampleOf(bad, elements(column.shape));
      if (bad >= 0) return { where: "samples", message: `${name} has a NaN or Infinity, ${sample}` };
      columns.push([input, { data: rows, shape: [indices.length, ...column.shape], scale: column.scale }]);
    }
    const outputs = await outputsOf(this.#model, Object.fromEntries(columns));
    for (const [layer, { data }] of outputs) {
      const at = firstBad(data);
      if (at < 0) continue;
      const sample = sampleOf(at, data.length / indices.length);
      return { where: "forward", layer, message: `the output of layer "${layer}" is ${data[at]} first, ${sample}` };
    }
    return undefined;
  }

  get #trainer(): Trainer {
    const { trainer } = this.#training;
    if (!trainer) throw new FeaturemapError("state", "terminateOnNaN: fit has ended.");
    return trainer;
  }
}

/** Blames a loss, of an output if it is known. */
function lossOf(output: string | undefined, terms = false): Pick<NonFinite, "where" | "output" | "message"> {
  const whole = terms ? "what layers add to the loss" : "the loss";
  const loss = output === undefined ? whole : `the loss of output "${output}"`;
  const message = `${loss} is a NaN or infinite, though every layer's output is finite`;
  return { where: "loss", ...(output !== undefined && { output }), message };
}

function trainedBuffers(compiled: CompiledModel): readonly GPUBuffer[] {
  return compiled.variables.store.trained.map(({ buffer }) => buffer);
}

/** Reads some samples of a column, in their order. */
async function rowsOf(
  { settings: { runtime } }: CompiledModel,
  { buffer, dtype, shape }: Column,
  indices: readonly number[],
): Promise<Uint8Array | Float32Array> {
  const bytes = elements(shape) * (dtype === "u8" ? 1 : 4);
  // Copies have whole words.
  const sources = indices.map((index) => {
    const offset = Math.floor((index * bytes) / 4) * 4;
    return { buffer, offset, bytes: Math.ceil(((index + 1) * bytes) / 4) * 4 - offset };
  });
  const read = await readBuffers(runtime, sources, { maxBytes: 2 ** 24 });
  const rows = new Uint8Array(indices.length * bytes);
  indices.forEach((index, i) => {
    rows.set(new Uint8Array(read[i]!, index * bytes - sources[i]!.offset, bytes), i * bytes);
  });
  return dtype === "u8" ? rows : new Float32Array(rows.buffer);
}

function firstBad(values: ArrayLike<number>): number {
  return Array.prototype.findIndex.call(values, (value: number) => !Number.isFinite(value));
}

/** Finds the last parameter that is not finite, by name. */
function badParameter(values: readonly Float32Array[], paths: readonly string[]): string | undefined {
  return paths[values.findLastIndex((each) => firstBad(each) >= 0)];
}

/** Layer of a parameter: `conv2d` of `conv2d/kernel`. */
function layerOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}
