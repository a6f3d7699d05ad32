import { FeaturemapError, knownKeys, oneOf } from "../base/errors.ts";
import type { CompiledModel } from "../model/compiled.ts";
import { assertModel, INTERNALS, internalsOf, type WithInternals } from "../model/internals.ts";
import { configOf, type Optimizer } from "../optimizers/optimizer.ts";
import { Bookmark } from "../training/bookmark.ts";
import { checkedSnapshot, checksumOf, checkTarget, type SnapshotTarget } from "./snapshot-check.ts";
import { type SavedVariable, type Snapshot, VERSION } from "./snapshot-format.ts";

/** Options for an optimizer of other constants. */
export interface RestoreOptions {
  /**
   * Source of the learning rate and constants. `"snapshot"` (default): the learning rate is the snapshot's, and other constants, such
   * as another `momentum`, are an error. `"model"`: they are those that the model was compiled with.
   */
  readonly optimizer?: "snapshot" | "model";
}

/**
 * Takes a snapshot of a model's training. It may come at any time: while `fit` runs, from a callback, in a pause, or after `fit` was
 * stopped. It is of one moment between two submits, and takes one copy and one read. Training does not wait for it, unless the model
 * was compiled with `memory: "compact"`.
 *
 * @throws FeaturemapError `state` where the model is not compiled or not for training; `lost` where the device is lost
 */
export async function snapshot(model: WithInternals): Promise<Snapshot> {
  const { compiled, training } = await internalsOf(model, "snapshot");
  const { outputs, optimizer } = trained(compiled, "snapshot");
  const { store } = compiled.variables;
  let host: Pick<Snapshot, "hyperparameters" | "epochs" | "byteScales" | "fit">;
  const read = await compiled.variables.read(store.trained, () => {
    const { epochs, byteScales, bookmark } = training;
    host = { hyperparameters: { ...store.rates }, epochs, byteScales: { ...byteScales }, fit: bookmark?.data() };
  });
  const taken = {
    version: VERSION,
    losses: lossesOf(outputs),
    optimizer: optimizer.name,
    constants: constantsOf(optimizer),
    variables: store.trained.map(({ variable: { path, role, shape, dtype } }, i): SavedVariable => {
      const data = dtype === "f32" ? new Float32Array(read[i]!) : new Uint32Array(read[i]!);
      return { path, role, shape: [...shape], data };
    }),
    ...host!,
  } as const;
  return { ...taken, checksum: checksumOf(taken) };
}

/**
 * Restores a model to a snapshot: weights, optimizer, counts. `fit({ resume: true })` then goes on to the same bits as the first training,
 * if adapter, data and choices (`model.stats().choices`) are the same.
 *
 * The snapshot is read before the promise is returned, and checked as a whole before anything changes. Weights that are not finite
 * are refused, since nothing can be learned from them. After an error nothing has changed.
 *
 * @throws FeaturemapError `data` for something else, or a damaged snapshot, such as a copy by JSON; `value`, `shape` if it is of another
 *   loss, optimizer or network; `state` if the model is not compiled, or trains
 * @example
 * await restore(model, await store.get("last"));
 * await model.fit(x, y, { epochs: 10, resume: true });
 */
export async function restore(model: WithInternals, snapshot: Snapshot, options: RestoreOptions = {}): Promise<void> {
  assertModel(model, "restore");
  knownKeys(options, ["optimizer"], "restore");
  const own = oneOf(options.optimizer ?? "snapshot", ["snapshot", "model"], "restore: optimizer") === "model";
  const taken = checkedSnapshot(snapshot, "restore");
  await model[INTERNALS].exclusive("restore", async () => {
    const { compiled, training } = await internalsOf(model, "restore");
    checkTarget(taken, targetOf(compiled), own);
    const { variables, hyperparameters, epochs, byteScales, fit } = taken;
    const { trained } = compiled.variables.store;
    await compiled.variables.write(trained.map((stored, i) => [stored, variables[i]!.data]));
    if (!own) await compiled.variables.setRates(hyperparameters);
    training.epochs = epochs;
    training.byteScales = byteScales;
    training.bookmark = fit && new Bookmark(fit);
  });
}

function targetOf(compiled: CompiledModel): SnapshotTarget {
  const { outputs, optimizer } = trained(compiled, "restore");
  const { store } = compiled.variables;
  return {
    losses: lossesOf(outputs),
    outputs: compiled.network.outputs.length,
    optimizer: optimizer.name,
    constants: constantsOf(optimizer),
    hyperparameters: store.rates,
    variables: store.trained.map(({ variable }) => variable),
  };
}

function lossesOf(outputs: readonly { readonly name: string; readonly loss: { readonly name: string } }[]) {
  return Object.fromEntries(outputs.map(({ name, loss }) => [name, loss.name]));
}

/** Options in the optimizer's `config` beside its hyperparameters, each as one plain value. */
function constantsOf(optimizer: Optimizer): Snapshot["constants"] {
  const { hyperparameters } = optimizer;
  const constants = Object.entries(configOf(optimizer)).filter(([name]) => !Object.hasOwn(hyperparameters, name));
  return Object.fromEntries(
    constants.map(([name, value]) => [
      name,
      /^(string|number|boolean)$/.test(typeof value) ? value : (JSON.stringify(value) ?? null),
    ]),
  ) as Snapshot["constants"];
}

function trained({ settings: { training } }: CompiledModel, where: string) {
  if (training) return training;
  throw new FeaturemapError("state", `${where}: the model was compiled to predict. Give compile() loss and optimizer.`);
}
