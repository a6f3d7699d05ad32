import { checkedAt, firstNotFinite, list } from "../base/check.ts";
import { FeaturemapError, knownKeys, show } from "../base/errors.ts";
import { type Shape, sameShape, showShape } from "../base/shape.ts";
import type { Loss } from "../losses/loss.ts";
import { isLossName, type LossName } from "../losses/losses.ts";
import type { Metric } from "../metrics/metric.ts";
import { COMPILE_OPTIONS, type CompileOptions } from "../model/compile-options.ts";
import type { CompiledModel } from "../model/compiled.ts";
import { assertModel, INTERNALS, internalsOf, type WithInternals } from "../model/internals.ts";
import type { Model } from "../model/model.ts";
import type { Prediction } from "../model/run-types.ts";
import type { Network } from "../network/network.ts";
import { configOf, type GradientTransform, type Optimizer, type Schedule } from "../optimizers/optimizer.ts";
import type { OutputSettings } from "../program/measures.ts";
import { type FromConfigOptions, type ModelConfig, modelOf, toConfig } from "./config.ts";
import { asFloats } from "./element-types.ts";
import { packModel, type SavedCompile, type SavedPart, savedPart, unpackModel, unpackWeights } from "./model-file.ts";
import type { ModelParts, PartFactory } from "./parts.ts";
import type { SafeTensor } from "./safetensors.ts";

/** Options of `compile`, and factories of the app's own layers. An option wins over what the file says unless it is `undefined`. */
export interface LoadOptions extends CompileOptions, FromConfigOptions {}

/**
 * Saves a model as one safetensors file. Its tensors are the weights by name (`conv2d/kernel`): other readers of the format find
 * them, too. Its metadata has the architecture (`toConfig`), loss, optimizer, metrics, the scale of bytes, and a checksum. The
 * weights are of one moment, also while `fit` runs. The optimizer's slots are not saved: `snapshot` has them.
 *
 * @throws FeaturemapError `value` as `toConfig` does; `state` where the model is not compiled
 */
export async function saveModel<P>(model: Model<P>): Promise<Uint8Array<ArrayBuffer>> {
  const { compiled, training } = await internalsOf(model, "saveModel");
  const config = toConfig(model);
  const { byteScales } = training;
  const compile = compileOf(compiled);
  const weights = await model.getWeights();
  const tensors = new Map(weights.map(({ name, shape, data }) => [name, { shape, data }]));
  return packModel({ config, compile, byteScales, tensors });
}

/** Describes the options of `compile`, with the current hyperparameters, which a schedule may have changed. */
function compileOf({ settings: { training }, network, variables }: CompiledModel): SavedCompile {
  if (!training) return { metrics: [] };
  const { outputs, optimizer, augment } = training;
  const config = optimizer.config && { ...configOf(optimizer), ...variables.store.rates };
  const byOutput = <T>(of: (output: OutputSettings) => T) =>
    network.outputs.length === 1
      ? of(outputs[0]!)
      : Object.fromEntries(outputs.map((output) => [output.name, of(output)]));
  return {
    loss: lossesOf(network, outputs),
    lossWeights: Object.fromEntries(outputs.map(({ name, weight }) => [name, weight])),
    optimizer: { name: optimizer.name, ...(config && { config }) },
    metrics: byOutput(({ metrics }) =>
      metrics.map(({ name, made }) => (made ? { name: made.by, config: made.config } : { name })),
    ),
    ...(augment.length > 0 && { augment: augment.map(({ name, config }) => ({ name, config })) }),
  };
}

/** Describes losses: the names of those without options, parts of the others. */
function lossesOf({ outputs: all }: Network, outputs: readonly OutputSettings[]): SavedCompile["loss"] {
  const saved = outputs.map(({ name, loss: { name: word, made } }) => {
    return [name, made ? { name: made.by, config: made.config } : word] as const;
  });
  const [, only] = saved[0]!;
  return all.length === 1 && typeof only === "string" ? only : Object.fromEntries(saved);
}

