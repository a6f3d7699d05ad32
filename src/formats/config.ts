import {
  asObject,
  type Check,
  checkedAt,
  list,
  type Place,
  plain,
  readAt,
  record,
  text,
  wrongAt,
} from "../base/check.ts";
import { anObject, FeaturemapError, knownKeys, oneOf, show } from "../base/errors.ts";
import { averagePooling2d } from "../layers/average-pooling2d.ts";
import { conv2d } from "../layers/conv2d.ts";
import { dense } from "../layers/dense.ts";
import { dropout } from "../layers/dropout.ts";
import { flatten } from "../layers/flatten.ts";
import { type Layer, subject } from "../layers/layer.ts";
import { maxPooling2d } from "../layers/max-pooling2d.ts";
import { assertModel } from "../model/inside.ts";
import { type Sequential, sequential } from "../model/sequential.ts";

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

const LAYERS: readonly [string, LayerFactory][] = [
  ["Conv2D", conv2d],
  ["MaxPooling2D", maxPooling2d],
  ["AveragePooling2D", averagePooling2d],
  ["Dropout", dropout],
  ["Flatten", flatten],
  ["Dense", dense],
];

/**
 * A model's architecture, without its weights, as plain JSON: layers with their class names, names and options, defaults too.
 *
 * @throws FeaturemapError `value` for a layer whose `config` is missing, cannot be read, or does not fit into JSON. An initializer that
 *   is a function does not.
 */
export function toConfig(model: Sequential): ModelConfig {
  assertModel(model, "toConfig");
  const { network } = model.inside;
  const layers = network.layers.map(({ layer, name }, i) => {
    const where = `toConfig: ${subject(layer.type, name)}`;
    const place: Place = { path: where, code: "value" };
    const options = readAt(place, () => layer.config);
    if (!options) {
      const remedy = "Give the layer a config: the options that make it again, as plain JSON.";
      throw new FeaturemapError("value", `${where} does not know its options. ${remedy}`);
    }
    // The layer's own: its options may say another name, and no inputShape is left out below.
    const own = { name, inputShape: i === 0 ? network.inputShape : layer.inputShape };
    const given = asObject(options, { ...place, path: `${where}.config` }, "an object of options");
    const config = readAt(place, () => ({ ...own, ...given, ...own }));
    return { className: layer.type, config: OPTIONS(config, place) };
  });
  return { className: "Sequential", version: VERSION, name: model.name, layers };
}

const version: Check<typeof VERSION> = (value, place) => {
  if (value === VERSION) return VERSION;
  throw wrongAt(place, `be ${VERSION}`, value, "Newer ones need a newer featuremap.");
};

const OPTIONS: Check<LayerConfig["config"]> = (value, place) =>
  plain(asObject(value, place, "an object of options"), place) as LayerConfig["config"];

const CONFIG: Check<ModelConfig> = (value, place) => {
  const what = "an object, as toConfig() gives it";
  if (typeof value === "string") throw wrongAt(place, `be ${what}`, value, "Of JSON, give JSON.parse(text).");
  return record<ModelConfig>(
    {
      className: (value, { path }) => oneOf(value, ["Sequential"], path),
      version,
      name: text,
      layers: list(record<LayerConfig>({ className: text, config: OPTIONS }, { only: true })),
    },
    { only: true, what },
  )(value, place);
};

/**
 * A new model, not compiled, of an architecture that `toConfig` wrote down. Takes plain JSON: objects without classes, nested up
 * to 32 levels deep.
 *
 * @throws FeaturemapError `value` for a layer or option that is unknown or wrong; `shape` where layers do not fit together
 * @example
 * const copy = fromConfig(JSON.parse(JSON.stringify(toConfig(model))));
 */
export function fromConfig(config: ModelConfig, options: FromConfigOptions = {}): Sequential {
  const where = "fromConfig: config";
  knownKeys(options, ["layers"], "fromConfig");
  const { name, layers } = checkedAt(CONFIG, config, where);
  const factories = new Map([...LAYERS, ...checkedFactories(options.layers === undefined ? {} : options.layers)]);
  const made = layers.map((each, i) => layerOf(each, factories, `${where}.layers[${i}]`));
  const model = sequential(made, { name });
  model.inside.network.layers.forEach((built, i) => {
    const { className, config } = layers[i]!;
    if (config.name === undefined || built.name === config.name) return;
    const message = `${where}.layers[${i}] is named ${show(config.name)}`;
    const made = `but the factory of ${show(className)} made ${show(built.name)}`;
    throw new FeaturemapError("value", `${message}, ${made}. Let it pass the name on.`);
  });
  return model;
}

function checkedFactories(layers: Readonly<Record<string, LayerFactory>>): [string, LayerFactory][] {
  return Object.entries(anObject(layers, "fromConfig: layers")).map(([className, factory]) => {
    if (typeof factory === "function") return [className, factory];
    const got = `(config) => Layer, got ${show(factory)}`;
    throw new FeaturemapError("value", `fromConfig: layers.${className} must be a function ${got}.`);
  });
}

function layerOf(
  { className, config }: LayerConfig,
  factories: ReadonlyMap<string, LayerFactory>,
  where: string,
): Layer {
  const factory = factories.get(className);
  if (!factory) {
    const known = `It can be: ${[...factories.keys()].join(", ")}`;
    const remedy = "A layer of your own comes by fromConfig(config, { layers: { ItsClassName: (config) => layer } }).";
    throw new FeaturemapError("value", `${where}.className is no known layer: ${show(className)}. ${known}. ${remedy}`);
  }
  try {
    return factory(config);
  } catch (error) {
    if (!(error instanceof FeaturemapError)) throw error;
    throw new FeaturemapError(error.code, `${where}: ${error.message}`, { cause: error });
  }
}
