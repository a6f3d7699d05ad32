// What the sweep compiles: pipelines of many small networks, by every class of adapter, with every tile and algorithm that a tuner
// could choose. Pure: needs no GPU.

import type { OpenChoice } from "../../src/graph/op.ts";
import type { AdapterClass, Choice, Choices, Tile } from "../../src/graph/tile.ts";
import {
  adagrad,
  adam,
  averagePooling2d,
  conv2d,
  dense,
  dropout,
  flatten,
  type Layer,
  maxPooling2d,
  type Optimizer,
  rmsprop,
  sgd,
} from "../../src/index.ts";
import { lossNamed } from "../../src/losses/losses.ts";
import { metricNamed } from "../../src/metrics/metrics.ts";
import { networkOfLayers } from "../../src/network/layer-stack.ts";
import type { Network } from "../../src/network/network.ts";
import type { Plan } from "../../src/plan/plan.ts";
import { candidateTiles } from "../../src/plan/shipped-tiles.ts";
import { Measures } from "../../src/program/measures.ts";
import {
  evaluationProgram,
  outputsProgram,
  type ProgramOptions,
  predictionProgram,
  trainingProgram,
} from "../../src/program/programs.ts";
import type { Specialized } from "../../src/wgsl/specialize.ts";
import type { SweptPipeline } from "./worker.ts";

/** A generator of whole numbers that repeat with the seed: the sweep of one version is always the same. */
function dice(seed: number): <T>(sides: readonly T[]) => T {
  let state = seed;
  return (sides) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return sides[Math.floor((state / 2 ** 32) * sides.length)]!;
  };
}

const COUNTS = [1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 13, 16, 17, 19, 20, 21, 24, 28, 31, 32, 33, 36, 40, 48, 64];
const BATCHES = [1, 2, 3, 5, 8, 10, 16, 31, 32, 50, 64, 100, 128, 999, 1024];
const ACTIVATIONS = ["linear", "relu", "tanh", "sigmoid", "elu", "softplus"] as const;

interface Case {
  readonly name: string;
  readonly layers: readonly Layer[];
  readonly batch: number;
  readonly optimizer: Optimizer;
}

/** How many of the cases are known. */
const KNOWN = 4;

/** The networks of issue 11, which did not compile, and `count` at random of each kind. */
function casesOf(count: number): Case[] {
  const roll = dice(11);
  const head = (units: number) => [flatten(), dense({ units, activation: "softmax" })];
  const issue = conv2d({ filters: 32, kernelSize: 4, inputShape: [28, 28, 1] });
  const cases: Case[] = [
    { name: "conv 4x4x1x32", layers: [issue, ...head(10)], batch: 1, optimizer: sgd() },
    { name: "conv 4x4x1x32", layers: [issue, ...head(10)], batch: 50, optimizer: sgd() },
    {
      name: "dense 8x32",
      layers: [dense({ units: 32, inputShape: [8], activation: "softmax" })],
      batch: 1024,
      optimizer: sgd(),
    },
    {
      name: "dense 8x32",
      layers: [dense({ units: 32, inputShape: [8], activation: "softmax" })],
      batch: 999,
      optimizer: sgd(),
    },
  ];
  for (let i = 0; i < count; i++) {
    const optimizer = roll([sgd(), sgd({ momentum: 0.9 }), adam(), rmsprop(), adagrad()]);
    cases.push(i % 3 === 0 ? denseCase(roll, optimizer) : convolutionCase(roll, optimizer));
  }
  return cases;
}

function denseCase(roll: ReturnType<typeof dice>, optimizer: Optimizer): Case {
  const [inputs, units, classes, batch] = [roll(COUNTS), roll(COUNTS), roll(COUNTS), roll(BATCHES)];
  const activation = roll(ACTIVATIONS);
  const layers = [
    dense({ units, activation, useBias: roll([true, false]), inputShape: [inputs] }),
    ...roll([[], [dropout({ rate: 0.5 })]]),
    dense({ units: classes, activation: "softmax" }),
  ];
  return { name: `dense ${inputs}x${units}x${classes} ${activation}`, layers, batch, optimizer };
}

function convolutionCase(roll: ReturnType<typeof dice>, optimizer: Optimizer): Case {
  const [channels, filters, classes] = [roll(COUNTS), roll(COUNTS), roll(COUNTS)];
  const kernelSize = roll([1, 2, 3, 3, 4, 5, 5, 7, [1, 5], [3, 2], [4, 1]] as const) as number | [number, number];
  const strides = roll([1, 1, 1, 2, 3, [2, 1]] as const) as number | [number, number];
  const padding = roll(["valid", "same"] as const);
  const activation = roll(ACTIVATIONS);
  const side = roll([9, 12, 13, 16, 28]);
  const poolSize = roll([2, 2, 3, [1, 4], [4, 1], [1, 2]] as const) as number | [number, number];
  const pooling = roll([
    undefined,
    maxPooling2d({ poolSize }),
    averagePooling2d({ poolSize }),
    maxPooling2d({ poolSize, strides: 1, padding: "same" }),
  ]);
  const second = roll([
    undefined,
    conv2d({ filters: roll(COUNTS), kernelSize: 3, padding: "same", activation: "relu" }),
  ]);
  const first = conv2d({
    filters,
    kernelSize,
    strides,
    padding,
    activation,
    useBias: roll([true, true, false]),
    inputShape: [side, side, channels],
  });
  const layers = [first, pooling, second, flatten(), dense({ units: classes, activation: "softmax" })];
  const name = `conv ${kernelSize}x${channels}x${filters}/${strides} ${padding} ${activation}, ${pooling?.type} ${poolSize}, side ${side}`;
  return { name, layers: layers.filter((layer) => layer !== undefined), batch: roll(BATCHES), optimizer };
}