/** Loads a model out of parts. See `loadModel`. */
export async function loadedModel<Predicted = Prediction>(
  bytes: Uint8Array | ArrayBuffer,
  options: LoadOptions,
  parts: ModelParts,
): Promise<Model<Predicted>> {
  const where = "loadModel";
  knownKeys(options, [...COMPILE_OPTIONS, "layers"], where);
  const { layers, ...others } = options;
  const given: CompileOptions = Object.fromEntries(Object.entries(others).filter(([, value]) => value !== undefined));
  const { config, compile, byteScales, tensors } = unpackModel(bytes, where);
  const model = modelOf<Predicted>(config as ModelConfig, { ...(layers !== undefined && { layers }) }, parts);
  const { network } = model[INTERNALS].architecture;
  if (!network) throw new FeaturemapError("data", `${where}: the file's config has no inputShape.`);
  const values = weightsFor({ variables: network.weights }, tensors, where);
  const names = network.outputs.map(({ name }) => name);
  const settings = { ...savedOptions(compile, given, names, parts), ...given };
  try {
    await model.compile(settings);
    const { compiled, training } = await internalsOf(model, where);
    await compiled.variables.writeWeights(values);
    training.byteScales = byteScales;
  } catch (error) {
    model.dispose();
    throw error;
  }
  return model;
}

/**
 * Puts the weights of a safetensors file in place of a model's, by name. Any writer's file will do. Numbers of other types than F32
 * become the nearest 32-bit floats. Everything is read before the promise is returned, and checked before anything changes: after
 * an error the model is as it was. Damage to values can only be told in files of `saveModel`: others have no checksum.
 *
 * @throws FeaturemapError `data` where the file is damaged; `shape` where its names or shapes are not the model's; `value` where a
 *   weight is not finite; `state` where the model is not compiled
 */
export async function loadWeights(model: WithInternals, bytes: Uint8Array | ArrayBuffer): Promise<void> {
  const where = "loadWeights";
  assertModel(model, where);
  const tensors = unpackWeights(bytes, where);
  await model[INTERNALS].setWeights(where, ({ weights }) => weightsFor({ variables: weights }, tensors, where));
}

/** Finds the values of a network's parameters, in its order. */
export function weightsFor(
  { variables }: { readonly variables: readonly { readonly path: string; readonly shape: Shape }[] },
  tensors: ReadonlyMap<string, SafeTensor>,
  where: string,
): Float32Array[] {
  const known = new Set(variables.map(({ path }) => path));
  const extra = [...tensors.keys()].find((name) => !known.has(name));
  if (extra !== undefined)
    throw new FeaturemapError("shape", `${where}: the file has weights ${show(extra)}, which the model has not.`);
  return variables.map(({ path, shape }) => {
    const tensor = tensors.get(path);
    if (!tensor) {
      const has = tensors.size > 0 ? show([...tensors.keys()]) : "no weights";
      throw new FeaturemapError("shape", `${where}: the file has no weights "${path}". It has: ${has}.`);
    }
    if (!sameShape(tensor.shape, shape)) {
      const message = `"${path}" has shape ${showShape(shape)} in the model, but ${show(tensor.shape)} in the file`;
      throw new FeaturemapError("shape", `${where}: ${message}.`);
    }
    const data = asFloats(tensor.data);
    const bad = firstNotFinite(data);
    if (bad < 0) return data;
    const got = `must hold finite numbers, as 32-bit floats, got ${tensor.data[bad]} at place ${bad}`;
    throw new FeaturemapError("value", `${where}: "${path}" ${got}. Nothing can be learned from there on.`);
  });
}

/** Gives the file's options of `compile`, except those that the caller gives. */
function savedOptions(
  { loss, lossWeights, optimizer, metrics, augment }: SavedCompile,
  given: CompileOptions,
  outputs: readonly string[],
  parts: ModelParts,
): CompileOptions {
  const trained = (byOutput: object) =>
    Object.fromEntries(Object.entries(byOutput).filter(([name]) => !isWithoutLoss(name, given)));
  return {
    ...(loss !== undefined && !given.loss && { loss: savedLoss(loss, outputs, parts) }),
    ...(loss !== undefined && lossWeights && { lossWeights: trained(lossWeights) }),
    ...(optimizer && !given.optimizer && { optimizer: savedOptimizer(optimizer, parts) }),
    ...(augment &&
      !given.augment && { augment: augment.map((each) => madeAgain(parts.augmentations, each, "augment")) }),
    ...(!given.metrics && {
      metrics: savedMetrics(metrics && !Array.isArray(metrics) ? trained(metrics) : (metrics ?? []), parts),
    }),
  };
}

