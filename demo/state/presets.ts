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
  const layers = address.get("layers") === "small" ? SMALL : undefined;
  const draw = address.get("draw");
  const way = draw === "direct" || draw === "copied" ? draw : undefined;
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
  notify({
    topic: `preset-${name}`,
    kind: "problem",
    about: "page",
    title: `The address says ${name}=${text}, which was left out.`,
    text: `It must be a ${whole ? "whole number" : "number"} from ${min} to ${max.toLocaleString("en-US")}.`,
  });
  return undefined;
}
