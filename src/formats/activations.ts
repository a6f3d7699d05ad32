import { asObject, type CheckContext, plain, record, text } from "../base/check.ts";
import { FeaturemapError, show, tagOf } from "../base/errors.ts";
import { activation } from "../layers/activation.ts";
import {
  celu,
  elu,
  exponential,
  gelu,
  hardShrink,
  hardSigmoid,
  hardSilu,
  hardTanh,
  leakyRelu,
  logSigmoid,
  logSoftmax,
  mish,
  relu,
  relu6,
  selu,
  silu,
  softmax,
  softShrink,
  softsign,
  sparsemax,
  sparsePlus,
  sparseSigmoid,
  squareplus,
  tanhShrink,
} from "../layers/activations.ts";
import type { Layer } from "../layers/layer.ts";
import { type ActivationFunction, LAYER_OPTIONS } from "../layers/options.ts";

/** Activations of the library that are values, by their names and Keras's other names for them. */
// biome-ignore lint/suspicious/noExplicitAny: each has its own options, and checks them
const FACTORIES: Readonly<Record<string, (config?: any) => ActivationFunction>> = {
  celu,
  elu,
  exponential,
  gelu,
  hardShrink,
  hardSigmoid,
  hardSilu,
  hardTanh,
  leakyRelu,
  logSigmoid,
  logSoftmax,
  mish,
  relu,
  relu6,
  selu,
  silu,
  softmax,
  softShrink,
  softsign,
  sparsemax,
  sparsePlus,
  sparseSigmoid,
  squareplus,
  tanhShrink,
  hardSwish: hardSilu,
  swish: silu,
};

/** Names that layers know themselves. They stay names. */
const CORE: readonly string[] = ["relu", "elu", "leakyRelu", "softmax"];

/** Puts `{ className, config }` in the place of each activation among a layer's options that is a value. */
export function activationsSaved(options: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(options).map(([name, value]) => [name, isActivation(value) ? saved(value) : value]),
  );
}

function isActivation(value: unknown): value is ActivationFunction {
  return tagOf(value) === "Object" && typeof (value as ActivationFunction).apply === "function";
}

function saved({ name, config }: ActivationFunction) {
  return { className: name, config };
}

/**
 * Makes the activation among a layer's options again. A config may name any of them by a word, as Keras does, too: `"gelu"`.
 *
 * @throws FeaturemapError `value` for a name that is not the library's, and for options that are wrong
 */
export function activationsMade(
  options: Readonly<Record<string, unknown>>,
  where: string,
): Readonly<Record<string, unknown>> {
  if (!Object.hasOwn(options, "activation")) return options;
  return { ...options, activation: made(options.activation, { path: `${where}.activation`, code: "value" }) };
}

function made(value: unknown, context: CheckContext): unknown {
  if (typeof value === "string")
    return !CORE.includes(value) && Object.hasOwn(FACTORIES, value) ? FACTORIES[value]!() : value;
  if (tagOf(value) !== "Object") return value;
  const { className, config } = record<{ className: string; config: object }>(
    { className: text, config: (each, at) => plain(asObject(each, at), at) as object },
    { only: true },
  )(value, context);
  if (Object.hasOwn(FACTORIES, className)) return FACTORIES[className]!(config);
  const known = Object.keys(FACTORIES).join(", ");
  throw new FeaturemapError(
    "value",
    `${context.path} is no known activation: ${show(className)}. It can be: ${known}.`,
  );
}

/** Makes Keras's `ELU` out of its options. Layers that are an activation have no functions of their own. */
export const eluLayer = (config: object): Layer => layerOf(elu, config);
/** Keras's `Identity` is the activation that changes nothing. */
export const identityLayer = (config: object): Layer => activation({ activation: "linear", ...config });
export const reluLayer = (config: object): Layer => layerOf(relu, config);
export const softmaxLayer = (config: object): Layer => layerOf(softmax, config);
/** The layer has another default than the activation. */
export const leakyReluLayer = (config: object): Layer => layerOf(leakyRelu, { negativeSlope: 0.3, ...config });

function layerOf(factory: (options: object) => ActivationFunction, config: object): Layer {
  const [own, common] = [true, false].map((isOwn) =>
    Object.fromEntries(
      Object.entries(config).filter(([name]) => (LAYER_OPTIONS as readonly string[]).includes(name) !== isOwn),
    ),
  );
  return activation({ activation: factory(own!), ...common });
}