/** Tells whether the caller takes an output's loss away. */
function isWithoutLoss(output: string, { loss }: CompileOptions): boolean {
  return Object.entries(loss ?? {}).some(([name, value]) => name === output && value === null);
}

/** Gives the file's losses. An output that the file does not name has none. */
function savedLoss(
  loss: NonNullable<SavedCompile["loss"]>,
  outputs: readonly string[],
  parts: ModelParts,
): NonNullable<CompileOptions["loss"]> {
  const made = (saved: string | SavedPart): LossName | Loss => {
    if (typeof saved !== "string") return madeAgain(parts.losses, saved, "loss");
    if (isLossName(saved)) return saved;
    throw notOurs("loss", saved);
  };
  if (typeof loss === "string") return made(loss);
  return Object.fromEntries(
    outputs.map((output) => [output, Object.hasOwn(loss, output) ? made(loss[output]!) : null]),
  );
}

function savedOptimizer({ name, config }: SavedPart, parts: ModelParts): Optimizer {
  const { transforms, ...options } = config ?? {};
  const { learningRate } = options;
  const wrappers = Object.entries(parts.wrappers).filter(([option]) => Object.hasOwn(options, option));
  const own = Object.entries(options).filter(([option]) => !Object.hasOwn(parts.wrappers, option));
  const all = {
    ...Object.fromEntries(own),
    ...(typeof learningRate === "object" && { learningRate: savedSchedule(learningRate, parts) }),
    ...(transforms !== undefined && { transforms: savedTransforms(transforms, parts) }),
  };
  const made = madeAgain(parts.optimizers, { name, config: config && all }, "optimizer");
  return wrappers.reduce((optimizer, [option, wrap]) => wrap(optimizer, options[option]), made);
}

function savedSchedule(saved: unknown, parts: ModelParts): Schedule {
  const part = checkedAt(savedPart, saved, "loadModel: compile.optimizer.config.learningRate", "data");
  return madeAgain(parts.schedules, part, "optimizer", "schedule");
}

function savedTransforms(saved: unknown, parts: ModelParts): readonly GradientTransform[] {
  const transforms = checkedAt(list(savedPart), saved, "loadModel: compile.optimizer.config.transforms", "data");
  return transforms.map((transform) => madeAgain(parts.transforms, transform, "optimizer", "gradient transform"));
}

function savedMetrics(
  metrics: NonNullable<SavedCompile["metrics"]>,
  parts: ModelParts,
): NonNullable<CompileOptions["metrics"]> {
  const known: Readonly<Record<string, PartFactory<Metric>>> = { ...parts.losses, ...parts.metrics };
  /** A metric may be made of another, as those of `weighted` are. */
  const again = ({ name, config }: SavedPart): Metric => {
    const of = config?.metric;
    if (of === undefined) return madeAgain(known, { name, config }, "metrics");
    const metric = again(checkedAt(savedPart, of, "loadModel: compile.metrics: config.metric", "data"));
    return madeAgain(known, { name, config: { ...config, metric } }, "metrics");
  };
  const made = (saved: readonly SavedPart[]) => saved.map(again);
  if (Array.isArray(metrics)) return made(metrics);
  return Object.fromEntries(Object.entries(metrics).map(([output, saved]) => [output, made(saved)]));
}

/** Makes a part of a file again. `option` is the one of `compile` that brings one's own. */
function madeAgain<T>(
  known: Readonly<Record<string, PartFactory<T>>>,
  { name, config }: SavedPart,
  option: string,
  what = option,
): T {
  const make = Object.hasOwn(known, name) ? known[name] : undefined;
  if (config === undefined || !make) throw notOurs(option, name, what);
  return make(config);
}

function notOurs(option: string, name: string, what = option): FeaturemapError {
  const remedy = `Bring it: loadModel(bytes, { ${option}: ... })`;
  return new FeaturemapError("value", `loadModel: the file's ${what} ${show(name)} is not the library's. ${remedy}.`);
}
