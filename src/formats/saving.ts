import { firstNotFinite } from "../base/check.ts";
import { FeaturemapError, knownKeys, show } from "../base/errors.ts";
import { type Shape, sameShape, showShape } from "../base/shape.ts";
import { LOSSES, type LossName, type MetricName } from "../losses/losses.ts";
import { COMPILE_OPTIONS, type CompileOptions } from "../model/compile-options.ts";
import type { CompiledModel } from "../model/compiled.ts";
import { assertModel, insideOf } from "../model/inside.ts";
import type { Sequential } from "../model/sequential.ts";
import { adagrad } from "../optimizers/adagrad.ts";
import { adam, adamW } from "../optimizers/adam.ts";
import { type Optimizer, sgd } from "../optimizers/optimizer.ts";
import { rmsprop } from "../optimizers/rmsprop.ts";
import { type FromConfigOptions, fromConfig, type ModelConfig, toConfig } from "./config.ts";
import { asFloats } from "./element-types.ts";
import { packModel, type SavedCompile, unpackModel, unpackWeights } from "./model-file.ts";
import type { SafeTensor } from "./safetensors.ts";

/** Options of `compile`, each of which wins over what the file says unless it is `undefined`, and layers of one's own. */
export interface LoadOptions extends CompileOptions, FromConfigOptions {}

/** The library's, by name. */
// biome-ignore lint/suspicious/noExplicitAny: each checks its options itself
export const OPTIMIZERS: ReadonlyMap<string, (config: any) => Optimizer> = /* @__PURE__ */ new Map([
  ["adagrad", adagrad],
  ["adam", adam],
  ["adamW", adamW],
  ["rmsprop", rmsprop],
  ["sgd", sgd],
]);

/**
 * A model as one safetensors file: weights by name (`conv2d/kernel`), which other readers of the format find too, and in its
 * metadata the architecture (`toConfig`), loss, optimizer and metrics, what bytes were scaled by, and a checksum. The weights are
 * of one moment, also while `fit` runs. What an optimizer remembers between steps is not saved: `snapshot` has it.
 *
 * @throws FeaturemapError `value` as `toConfig` does; `state` where the model is not compiled
 */
export async function saveModel(model: Sequential): Promise<Uint8Array<ArrayBuffer>> {
  const { compiled, training } = await insideOf(model, "saveModel");
  const config = toConfig(model);
  const { byteScale } = training;
  const compile = compileOf(compiled);
  const weights = await model.getWeights();
  const tensors = new Map(weights.map(({ name, shape, data }) => [name, { shape, data }]));
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
 * A model that `saveModel` wrote, compiled as it was, with its weights. The file is checked, whole, before anything is made, and
 * read before the promise is returned.
 *
 * @throws FeaturemapError `data` where the file is damaged or holds no model. `value` for weights that are not finite, and for unknown
 *   options. `value` for a layer, loss or optimizer that the library does not have: `layers`, `loss` and `optimizer` bring it. As
 *   `compile` does.
 * @example
 * const model = await loadModel(await (await fetch("digits.safetensors")).arrayBuffer());
 */
export async function loadModel(bytes: Uint8Array | ArrayBuffer, options: LoadOptions = {}): Promise<Sequential> {
  const where = "loadModel";
  knownKeys(options, [...COMPILE_OPTIONS, "layers"], where);
  const { layers, ...others } = options;
  const given: CompileOptions = Object.fromEntries(Object.entries(others).filter(([, value]) => value !== undefined));
  const { config, compile, byteScale, tensors } = unpackModel(bytes, where);
  const model = fromConfig(config as ModelConfig, { ...(layers !== undefined && { layers }) });
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
 * Puts the weights of a safetensors file, `saveModel`'s or another's, in place of a model's, by name. Numbers of other types than
 * F32 become the nearest 32-bit floats. Everything is checked first, and read before the promise is returned: where it throws,
 * the model is as it was. Damage to another writer's values cannot be told: such files have no checksum.
 *
 * @throws FeaturemapError `data` where the file is damaged; `shape` where its names or shapes are not the model's; `value` where a
 *   weight is not finite; `state` where the model is not compiled
 */
export async function loadWeights(model: Sequential, bytes: Uint8Array | ArrayBuffer): Promise<void> {
  const where = "loadWeights";
  assertModel(model, where);
  const tensors = unpackWeights(bytes, where);
  await model.inside.setParameters(where, (network) => weightsFor(network, tensors, where));
}

/** The values of a network's parameters, in its order. */
export function weightsFor(
  { parameters }: { readonly parameters: readonly { readonly path: string; readonly shape: Shape }[] },
  tensors: ReadonlyMap<string, SafeTensor>,
  where: string,
): Float32Array[] {
  const known = new Set(parameters.map(({ path }) => path));
  const extra = [...tensors.keys()].find((name) => !known.has(name));
  if (extra !== undefined)
    throw new FeaturemapError("shape", `${where}: the file has weights ${show(extra)}, which the model has not.`);
  return parameters.map(({ path, shape }) => {
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
  const make = OPTIMIZERS.get(name);
  if (config === undefined || !make) throw notOurs("optimizer", name);
  return make(config);
}

function notOurs(what: string, name: string): FeaturemapError {
  const remedy = `Bring it: loadModel(bytes, { ${what}: ... })`;
  return new FeaturemapError("value", `loadModel: the file's ${what} ${show(name)} is not the library's. ${remedy}.`);
}
