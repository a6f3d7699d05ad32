// A network as text that an address's hash can carry: `1~conv-8-3-relu~max-2~flatten~sgd-0.1~batch-32`.
// Words are joined by `~`, their parts by `-`. The last layer is always the same and left out, as is every default.

import type { LayerSpec, NetworkSpec, OptimizerSpec } from "../network.ts";
import { checkNetwork, OUTPUT } from "../network-check.ts";

const VERSION = "1";
/** The longest network has less than half of them. */
const MOST_CHARACTERS = 2000;
const POOLS = { max: "maxPooling2d", average: "averagePooling2d" } as const;

export function encodeNetwork({ layers, optimizer, batchSize }: NetworkSpec): string {
  const words = layers.slice(0, -1).map(layerWord);
  return [VERSION, ...words, optimizerWord(optimizer), `batch-${batchSize}`].join("~");
}

/**
 * The network of a link's text.
 *
 * @throws Error where it is not one, is of another version, or has a value that is out of range
 */
export function decodeNetwork(encoded: string): NetworkSpec {
  if (encoded.length > MOST_CHARACTERS)
    throw new Error(`It has ${encoded.length} characters; this page reads up to ${MOST_CHARACTERS}.`);
  const text = unescaped(encoded);
  const [version, ...words] = text.split("~");
  if (version !== VERSION)
    throw new Error(`Its version is ${JSON.stringify(version!.slice(0, 20))}; this page reads version ${VERSION}.`);
  const [optimizer = "", batch = ""] = words.splice(-2);
  const layers = [...words.map(layerOf), OUTPUT];
  const network = checkNetwork({ layers, optimizer: optimizerOf(optimizer), batchSize: batchOf(batch) });
  const again = encodeNetwork(network);
  if (again !== text) throw new Error(`It is not written as this page writes it, which is ${again}.`);
  return network;
}

function unescaped(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    throw new Error("It has a % that begins no character.");
  }
}

function layerWord(layer: LayerSpec): string {
  switch (layer.kind) {
    case "conv2d": {
      const { filters, kernelSize, strides, padding, activation } = layer;
      const options = [strides > 1 && `s${strides}`, padding === "same" && padding, named(activation)];
      return parts("conv", filters, kernelSize, ...options);
    }
    case "maxPooling2d":
    case "averagePooling2d": {
      const { poolSize, strides } = layer;
      return parts(layer.kind === POOLS.max ? "max" : "average", poolSize, strides !== poolSize && `s${strides}`);
    }
    case "dropout":
      return parts("dropout", layer.rate);
    case "flatten":
      return "flatten";
    case "dense":
      return parts("dense", layer.units, named(layer.activation));
  }
}

function optimizerWord(optimizer: OptimizerSpec): string {
  if (optimizer.name !== "sgd") return parts(optimizer.name, optimizer.learningRate);
  const { learningRate, momentum = 0, nesterov = false } = optimizer;
  return parts("sgd", learningRate, momentum > 0 && `m${momentum}`, nesterov && "nesterov");
}

const named = (activation: string) => activation !== "linear" && activation;

function parts(...all: readonly (string | number | false)[]): string {
  return all.filter((part) => part !== false).join("-");
}

function layerOf(word: string): unknown {
  const { kind, numbers, options } = read(word);
  const [first, second] = numbers;
  switch (kind) {
    case "conv":
      return { ...CONV, filters: first, kernelSize: second, ...options };
    case "max":
    case "average":
      return { kind: POOLS[kind], poolSize: first, strides: first, ...options };
    case "dropout":
      return { kind, rate: first, ...options };
    case "flatten":
      return { kind };
    case "dense":
      return { kind, units: first, activation: "linear", ...options };
    default:
      throw new Error(`It has a layer ${JSON.stringify(word.slice(0, 40))}, which this page does not know.`);
  }
}

const CONV = { kind: "conv2d", strides: 1, padding: "valid", activation: "linear" };

function optimizerOf(word: string): unknown {
  const { kind, numbers, options } = read(word);
  return { name: kind, learningRate: numbers[0], ...options };
}

function batchOf(word: string): unknown {
  const { kind, numbers } = read(word);
  return kind === "batch" ? numbers[0] : undefined;
}

/** `conv-32-5-s2-relu`: its kind, the numbers after it, and the options after these. */
function read(word: string) {
  const [kind, ...all] = word.split("-");
  const end = all.findIndex((part) => !/^\d+(\.\d+)?$/.test(part));
  const numbers = all.slice(0, end < 0 ? all.length : end).map(Number);
  const options = Object.assign({}, ...all.slice(numbers.length).map(optionOf)) as Record<string, unknown>;
  return { kind, numbers, options };
}

function optionOf(part: string): Record<string, unknown> {
  const [, sign, digits] = /^([sm])(\d+(?:\.\d+)?)$/.exec(part) ?? [];
  if (sign) return { [sign === "s" ? "strides" : "momentum"]: Number(digits) };
  if (part === "same") return { padding: part };
  if (part === "nesterov") return { nesterov: true };
  return { activation: part };
}

/** What an address's hash holds: the section to go to, and a network's text. Either may be missing. */
export interface Place {
  readonly section?: string | undefined;
  readonly network?: string | undefined;
}

const NETWORK = "net=";

/** `#train&net=1~...`, `#train` or `#net=1~...`. */
export function readHash(hash: string): Place {
  const all = hash.replace(/^#/, "").split("&");
  return {
    section: all.find((part) => part !== "" && !part.includes("=")),
    network: all.find((part) => part.startsWith(NETWORK))?.slice(NETWORK.length),
  };
}

/** Empty where nothing is to be said. */
export function writeHash({ section, network }: Place): string {
  const all = [section, network && NETWORK + network].filter((part) => part);
  return all.length > 0 ? `#${all.join("&")}` : "";
}
