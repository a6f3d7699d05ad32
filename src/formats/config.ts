import {
  asObject,
  type Check,
  type CheckContext,
  checkedAt,
  flag,
  list,
  plain,
  readAt,
  record,
  text,
  whole,
  wrongAt,
} from "../base/check.ts";
import { anObject, FeaturemapError, knownKeys, oneOf, show } from "../base/errors.ts";
import type { Shape } from "../base/shape.ts";
import { defineLayer } from "../layers/define-layer.ts";
import { input } from "../layers/input.ts";
import {
  type AnyLayer,
  type Layer,
  type LayerOutputs,
  type LayerSpec,
  type SymbolicTensor,
  subject,
} from "../layers/layer.ts";
import { model } from "../model/functional.ts";
import { assertModel, INTERNALS, type WithInternals } from "../model/internals.ts";
import type { Model } from "../model/model.ts";
import type { Prediction } from "../model/run-types.ts";
import { sequential } from "../model/sequential.ts";
import { activationsSaved } from "./activations.ts";
import { initializersSaved } from "./initializers.ts";
import { partsSaved } from "./layer-parts.ts";
import type { LayerFactory, ModelParts } from "./parts.ts";

export interface LayerConfig {
  /** Keras's class name: `Conv2D`. */
  readonly className: string;
  /** Options in Keras's words, with the layer's `name`. `inputShape` is there if it was given, or if the layer is the first. */
  readonly config: Readonly<Record<string, unknown>>;
}

/** Architecture of a model as plain JSON. */
export type ModelConfig = SequentialConfig | FunctionalConfig;

export interface SequentialConfig {
  readonly className: "Sequential";
  /** Version of this format. */
  readonly version: typeof VERSION;
  readonly name: string;
  readonly layers: readonly LayerConfig[];
}

/** Config of a functional model. Values are numbered: first the inputs, then the outputs of each use of a layer. */
export interface FunctionalConfig {
  readonly className: "Functional";
  readonly version: typeof VERSION;
  readonly name: string;
  readonly inputs: readonly { readonly name: string; readonly shape: Shape }[];
  readonly layers: readonly LayerConfig[];
  /** Uses of layers: a layer's name, and the values that it takes. A shared layer has several. */
  readonly uses: readonly { readonly layer: string; readonly inputs: readonly number[] }[];
  readonly outputs: readonly { readonly name: string; readonly value: number }[];
  /** Whether `predict` gives the output as it is, not by name. */
  readonly single: boolean;
}

export interface FromConfigOptions {
  /** Factories of the app's own layers, by class name (`Layer.type`). */
  readonly layers?: Readonly<Record<string, LayerFactory>>;
}

const VERSION = 1;

/**
 * Describes a model's architecture as plain JSON, without its weights: the layers' class names, names and options, defaults too.
 *
 * @throws FeaturemapError `value` for a layer whose `config` is missing, cannot be read, or does not fit into JSON: an initializer that
 *   is a function of one's own does not fit
 */
export function toConfig(model: WithInternals & { readonly name: string }): ModelConfig {
  assertModel(model, "toConfig");
  const { name } = model;
  const { className, layers, network, isSingle } = model[INTERNALS].architecture;
  const configs = layers.map(({ layer, name }, i) => {
    const first = className === "Sequential" && i === 0;
    return layerConfig(layer, name, first ? network?.inputs[0]?.shape : layer.inputShape);
  });
  if (className === "Sequential") return { className, version: VERSION, name, layers: configs };
  const { inputs, uses, outputs } = network!;
  return {
    className,
    version: VERSION,
    name,
    inputs: inputs.map(({ name, shape }) => ({ name, shape: [...shape] })),
    layers: configs,
    uses: uses.map(({ built, inputs }) => ({ layer: built.name, inputs: [...inputs] })),
    outputs: outputs.map(({ name, value }) => ({ name, value })),
    single: isSingle,
  };
}

function layerConfig(layer: AnyLayer, name: string, inputShape: Shape | undefined): LayerConfig {
  const where = `toConfig: ${subject(layer.type, name)}`;
  const context: CheckContext = { path: where, code: "value" };
  const options = readAt(context, () => layer.config);
  if (!options) {
    const remedy = "Give the layer a config: the options that make it again, as plain JSON.";
    throw new FeaturemapError("value", `${where} does not know its options. ${remedy}`);
  }
  // The layer's own values win: its options may say another name.
  const own = { name, inputShape, ...(layer.trainable === false && { trainable: false }) };
  const given = asObject(options, { ...context, path: `${where}.config` }, "an object of options");
  const config = readAt(context, () => partsSaved(activationsSaved(initializersSaved({ ...own, ...given, ...own }))));
  return { className: layer.type, config: OPTIONS(config, context) };
}

const version: Check<typeof VERSION> = (value, context) => {
  if (value === VERSION) return VERSION;
  throw wrongAt(context, `be ${VERSION}`, value, "Newer ones need a newer featuremap.");
};

const OPTIONS: Check<LayerConfig["config"]> = (value, context) =>
  plain(asObject(value, context, "an object of options"), context) as LayerConfig["config"];

const WHAT = "an object, as toConfig() gives it";

const layerConfigs: Check<LayerConfig[]> = (value, context) =>
  list(record<LayerConfig>({ className: text, config: OPTIONS }, { only: true }))(value, context);

