// What the address can preset, for quick tries and tests: ?images=256&epochs=1&batch=32&layers=small&rate=0.05&draw=direct

import type { Way } from "../engine/observer.ts";
import type { TrainingSettings } from "../engine/training.ts";
import { DIGITS, type NetworkSpec } from "../network.ts";
import { LIMITS } from "../network-check.ts";
import { notify } from "./notices.ts";

interface Presets {
  readonly settings: Partial<TrainingSettings>;
  /** How pictures become visible: `draw=direct` or `draw=copied`. Default: the engine's choice. */
  readonly way: Way | undefined;
  readonly network?: (described: NetworkSpec) => NetworkSpec;
}

const RANGES = {
  images: { min: 1, max: 60_000, whole: true },
  epochs: { min: 1, max: 100, whole: true },
  batch: { ...LIMITS.batchSize, whole: true },
  rate: { ...LIMITS.learningRate, whole: false },
};

/** Characters of a wrong value that are shown. */
const MOST_SHOWN = 40;

/** Few kernels, so that shaders compile soon. */
const SMALL: NetworkSpec["layers"] = [
  { kind: "conv2d", filters: 8, kernelSize: 5, strides: 2, padding: "valid", activation: "relu" },
  { kind: "maxPooling2d", poolSize: 2, strides: 2 },
  { kind: "flatten" },
  { kind: "dense", units: DIGITS, activation: "softmax" },
];

export const presets = readPresets(new URLSearchParams(location.search));

/** What is out of range is told, and left out. */
function readPresets(address: URLSearchParams): Presets {
  const number = (name: keyof typeof RANGES) => numberIn(address, name);
  const [images, epochs, batchSize, learningRate] = [
    number("images"),
    number("epochs"),
    number("batch"),
    number("rate"),
  ];
  const layers = wordIn(address, "layers", ["small"]) && SMALL;
  const way = wordIn(address, "draw", ["direct", "copied"]);
  const settings = { ...(images && { images }), ...(epochs && { epochs }) };
  if (!layers && !batchSize && !learningRate) return { settings, way };
  return {
    settings,
    way,
    network: (described) => ({
      layers: layers ?? described.layers,
      optimizer: { ...described.optimizer, ...(learningRate && { learningRate }) },
      batchSize: batchSize ?? described.batchSize,
    }),
  };
}

function numberIn(address: URLSearchParams, name: keyof typeof RANGES): number | undefined {
  const text = address.get(name);
  if (text === null) return undefined;
  const value = Number(text);
  const { min, max, whole } = RANGES[name];
  if (text !== "" && value >= min && value <= max && (!whole || Number.isInteger(value))) return value;
  return refuse(name, text, `a ${whole ? "whole number" : "number"} from ${min} to ${max.toLocaleString("en-US")}`);
}

function wordIn<const T extends string>(address: URLSearchParams, name: string, known: readonly T[]): T | undefined {
  const text = address.get(name);
  if (text === null || known.includes(text as T)) return (text as T | null) ?? undefined;
  return refuse(name, text, known.join(" or "));
}

function refuse(name: string, text: string, wanted: string): undefined {
  const said = text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)} …` : text;
  notify({
    topic: `preset-${name}`,
    kind: "problem",
    about: "page",
    title: `The address says ${name}=${said}, which was left out.`,
    text: `It must be ${wanted}.`,
  });
}
