import { FeaturemapError, knownKeys, listOf, oneOf, show } from "../errors.ts";
import { averagePooling2d } from "../layers/average-pooling2d.ts";
import { conv2d } from "../layers/conv2d.ts";
import { dense } from "../layers/dense.ts";
import { dropout } from "../layers/dropout.ts";
import { flatten } from "../layers/flatten.ts";
import { type Layer, subject } from "../layers/layer.ts";
import { maxPooling2d } from "../layers/max-pooling2d.ts";
import { assertModel } from "./inside.ts";
import { type Sequential, sequential } from "./sequential.ts";

export interface LayerConfig {
  /** Keras's class name: `Conv2D`. */
  readonly className: string;
  /** The layer's options in Keras's words, its `name` among them and, where it was given one or is the first, `inputShape`. */
  readonly config: Readonly<Record<string, unknown>>;
}

/** A model's architecture as plain JSON. */
export interface ModelConfig {
  readonly className: "Sequential";
  /** Of this format. */
  readonly version: typeof VERSION;
  readonly name: string;
  readonly layers: readonly LayerConfig[];
}

/** Makes a layer of one's own from the `config` that `toConfig` wrote down. */
// biome-ignore lint/suspicious/noExplicitAny: a factory says itself which options it takes, and checks them
export type LayerFactory = (config: any) => Layer;

export interface FromConfigOptions {
  /** Layers of one's own, by class name (`Layer.type`). */
  readonly layers?: Readonly<Record<string, LayerFactory>>;
}

const VERSION = 1;

const LAYERS: Readonly<Record<string, LayerFactory>> = {
  Conv2D: conv2d,
  MaxPooling2D: maxPooling2d,
  AveragePooling2D: averagePooling2d,
  Dropout: dropout,
  Flatten: flatten,
  Dense: dense,
};

/**
 * A model's architecture, without its weights, as plain JSON: layers with their class names, names and options, defaults too.
 *
 * @throws FeaturemapError `value` for a layer that has no `config`, or one that JSON cannot hold, such as an initializer that
 *   is a function
 */
export function toConfig(model: Sequential): ModelConfig {
  assertModel(model, "toConfig");
  const { network } = model.inside;
  const layers = network.layers.map(({ layer, name }, i) => {
    const where = `toConfig: ${subject(layer.type, name)}`;
    if (!layer.config) {
      const remedy = "Give the layer a config: the options that make it again, as plain JSON.";
      throw new FeaturemapError("value", `${where} does not know its options. ${remedy}`);
    }
    const inputShape = i === 0 ? network.inputShape : layer.inputShape;
    const config = { name, ...(inputShape && { inputShape }), ...layer.config };
    return { className: layer.type, config: plain(config, where) as LayerConfig["config"] };
  });
  return { className: "Sequential", version: VERSION, name: model.name, layers };
}

/**
 * A new model, not compiled, of an architecture that `toConfig` wrote down.
 *
 * @throws FeaturemapError `value` for a layer or option that is unknown or wrong; `shape` where layers do not fit together
 */
export function fromConfig(config: ModelConfig, options: FromConfigOptions = {}): Sequential {
  const where = "fromConfig: config";
  knownKeys(options, ["layers"], "fromConfig");
  if (typeof config !== "object" || config === null || Array.isArray(config)) {
    throw new FeaturemapError("value", `${where} must be an object, as toConfig() gives it, got ${show(config)}.`);
  }
  if (config.version !== VERSION) {
    const got = `got ${show(config.version)}. Newer ones need a newer featuremap`;
    throw new FeaturemapError("value", `${where}.version must be ${VERSION}, ${got}.`);
  }
  knownKeys(config, ["className", "version", "name", "layers"], where);
  oneOf(config.className, ["Sequential"], `${where}.className`);
  if (typeof config.name !== "string")
    throw new FeaturemapError("value", `${where}.name must be a word, got ${show(config.name)}.`);
  const factories = { ...LAYERS, ...checkedFactories(options.layers ?? {}) };
  const made = listOf(config.layers, `${where}.layers`).map((each, i) =>
    layerOf(each, factories, `${where}.layers[${i}]`),
  );
  const model = sequential(made, { name: config.name });
  model.inside.network.layers.forEach(({ name }, i) => {
    const wanted = config.layers[i]!.config.name;
    if (wanted !== undefined && name !== wanted) {
      const factory = `the factory of "${config.layers[i]!.className}"`;
      const message = `${where}.layers[${i}] is named ${show(wanted)}, but ${factory} made ${show(name)}.`;
      throw new FeaturemapError("value", `${message} Let it pass the name on.`);
    }
  });
  return model;
}

function checkedFactories(layers: Readonly<Record<string, LayerFactory>>): Readonly<Record<string, LayerFactory>> {
  for (const [className, factory] of Object.entries(layers)) {
    if (typeof factory === "function") continue;
    const got = `(config) => Layer, got ${show(factory)}`;
    throw new FeaturemapError("value", `fromConfig: layers.${className} must be a function ${got}.`);
  }
  return layers;
}

function layerOf(each: LayerConfig, factories: Readonly<Record<string, LayerFactory>>, where: string): Layer {
  knownKeys(each, ["className", "config"], where);
  const { className, config } = each;
  if (typeof className !== "string" || !Object.hasOwn(factories, className)) {
    const known = `It can be: ${Object.keys(factories).join(", ")}`;
    const remedy = "A layer of your own comes by fromConfig(config, { layers: { ItsClassName: (config) => layer } }).";
    throw new FeaturemapError("value", `${where}.className is no known layer: ${show(className)}. ${known}. ${remedy}`);
  }
  if (typeof config !== "object" || config === null || Array.isArray(config))
    throw new FeaturemapError("value", `${where}.config must be an object of options, got ${show(config)}.`);
  try {
    return factories[className]!(config);
  } catch (error) {
    if (!(error instanceof FeaturemapError)) throw error;
    throw new FeaturemapError(error.code, `${where}: ${error.message}`, { cause: error });
  }
}

/** A copy of plain JSON; options that are not set are left out. */
function plain(value: unknown, where: string): unknown {
  if (value === null || typeof value === "string" || typeof value === "boolean" || Number.isFinite(value)) return value;
  if (Array.isArray(value)) return value.map((item, i) => plain(item, `${where}[${i}]`));
  if (typeof value === "object" && Object.getPrototypeOf(value) === Object.prototype) {
    const set = Object.entries(value).filter(([, item]) => item !== undefined);
    return Object.fromEntries(set.map(([key, item]) => [key, plain(item, `${where}: ${key}`)]));
  }
  const remedy =
    typeof value === "function" ? "Use one that has a name." : "Use numbers, words, flags and lists of them.";
  throw new FeaturemapError("value", `${where} is ${show(value)}, which JSON cannot hold. ${remedy}`);
}
