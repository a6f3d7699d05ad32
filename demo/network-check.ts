// Which networks the page takes, from the editor, an address or a file.

import {
  type Activation,
  DIGITS,
  type LayerKind,
  type LayerSpec,
  type NetworkSpec,
  type OptimizerName,
  type OptimizerSpec,
} from "./network.ts";

export interface Limits {
  readonly min: number;
  readonly max: number;
}

/** Whole numbers, but for the last three. */
export const LIMITS = {
  filters: { min: 1, max: 128 },
  kernelSize: { min: 1, max: 28 },
  poolSize: { min: 1, max: 28 },
  strides: { min: 1, max: 28 },
  units: { min: 1, max: 2048 },
  batchSize: { min: 1, max: 1024 },
  learningRate: { min: 0.00001, max: 10 },
  momentum: { min: 0, max: 0.99 },
  rate: { min: 0.01, max: 0.9 },
} as const satisfies Record<string, Limits>;

/** The last one counted too. */
export const MOST_LAYERS = 16;

export const LAYER_KINDS: readonly LayerKind[] = [
  "conv2d",
  "maxPooling2d",
  "averagePooling2d",
  "dropout",
  "flatten",
  "dense",
];

/** Of all layers but the last, whose softmax makes probabilities. */
export const ACTIVATIONS: readonly Activation[] = ["relu", "leakyRelu", "elu", "softplus", "sigmoid", "tanh", "linear"];

export const OPTIMIZERS: readonly OptimizerName[] = ["sgd", "adam", "rmsprop", "adagrad"];

/** Keras's, which are the library's too. */
export const DEFAULT_RATES: Record<OptimizerName, number> = { sgd: 0.01, adam: 0.001, rmsprop: 0.001, adagrad: 0.001 };

export const OUTPUT: LayerSpec = { kind: "dense", units: DIGITS, activation: "softmax" };

type Fields = Readonly<Record<string, unknown>>;

/**
 * A network out of anything, without what does not belong to it. Whether its layers fit each other, the library says.
 *
 * @throws Error where something is missing, unknown or out of range
 */
export function checkNetwork(value: unknown): NetworkSpec {
  const { layers, optimizer, batchSize } = fieldsOf(value, "The network");
  const list = listOf(layers);
  const checked = list.map((layer, i) => checkLayer(layer, `Layer ${i + 1}`, i === list.length - 1));
  const last = checked.at(-1)!;
  if (last.kind !== "dense" || last.units !== DIGITS || last.activation !== "softmax")
    throw new Error(`The last layer must be dense with ${DIGITS} units and softmax: a probability for each digit.`);
  return {
    layers: checked,
    optimizer: checkOptimizer(optimizer),
    batchSize: whole(batchSize, "batchSize", "The batch size"),
  };
}

function checkLayer(value: unknown, where: string, last: boolean): LayerSpec {
  const layer = fieldsOf(value, where);
  const number = (name: keyof typeof LIMITS) => whole(layer[name], name, `${where}: ${name}`);
  const activations = last ? [...ACTIVATIONS, "softmax" as const] : ACTIVATIONS;
  const activation = () => oneOf(layer.activation, activations, `${where}: activation`);
  const kind = oneOf(layer.kind, LAYER_KINDS, `${where}: kind`);
  switch (kind) {
    case "conv2d": {
      const padding = oneOf(layer.padding, ["valid", "same"], `${where}: padding`);
      const [filters, kernelSize, strides] = [number("filters"), number("kernelSize"), number("strides")];
      return { kind, filters, kernelSize, strides, padding, activation: activation() };
    }
    case "maxPooling2d":
    case "averagePooling2d":
      return { kind, poolSize: number("poolSize"), strides: number("strides") };
    case "dropout":
      return { kind, rate: inRange(layer.rate, "rate", `${where}: rate`) };
    case "flatten":
      return { kind };
    case "dense":
      return { kind, units: number("units"), activation: activation() };
  }
}

function checkOptimizer(value: unknown): OptimizerSpec {
  const { name, learningRate, momentum = 0, nesterov = false } = fieldsOf(value, "The optimizer");
  const known = oneOf(name, OPTIMIZERS, "The optimizer");
  const rate = inRange(learningRate, "learningRate", "The learning rate");
  if (known !== "sgd") return { name: known, learningRate: rate };
  const share = inRange(momentum, "momentum", "The momentum");
  return sgdOf(rate, share, oneOf(nesterov, [true, false], "nesterov"));
}

/** Without what is as by default, so that equal networks are written alike. Nesterov's needs a momentum. */
export function sgdOf(learningRate: number, momentum: number, nesterov: boolean): OptimizerSpec {
  if (momentum === 0) return { name: "sgd", learningRate };
  return { name: "sgd", learningRate, momentum, ...(nesterov && { nesterov }) };
}

/** A copy of the fields: what comes from a file or a store may be anything, and is read once. */
function fieldsOf(value: unknown, where: string): Fields {
  const is = typeof value === "object" && value !== null;
  const fields = is && read(where, () => (Array.isArray(value) ? undefined : { ...value }));
  if (fields) return fields as Fields;
  throw new Error(`${where} is missing, or is none.`);
}

/** A copy of the layers, whatever they are. */
function listOf(layers: unknown): readonly unknown[] {
  const what = "The network's list of layers";
  const length = read(what, () => (Array.isArray(layers) ? layers.length : 0));
  if (length === 0) throw new Error("The network has no layers.");
  if (length > MOST_LAYERS) throw new Error(`The network has ${length} layers; this page takes ${MOST_LAYERS}.`);
  return read(what, () => Array.from(layers as readonly unknown[]));
}

function read<T>(what: string, run: () => T): T {
  try {
    return run();
  } catch (cause) {
    throw new Error(`${what} cannot be read.`, { cause });
  }
}

/** For messages: short, whatever it is. */
function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, 40));
  if (typeof value === "object" && value !== null) return "something else";
  return typeof value === "function" ? "a function" : String(value);
}

function oneOf<const T>(value: unknown, known: readonly T[], where: string): T {
  if (known.includes(value as T)) return value as T;
  throw new Error(`${where} must be one of ${known.join(", ")}, got ${shown(value)}.`);
}

function whole(value: unknown, name: keyof typeof LIMITS, where: string): number {
  const number = inRange(value, name, where);
  if (Number.isInteger(number)) return number;
  throw new Error(`${where} must be a whole number, got ${number}.`);
}

function inRange(value: unknown, name: keyof typeof LIMITS, where: string): number {
  const { min, max } = LIMITS[name];
  if (typeof value === "number" && value >= min && value <= max) return value;
  throw new Error(`${where} must be a number from ${min} to ${max}, got ${shown(value)}.`);
}