type Make = (options: ProgramOptions) => Plan;

/** The other plans that a model can have, whose products are those of its training. */
function otherPlans(network: Network, measures: Measures): Make[] {
  return [
    (options) => evaluationProgram({ ...options, measures }).plan,
    (options) => predictionProgram(options).plan,
    (options) => outputsProgram(options, [network.layers[0]!.name]).plan,
  ];
}

/**
 * Pipelines that differ in more than the values of their constants, each once, with where they come from. What a compiler has to
 * do hangs on the text that is left, in which loops are unrolled and branches chosen. Networks at random take the adapters by turns.
 */
export function pipelinesOf(adapters: readonly AdapterClass[], networks: number): SweptPipeline[] {
  const found = new Map<string, SweptPipeline>();
  for (const [i, { name, layers, batch, optimizer }] of casesOf(networks).entries()) {
    let network: Network;
    try {
      network = networkOfLayers(layers);
    } catch {
      continue; // The dice made a window that is larger than what it looks at.
    }
    for (const adapter of i < KNOWN ? adapters : [adapters[i % adapters.length]!]) {
      const request: ProgramOptions = { network, capacity: batch, adapter, choices: {} };
      const loss = lossNamed("sparseCategoricalCrossentropy");
      const outputs = network.outputs.map(({ name }, index) => ({
        name,
        index,
        loss,
        weight: 1,
        metrics: [metricNamed("accuracy")],
      }));
      const measures = new Measures(outputs, network);
      const train: Make = (options) => trainingProgram({ ...options, measures, optimizer }).plan;
      for (const plan of [...variants(train, request), ...otherPlans(network, measures).map((make) => make(request))]) {
        for (const { kernel, shader, buffers } of plan.steps) {
          const bytes = buffers.map((index) => plan.buffers[index]!.bytes);
          const from = `${name}, batch ${batch}, ${adapter}, ${plan.name}`;
          keep(found, { kernel, from, choices: plan.choices, bytes, ...shader });
        }
      }
    }
  }
  return [...found.values()];
}

function keep(found: Map<string, SweptPipeline>, pipeline: SweptPipeline & Specialized): void {
  const key = pipeline.code.replace(/^(const \w+ ?: ?\w+ ?=)[^;]*;/gm, "$1").concat(String(pipeline.workgroupSize));
  if (!found.has(key)) found.set(key, pipeline);
}

/** The shipped plan; plans with each further candidate at all that is left open, as a tuner tries them; without algorithms. */
function variants(make: Make, options: ProgramOptions): Plan[] {
  const open: OpenChoice[] = [];
  const shipped = make(options);
  make({ ...options, unmerged: true, onOpenChoice: (each) => open.push(each) });
  const names = [...new Set(open.flatMap((each) => ("algorithms" in each ? each.algorithms : [])))];
  const algorithms = names.map((name) => algorithmChoices(open, name));
  return [
    shipped,
    ...algorithms.map((choices) => make({ ...options, choices, unmerged: true })),
    ...[{}, algorithmChoices(open, "direct")].flatMap((choices) => {
      const openTiles: OpenChoice[] = [];
      const plan = make({ ...options, choices, unmerged: true, onOpenChoice: (each) => openTiles.push(each) });
      return [
        plan,
        ...tileChoices(options.adapter, openTiles).map((tiles) =>
          make({ ...options, unmerged: true, choices: { ...choices, ...tiles } }),
        ),
      ];
    }),
  ];
}

function algorithmChoices(open: readonly OpenChoice[], name: string): Choices {
  const able = open.filter((each) => "algorithms" in each);
  return Object.fromEntries(
    able.map(({ node, algorithms }): [string, Choice] => [
      node.name,
      { algorithm: algorithms.includes(name) ? name : "direct" },
    ]),
  );
}

/** For each candidate number the tiles that have it. */
function tileChoices(adapter: AdapterClass, open: readonly OpenChoice[]): Choices[] {
  const lists = open.flatMap((each) => {
    if (!("request" in each)) return [];
    const tiles = candidateTiles(adapter, each.request);
    const allowed = tiles.map((tile): Tile => ({ ...tile, slices: Math.min(tile.slices, each.maxSlices) }));
    return [{ name: each.node.name, tiles: allowed }];
  });
  const most = Math.max(0, ...lists.map(({ tiles }) => tiles.length));
  return Array.from({ length: most }, (_, i) =>
    Object.fromEntries(lists.map(({ name, tiles }) => [name, tiles[i % tiles.length]!])),
  );
}
