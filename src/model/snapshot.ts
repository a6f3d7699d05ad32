import { FeaturemapError, show } from "../errors.ts";
import { STATE_WORDS } from "../graph/graph.ts";
import { elements, type Shape, sameShape, showShape } from "../shape.ts";
import type { CompiledModel } from "./compiled.ts";
import { History } from "./history.ts";
import { assertModel, insideOf } from "./inside.ts";
import type { Network } from "./network.ts";
import { slotsOf } from "./optimizers.ts";
import { METRIC_WORDS } from "./programs.ts";
import type { Sequential, Weight } from "./sequential.ts";
import type { Bookmark } from "./training.ts";

/** Of the layout below. */
const VERSION = 1;

/**
 * All that a model's training goes on from, as plain data: `structuredClone`, `postMessage` and IndexedDB take it. The data set,
 * the layers and what `compile` was given are not in it.
 */
export interface Snapshot {
  readonly version: typeof VERSION;
  /** Name of the loss and of the optimizer. */
  readonly loss: string;
  readonly optimizer: string;
  readonly hyperparameters: Readonly<Record<string, number>>;
  /** As of `getWeights`. */
  readonly weights: readonly Weight[];
  /** What the optimizer keeps beside each parameter: `dense/kernel/momentum`. */
  readonly slots: readonly Weight[];
  /** The words of `shaders/lib/state.wgsl`, the number of steps first. */
  readonly state: Uint32Array;
  /** Sums over the epoch so far, `shaders/advance.wgsl`. */
  readonly metrics: Uint32Array;
  /** Epochs so far, which the orders of a new `fit` follow. */
  readonly epochs: number;
  /** What `evaluate` and `predict` multiply bytes by. */
  readonly byteScale: number | undefined;
  /** Where `fit({ resume: true })` goes on; `undefined` where the last step was not of a `fit`. */
  readonly fit: (Omit<Bookmark, "history"> & { readonly history: Pick<History, "epoch" | "history"> }) | undefined;
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
  return {
    version: VERSION,
    loss: loss.name,
    optimizer: optimizer.name,
    weights: filled(weights),
    slots: filled(slots),
    state: words[0]!,
    metrics: words[1]!,
    ...host!,
  };
}

/**
 * Puts a model where a snapshot was taken: weights, optimizer, counts. `fit({ resume: true })` then goes on to the same bits
 * as the training that it was taken of, on the same adapter, with the same data and choices (`model.stats().choices`).
 *
 * @throws FeaturemapError and changes nothing: `data` for what is no snapshot; `value`, `shape` where it is of another loss,
 *   optimizer or network, and which; `state` where the model is not compiled, or trains
 */
export async function restore(model: Sequential, snapshot: Snapshot): Promise<void> {
  assertModel(model, "restore");
  await model.inside.alone("restore", async () => {
    const { compiled, network, training } = await insideOf(model, "restore");
    checkSnapshot(snapshot, compiled, network);
    const { weights, slots, state, metrics, hyperparameters, epochs, byteScale, fit } = snapshot;
    await compiled.write(compiled.state.trained, [...[...weights, ...slots].map(({ data }) => data), state, metrics]);
    compiled.state.hyperparameters = hyperparameters;
    Object.assign(training, { epochs, byteScale, bookmark: fit && { ...fit, history: new History(fit.history) } });
  });
}

type Part = Omit<Weight, "data">;

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

function checkSnapshot(snapshot: Snapshot, compiled: CompiledModel, network: Network): void {
  const { loss, optimizer } = trained(compiled, "restore");
  const words = snapshot?.version === VERSION && snapshot.state?.length === STATE_WORDS;
  if (!words || snapshot.metrics?.length !== METRIC_WORDS) {
    const got = snapshot?.version === undefined ? show(snapshot) : `one of version ${show(snapshot.version)}`;
    throw new FeaturemapError(
      "data",
      `restore wants a snapshot of version ${VERSION}, from snapshot(model), got ${got}.`,
    );
  }
  sameWord(snapshot.loss, loss.name, "loss");
  sameWord(snapshot.optimizer, optimizer.name, "optimizer");
  const rates = (values: object) => Object.keys(values).sort().join(", ");
  sameWord(rates(snapshot.hyperparameters), rates(compiled.state.hyperparameters), "hyperparameters");
  const { weights, slots } = partsOf(compiled, network);
  sameParts(snapshot.weights, weights, "parameter");
  sameParts(snapshot.slots, slots, "optimizer slot");
}

function sameWord(got: unknown, wanted: string, what: string): void {
  if (got === wanted) return;
  const is = `is of ${what} ${show(got)}, the model has ${show(wanted)}`;
  throw new FeaturemapError("value", `restore: the snapshot ${is}. Compile the model as the one that it was taken of.`);
}

function sameParts(got: readonly Weight[], wanted: readonly Part[], what: string): void {
  const length = Math.max(got.length, wanted.length);
  for (let i = 0; i < length; i++) {
    const [a, b] = [got[i], wanted[i]];
    if (a && b && a.name === b.name && sameShape(a.shape, b.shape) && a.data?.length === elements(b.shape)) continue;
    const differ = `${what} ${i} of the snapshot is ${named(a)}, the model's is ${named(b)}`;
    throw new FeaturemapError(
      "shape",
      `restore: ${differ}. Build the model of the same layers, with the same optimizer.`,
    );
  }
}

function named(part: { readonly name: string; readonly shape: Shape } | undefined): string {
  return part ? `"${part.name}" ${showShape(part.shape)}` : "missing";
}
