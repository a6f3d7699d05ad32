import { FeaturemapError, knownKeys, oneOf } from "../base/errors.ts";
import type { CompiledModel } from "../model/compiled.ts";
import { assertModel, insideOf } from "../model/inside.ts";
import type { Sequential, Weight } from "../model/sequential.ts";
import type { Network } from "../network/network.ts";
import { type Optimizer, slotsOf } from "../optimizers/optimizer.ts";
import type { Bookmark } from "../training/bookmark.ts";
import { History } from "../training/history.ts";
import { checkedSnapshot, checkReceiver, checksumOf, type Part, type Receiver, VERSION } from "./snapshot-check.ts";

/**
 * All that a model's training goes on from, as plain data: `structuredClone`, `postMessage` and IndexedDB take it. JSON does not: it
 * loses typed arrays and NaN. The data set, the layers and what `compile` was given are not in it, but for what tells them from others.
 */
export interface Snapshot {
  readonly version: typeof VERSION;
  /** Name of the loss and of the optimizer. */
  readonly loss: string;
  readonly optimizer: string;
  /** What the optimizer was made with beside `hyperparameters`: `{ momentum: 0.9, nesterov: false }`. */
  readonly constants: Readonly<Record<string, string | number | boolean | null>>;
  readonly hyperparameters: Readonly<Record<string, number>>;
  /** As of `getWeights`. */
  readonly weights: readonly Weight[];
  /** What the optimizer keeps beside each parameter: `dense/kernel/momentum`. */
  readonly slots: readonly Weight[];
  /** Words of the step's state, `shaders/lib/state.wgsl`. */
  readonly state: Uint32Array;
  /** Sums over the epoch so far, `shaders/batch/lib/metrics.wgsl`. */
  readonly metrics: Uint32Array;
  /** Epochs so far, which the orders of a new `fit` follow. */
  readonly epochs: number;
  /** What `evaluate` and `predict` multiply bytes by. */
  readonly byteScale: number | undefined;
  /** Where `fit({ resume: true })` goes on; `undefined` where the last step was not of a `fit`. */
  readonly fit: (Omit<Bookmark, "history"> & { readonly history: Pick<History, "epoch" | "history"> }) | undefined;
  /** Of all of the above: damage is found. */
  readonly checksum: string;
}

/** How `restore` deals with an optimizer of other constants. */
export interface RestoreOptions {
  /**
   * Whose learning rate and constants count. `"snapshot"` (default): the learning rate is the snapshot's, and constants such as
   * `momentum` that differ are an error. `"model"`: those that the model was compiled with.
   */
  readonly optimizer?: "snapshot" | "model";
}

/**
 * Takes a snapshot of a model's training, at any time: also while `fit` runs, from a callback, in a pause, or after `fit` was
 * stopped. It is of one moment between two submits. One copy and one read; training does not wait for it, unless the model
 * was compiled with `memory: "compact"`.
 *
 * @throws FeaturemapError `state` where the model is not compiled or not for training; `lost` where the device is lost
 */
export async function snapshot(model: Sequential): Promise<Snapshot> {
  const { compiled, network, training } = await insideOf(model, "snapshot");
  const { loss, optimizer } = trained(compiled, "snapshot");
  let host: Pick<Snapshot, "hyperparameters" | "epochs" | "byteScale" | "fit">;
  const read = await compiled.read(compiled.state.trained, () => {
    const { epochs, byteScale, bookmark } = training;
    host = {
      hyperparameters: { ...compiled.state.hyperparameters },
      epochs,
      byteScale,
      fit: structuredClone(bookmark),
    };
  });
  const words = read.splice(-2).map((bytes) => new Uint32Array(bytes));
  const { weights, slots } = partsOf(compiled, network);
  const filled = (parts: readonly Part[]) => parts.map((part) => ({ ...part, data: new Float32Array(read.shift()!) }));
  const taken = {
    version: VERSION,
    loss: loss.name,
    optimizer: optimizer.name,
    constants: constantsOf(optimizer),
    weights: filled(weights),
    slots: filled(slots),
    state: words[0]!,
    metrics: words[1]!,
    ...host!,
  } as const;
  return { ...taken, checksum: checksumOf(taken) };
}

/**
 * Puts a model where a snapshot was taken: weights, optimizer, counts. `fit({ resume: true })` then goes on to the same bits
 * as the training that it was taken of, on the same adapter, with the same data and choices (`model.stats().choices`).
 *
 * The snapshot is read before the promise is returned, and checked whole before anything changes. Weights that are not finite are
 * refused: nothing can be learned from there on.
 *
 * @throws FeaturemapError and changes nothing: `data` for what is no snapshot, or is damaged, as JSON's copies are; `value`, `shape`
 *   where it is of another loss, optimizer or network, and which; `state` where the model is not compiled, or trains
 * @example
 * await restore(model, await store.get("last"));
 * await model.fit(x, y, { epochs: 10, resume: true });
 */
export async function restore(model: Sequential, snapshot: Snapshot, options: RestoreOptions = {}): Promise<void> {
  assertModel(model, "restore");
  knownKeys(options, ["optimizer"], "restore");
  const own = oneOf(options.optimizer ?? "snapshot", ["snapshot", "model"], "restore: optimizer") === "model";
  const taken = checkedSnapshot(snapshot, "restore");
  await model.inside.alone("restore", async () => {
    const { compiled, network, training } = await insideOf(model, "restore");
    checkReceiver(taken, receiverOf(compiled, network), own);
    const { weights, slots, state, metrics, epochs, byteScale, fit } = taken;
    await compiled.write(compiled.state.trained, [...[...weights, ...slots].map(({ data }) => data), state, metrics]);
    if (!own) await compiled.setHyperparameters(taken.hyperparameters);
    Object.assign(training, { epochs, byteScale, bookmark: fit && { ...fit, history: new History(fit.history) } });
  });
}

function receiverOf(compiled: CompiledModel, network: Network): Receiver {
  const { loss, optimizer } = trained(compiled, "restore");
  const { hyperparameters } = compiled.state;
  const names = { loss: loss.name, optimizer: optimizer.name };
  return { ...names, constants: constantsOf(optimizer), hyperparameters, ...partsOf(compiled, network) };
}

/** What the optimizer's `config` says beside its hyperparameters, each as one plain value. */
function constantsOf({ config = {}, hyperparameters }: Optimizer): Snapshot["constants"] {
  const constants = Object.entries(config).filter(([name]) => !Object.hasOwn(hyperparameters, name));
  return Object.fromEntries(
    constants.map(([name, value]) => [
      name,
      /^(string|number|boolean)$/.test(typeof value) ? value : (JSON.stringify(value) ?? null),
    ]),
  ) as Snapshot["constants"];
}

/** What the parameters and the slots are named, in the order of their buffers. */
function partsOf(
  { settings: { optimizer } }: CompiledModel,
  { parameters }: Network,
): { weights: Part[]; slots: Part[] } {
  return {
    weights: parameters.map(({ path, shape }) => ({ name: path, shape })),
    slots: slotsOf(optimizer, parameters),
  };
}

function trained({ settings: { loss, optimizer } }: CompiledModel, where: string) {
  if (loss && optimizer) return { loss, optimizer };
  throw new FeaturemapError("state", `${where}: the model was compiled to predict. Give compile() loss and optimizer.`);
}
