import { describe, expect, it } from "vitest";
import type { AdapterClass } from "../../src/graph/tile.ts";
import { averagePooling2d, conv2d, dense, flatten, maxPooling2d, sgd } from "../../src/index.ts";
import { trainingProgram } from "../../src/program/programs.ts";
import { networkOf } from "../support/building.ts";
import { articleLayers } from "../support/models.ts";
import { inputsOf, measuresOf } from "../support/programs.ts";

const networks = {
  article: articleLayers(),
  "issue 11's": [
    conv2d({ filters: 32, kernelSize: 4, inputShape: [28, 28, 1] }),
    flatten(),
    dense({ units: 10, activation: "softmax" }),
  ],
  "odd sizes": [
    conv2d({ filters: 6, kernelSize: 3, padding: "same", activation: "relu", inputShape: [13, 13, 3] }),
    averagePooling2d({ poolSize: 2 }),
    conv2d({ filters: 17, kernelSize: [2, 3], activation: "tanh" }),
    maxPooling2d({ poolSize: 3, strides: 1 }),
    flatten(),
    dense({ units: 7, activation: "softmax" }),
  ],
};
const adapters: AdapterClass[] = ["software", "software-quads", "gpu"];

/** What moves data and the step's state has a condition or two, and no loop around them. */
const PLAIN = /^(batch_\w+|advance)$/;

describe.each(adapters)("kernels for %s", (adapter) => {
  it.each(Object.entries(networks))("of the %s network have no branch of `&&` or `||`", (_, layers) => {
    const network = networkOf(layers);
    const inputs = inputsOf(network);
    const training = { measures: measuresOf(network, "sparseCategoricalCrossentropy"), optimizer: sgd() };
    for (const choices of [{}, { conv2d: { algorithm: "direct" } }]) {
      for (const capacity of [1, 50]) {
        const request = { network, capacity, inputs, adapter, choices, ...training, unmerged: true };
        const { steps } = trainingProgram(request).plan;
        const texts = steps.filter(({ kernel }) => !PLAIN.test(kernel));
        expect(texts.length).toBeGreaterThan(5);
        const lines = texts.flatMap(({ kernel, shader: { code } }) =>
          code
            .split("\n")
            .filter((line) => /&&|\|\|/.test(line))
            .map((line) => `${kernel}: ${line}`),
        );
        expect(lines).toEqual([]);
      }
    }
  });
});
