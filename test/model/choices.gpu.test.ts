import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Choices } from "../../src/graph/tile.ts";
import { conv2d, createRuntime, dense, flatten, maxPooling2d, type Runtime, sequential, sgd } from "../../src/index.ts";
import { networkOfLayers } from "../../src/network/layer-stack.ts";
import { trainingProgram } from "../../src/program/programs.ts";
import { activate } from "../reference/activation.ts";
import { conv2d as convolve, type Shape4 } from "../reference/conv2d.ts";
import { forwardBackward, type LayerSpec, sgdStep } from "../reference/network.ts";
import { expectClose } from "../support/compare.ts";
import { allWeights, noise } from "../support/models.ts";
import { inputsOf, measuresOf } from "../support/programs.ts";
import { quadsRun } from "../support/run-graph.ts";
import { tolerances } from "../support/tolerances.ts";

/** Far above what roundings move a value by, so that each window has the same winner by every choice. */
const MARGIN = 1e-5;
const BATCH = 6;
const CLASSES = 5;
const IMAGE = [9, 9, 4] as const;
const layers = () => [
  // One tap: only the second convolution has a choice of algorithm, and all three of its products are needed.
  conv2d({ filters: 4, kernelSize: 1, inputShape: [...IMAGE] }),
  conv2d({ filters: 8, kernelSize: 3, padding: "same", activation: "relu" }),
  maxPooling2d(),
  flatten(),
  dense({ units: CLASSES, activation: "softmax" }),
];
const NETWORK: LayerSpec[] = [
  { layer: "conv2d", filters: 4, kernelSize: 1 },
  { layer: "conv2d", filters: 8, kernelSize: 3, padding: "same", activation: "relu" },
  { layer: "maxPooling2d" },
  { layer: "flatten" },
  { layer: "dense", units: CLASSES, activation: "softmax" },
];

/** The choices that the package ships for a class of adapter, the second convolution's algorithm given. */
function shipped(adapter: "software" | "software-quads", algorithm: string): Choices {
  const network = networkOfLayers(layers());
  const nodes = ["conv2d_1", "conv2d_1/conv2dInputGradient", "conv2d_1/conv2dFilterGradient"];
  const { plan } = trainingProgram({
    network,
    capacity: BATCH,
    adapter,
    optimizer: sgd(),
    columns: inputsOf(network),
    measures: measuresOf(network, "sparseCategoricalCrossentropy"),
    choices: Object.fromEntries(nodes.map((node) => [node, { algorithm }])),
  });
  return plan.choices;
}

/** The same with one block an invocation, and sums cut in two where they can be. */
function small(choices: Choices): Choices {
  const tile = { blocksM: 1, blocksN: 1, workgroupM: 8, workgroupN: 8 };
  const slices = (node: string) => (node.endsWith("conv2dFilterGradient") ? 2 : 1);
  return Object.fromEntries(Object.keys(choices).map((node) => [node, { ...tile, slices: slices(node) }]));
}

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime();
});
afterAll(() => runtime.dispose());

const { x, y } = noise(BATCH, IMAGE, CLASSES, 5);

/** The weights before and after one step by these choices, on the same data from the same seed. */
async function step(choices: Choices) {
  const model = sequential(layers());
  const optimizer = sgd({ learningRate: 0.1 });
  await model.compile({ loss: "sparseCategoricalCrossentropy", optimizer, runtime, seed: 3, choices });
  const before = (await model.getWeights()).map(({ data }) => Float64Array.from(data));
  await model.fit(x, y, { batchSize: BATCH, epochs: 1, shuffle: false, verbose: 0 });
  const after = await allWeights(model);
  // On a GPU the last dense layer is a part of the fused head, which has no tile.
  const { dense: _, ...others } = choices;
  expect(model.stats().choices).toEqual(runtime.adapter.software ? choices : others);
  model.dispose();
  return { before, after };
}

/** How near the pooling comes to another winner, or its winner to the bend of the relu. */
function leastMargin(weights: readonly Float64Array[]): number {
  const images: Shape4 = [BATCH, ...IMAGE];
  const options = { strides: [1, 1], padding: "same" } as const;
  const first = convolve(Float64Array.from(x.data), images, weights[0]!, [1, 1, 4, 4], weights[1]!, options);
  const { y: z } = convolve(first.y, first.shape, weights[2]!, [3, 3, 4, 8], weights[3]!, options);
  const value = (n: number, h: number, w: number, c: number) => z[((n * 9 + h) * 9 + w) * 8 + c]!;
  let least = Infinity;
  for (let n = 0; n < BATCH; n++)
    for (let h = 0; h < 8; h += 2)
      for (let w = 0; w < 8; w += 2)
        for (let c = 0; c < 8; c++) {
          const window = [value(n, h, w, c), value(n, h, w + 1, c), value(n, h + 1, w, c), value(n, h + 1, w + 1, c)];
          const [best, second] = activate("relu", Float64Array.from(window)).sort().reverse();
          // All below 0: a tie of zeros, through which no gradient comes.
          least = Math.min(least, best === 0 ? -Math.max(...window) : Math.min(best!, best! - second!));
        }
  return least;
}

describe("one training step by every choice", () => {
  const choices: [string, Choices, boolean][] = [
    ["large tiles, directly", shipped("software", "direct"), true],
    ["small tiles, as a GPU has them, directly", small(shipped("software", "direct")), true],
    ["quads, directly", shipped("software-quads", "direct"), quadsRun],
    ["Winograd's algorithm at 6 points", shipped("software", "winograd6"), true],
    ["Winograd's algorithm at 7 points", shipped("software", "winograd7"), true],
    ["Winograd's algorithm at 8 points", shipped("software", "winograd8"), true],
  ];

  it.each(choices.filter(([, , runs]) => runs))("is the reference's: %s", async (_, chosen) => {
    const { before, after } = await step(chosen);
    expect(leastMargin(before)).toBeGreaterThan(MARGIN);
    const labels = Array.from(y.data).flatMap((label) =>
      Array.from({ length: CLASSES }, (__, c) => (c === label ? 1 : 0)),
    );
    const { gradients } = forwardBackward(NETWORK, IMAGE, before, Float64Array.from(x.data), labels);
    const wanted = sgdStep(before, gradients, 0.1).flatMap((weights) => [...weights]);
    expectClose(after, wanted, tolerances.trainingStep, "weights");
    expect(after).not.toEqual(before.flatMap((weights) => [...weights]));
  });

  it("gives the same bits again by the same choice", async () => {
    const chosen = shipped("software", "winograd8");
    expect((await step(chosen)).after).toEqual((await step(chosen)).after);
  });
});