const CONFIG: Check<ModelConfig> = (value, context) => {
  if (typeof value === "string") throw wrongAt(context, `be ${WHAT}`, value, "Of JSON, give JSON.parse(text).");
  const { className } = record<{ className: string }>({ className: text }, { what: WHAT })(value, context);
  const named = { version, name: text, layers: layerConfigs };
  if (className !== "Functional") {
    const sequential = (value: unknown, { path }: CheckContext) =>
      oneOf(value, ["Sequential", "Functional"], path) as "Sequential";
    return record<SequentialConfig>({ className: sequential, ...named }, { only: true, what: WHAT })(value, context);
  }
  return record<FunctionalConfig>(
    {
      className: () => "Functional",
      ...named,
      inputs: list(record<{ name: string; shape: number[] }>({ name: text, shape: list(whole(1)) }, { only: true })),
      uses: list(record<{ layer: string; inputs: number[] }>({ layer: text, inputs: list(whole()) }, { only: true })),
      outputs: list(record<{ name: string; value: number }>({ name: text, value: whole() }, { only: true })),
      single: flag,
    },
    { only: true, what: WHAT },
  )(value, context);
};

/** Makes a model of an architecture, out of parts. See `fromConfig`. */
export function modelOf<Predicted = Prediction>(
  config: ModelConfig,
  options: FromConfigOptions,
  parts: ModelParts,
): Model<Predicted> {
  const where = "fromConfig: config";
  knownKeys(options, ["layers"], "fromConfig");
  const checked = checkedAt(CONFIG, config, where);
  const { name, layers } = checked;
  const own = checkedFactories(options.layers === undefined ? {} : options.layers, "fromConfig: layers");
  const known = { ...parts, layers: { ...parts.layers, ...own } };
  const made = layers.map((each, i) => layerOf(each, known, `${where}.layers[${i}]`));
  // In a row, a layer of several outputs is refused.
  const model =
    checked.className === "Sequential"
      ? sequential(made as readonly LayerSpec[], { name })
      : functionalOf(checked, made, where);
  const builtLayers = model[INTERNALS].architecture.layers;
  builtLayers.forEach((built, i) => {
    const { className, config } = layers[i]!;
    if (config.name === undefined || built.name === config.name) return;
    const message = `${where}.layers[${i}] is named ${show(config.name)}`;
    const made = `but the factory of ${show(className)} made ${show(built.name)}`;
    throw new FeaturemapError("value", `${message}, ${made}. Let it pass the name on.`);
  });
  return model as unknown as Model<Predicted>;
}

/** Makes a functional model. If it has several outputs it predicts them by name, which the type does not know. */
function functionalOf(config: FunctionalConfig, layers: readonly Layer<LayerOutputs>[], where: string): Model {
  const { name, inputs, uses, outputs, single } = config;
  const values: SymbolicTensor[] = inputs.map(({ name, shape }) => input({ name, shape }));
  const valueAt = (value: number, at: string): SymbolicTensor => {
    const known = values[value];
    if (known) return known;
    throw new FeaturemapError(
      "value",
      `${where}.${at} names value ${value}, which is not made before. There are ${values.length}.`,
    );
  };
  const byName = new Map(layers.map((layer, i) => [config.layers[i]!.config.name, layer]));
  uses.forEach((use, i) => {
    const layer = byName.get(use.layer);
    if (!layer) throw new FeaturemapError("value", `${where}.uses[${i}]: there is no layer ${show(use.layer)}.`);
    values.push(...[layer(use.inputs.map((value) => valueAt(value, `uses[${i}]`)))].flat());
  });
  const ends = outputs.map(({ name, value }, i) => [name, valueAt(value, `outputs[${i}]`)] as const);
  const wanted = single && ends.length === 1 ? ends[0]![1] : Object.fromEntries(ends);
  const heads = Object.fromEntries(inputs.map(({ name }, i) => [name, values[i]!]));
  return model({ inputs: heads, outputs: wanted, name }) as unknown as Model;
}

/** Checks and copies factories by name. */
export function checkedFactories<Factory>(
  factories: Readonly<Record<string, Factory>>,
  where: string,
): Readonly<Record<string, Factory>> {
  const checked = Object.entries(anObject(factories, where)).map(([name, factory]) => {
    if (typeof factory === "function") return [name, factory];
    throw new FeaturemapError("value", `${where}.${name} must be a function (config) => Layer, got ${show(factory)}.`);
  });
  return Object.fromEntries(checked) as Readonly<Record<string, Factory>>;
}

function layerOf(
  { className, config }: LayerConfig,
  { layers, options }: Pick<ModelParts, "layers" | "options">,
  where: string,
): Layer<LayerOutputs> {
  const factory = Object.hasOwn(layers, className) ? layers[className] : undefined;
  if (!factory) {
    const known = `It can be: ${Object.keys(layers).join(", ")}`;
    const remedy = "A layer of your own comes by fromConfig(config, { layers: { ItsClassName: (config) => layer } }).";
    throw new FeaturemapError("value", `${where}.className is no known layer: ${show(className)}. ${known}. ${remedy}`);
  }
  try {
    const layer = factory(options(config));
    return typeof layer === "function" ? layer : defineLayer(layer);
  } catch (error) {
    if (!(error instanceof FeaturemapError)) throw error;
    throw new FeaturemapError(error.code, `${where}: ${error.message}`, { cause: error });
  }
}
