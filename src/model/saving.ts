import type { SafeTensor } from "../data/safetensors.ts";
import { FeaturemapError, show } from "../errors.ts";
import { type Shape, sameShape, showShape } from "../shape.ts";
import { adagrad } from "./adagrad.ts";
import { adam, adamW } from "./adam.ts";
import type { CompileOptions } from "./compile-options.ts";
import type { CompiledModel } from "./compiled.ts";
import { type FromConfigOptions, fromConfig, type ModelConfig, toConfig } from "./config.ts";
import { insideOf } from "./inside.ts";
import { LOSSES, type LossName, type MetricName } from "./losses.ts";
import { packModel, type SavedCompile, unpackModel, unpackWeights } from "./model-file.ts";
import { type Optimizer, sgd } from "./optimizers.ts";
import { rmsprop } from "./rmsprop.ts";
import type { Sequential } from "./sequential.ts";

/** Options of `compile`, each of which wins over what the file says, and layers of one's own. */
export interface LoadOptions extends CompileOptions, FromConfigOptions {}

/** The library's, by name. */
// biome-ignore lint/suspicious/noExplicitAny: each checks its options itself
export const OPTIMIZERS: Readonly<Record<string, (config: any) => Optimizer>> = { adagrad, adam, adamW, rmsprop, sgd };

/**
 * A model as one safetensors file: weights by name (`conv2d/kernel`), which other readers of the format find too, and in its
 * metadata the architecture (`toConfig`), loss, optimizer and metrics, what bytes were scaled by, and a checksum. The weights are
 * of one moment, also while `fit` runs. What an optimizer remembers between steps is not saved.
 *
 * @throws FeaturemapError `value` as `toConfig` does; `state` where the model is not compiled
 */
export async function saveModel(model: Sequential): Promise<Uint8Array<ArrayBuffer>> {
  const { compiled, training } = await insideOf(model, "saveModel");
  const config = toConfig(model);
  const { byteScale } = training;
  const compile = compileOf(compiled);
  const weights = await model.getWeights();
  const tensors = Object.fromEntries(weights.map(({ name, shape, data }) => [name, { shape, data }]));
  return packModel({ config, compile, byteScale, tensors });
}

/** The optimizer's hyperparameters are those of now: a schedule may have changed them. */
function compileOf({ settings: { loss, optimizer, withAccuracy }, state }: CompiledModel): SavedCompile {
  const config = optimizer?.config && { ...optimizer.config, ...state.hyperparameters };
  return {
    ...(loss && { loss: loss.name }),
    ...(optimizer && { optimizer: { name: optimizer.name, ...(config && { config }) } }),
    metrics: withAccuracy ? ["accuracy"] : [],
  };
}

/**
 * A model that `saveModel` wrote, compiled as it was, with its weights. The file is checked, whole, before anything is made.
 *
 * @throws FeaturemapError `data` where the file is damaged or holds no model; `value` for a layer, loss or optimizer that the
 *   library does not have (`layers`, `loss` and `optimizer` bring it); and as `compile` does
 */
export async function loadModel(bytes: Uint8Array | ArrayBuffer, options: LoadOptions = {}): Promise<Sequential> {
  const where = "loadModel";
  const { layers, ...given } = options;
  const { config, compile, byteScale, tensors } = unpackModel(bytes, where);
  const model = fromConfig(config as ModelConfig, layers ? { layers } : {});
  const { network } = model.inside;
  if (!network.inputShape) throw new FeaturemapError("data", `${where}: the file's config has no inputShape.`);
  const values = weightsFor(network, tensors, where);
  const settings = { ...savedOptions(compile, given), ...given };
  try {
    await model.compile(settings);
    const { compiled, training } = await insideOf(model, where);
    await compiled.setParameters(values);
    training.byteScale = byteScale;
  } catch (error) {
    model.dispose();
    throw error;
  }
  return model;
}

/**
 * Puts the weights of a safetensors file, `saveModel`'s or another's, in place of a model's, by name. Everything is checked
 * first: where it throws, the model is as it was.
 *
 * @throws FeaturemapError `data` where the file is damaged; `shape` where its names or shapes are not the model's; `state` where
 *   the model is not compiled
 */
export async function loadWeights(model: Sequential, bytes: Uint8Array | ArrayBuffer): Promise<void> {
  const where = "loadWeights";
  const { network, compiled } = await insideOf(model, where);
  await compiled.setParameters(weightsFor(network, unpackWeights(bytes, where), where));
}

/** The values of a network's parameters, in its order. */
export function weightsFor(
  { parameters }: { readonly parameters: readonly { readonly path: string; readonly shape: Shape }[] },
  tensors: Readonly<Record<string, SafeTensor>>,
  where: string,
): Float32Array[] {
  const names = Object.keys(tensors);
  const extra = names.find((name) => !parameters.some(({ path }) => path === name));
  if (extra !== undefined)
    throw new FeaturemapError("shape", `${where}: the file has weights ${show(extra)}, which the model has not.`);
  return parameters.map(({ path, shape }) => {
    if (!names.includes(path)) {
      const has = names.length > 0 ? names.join(", ") : "no weights";
      throw new FeaturemapError("shape", `${where}: the file has no weights "${path}". It has: ${has}.`);
    }
    const { shape: got, data } = tensors[path]!;
    if (!sameShape(got, shape)) {
      const message = `"${path}" has shape ${showShape(shape)} in the model, but ${showShape(got)} in the file`;
      throw new FeaturemapError("shape", `${where}: ${message}.`);
    }
    return data;
  });
}

/** What the file says of `compile`'s options, where the caller does not. */
function savedOptions({ loss, optimizer, metrics }: SavedCompile, given: CompileOptions): CompileOptions {
  return {
    ...(loss !== undefined && !given.loss && { loss: savedLoss(loss) }),
    ...(optimizer && !given.optimizer && { optimizer: savedOptimizer(optimizer) }),
    metrics: (metrics ?? []) as readonly MetricName[],
  };
}

function savedLoss(name: string): LossName {
  if ((LOSSES as readonly string[]).includes(name)) return name as LossName;
  throw notOurs("loss", name);
}

function savedOptimizer({ name, config }: NonNullable<SavedCompile["optimizer"]>): Optimizer {
  if (config === undefined || !Object.hasOwn(OPTIMIZERS, name)) throw notOurs("optimizer", name);
  return OPTIMIZERS[name]!(config);
}

function notOurs(what: string, name: string): FeaturemapError {
  const remedy = `Bring it: loadModel(bytes, { ${what}: ... })`;
  return new FeaturemapError("value", `loadModel: the file's ${what} ${show(name)} is not the library's. ${remedy}.`);
}
