// How many dispatches a training step of the bench's networks takes: with batch normalization, residual connections and momentum.

import { expect, it } from "vitest";
import { NETWORKS } from "../../bench/networks.ts";
import { modelOf } from "../../bench/systems/featuremap.ts";
import type { AdapterClass } from "../../src/graph/tile.ts";
import { sgd } from "../../src/index.ts";
import { INTERNALS } from "../../src/model/internals.ts";
import { trainingProgram } from "../../src/program/programs.ts";
import { inputsOf, measuresOf } from "../support/programs.ts";

/** Kernels of the step's dispatches. Of a GPU's, those that do not depend on each other share one, by the buffers that a shader may bind. */
function kernelsOf(name: "resnet" | "mobilenet", adapter: AdapterClass, buffers: number): string[] {
  const network = modelOf(NETWORKS[name])[INTERNALS].architecture.network!;
  const { plan } = trainingProgram({
    network,
    measures: measuresOf(network, "sparseCategoricalCrossentropy"),
    optimizer: sgd({ momentum: 0.9 }),
    capacity: 32,
    columns: [...inputsOf(network), { role: "label", index: 0, shape: [], dtype: "u32", scale: 1 }],
    adapter,
    choices: {},
    limits: {
      maxStorageBuffersPerShaderStage: buffers,
      maxComputeWorkgroupStorageSize: 32768,
      maxStorageBufferBindingSize: 2 ** 30,
      maxBufferSize: 2 ** 30,
    },
  });
  return plan.steps.map(({ kernel }) => kernel);
}

it.each([
  ["resnet", "software", 8, 130],
  ["resnet", "gpu", 8, 99],
  ["resnet", "gpu", 10, 94],
  ["mobilenet", "software", 8, 134],
  ["mobilenet", "gpu", 8, 112],
  ["mobilenet", "gpu", 10, 96],
] as const)("%s on %s with %i buffers takes %i", (name, adapter, buffers, dispatches) => {
  expect(kernelsOf(name, adapter, buffers)).toHaveLength(dispatches);
});

it("no residual connection, and no sum of its gradients, has a dispatch of its own", () => {
  const kernels = kernelsOf("resnet", "software", 8);
  expect(kernels).not.toContain("add");
  // The gradient of the global pooling alone.
  expect(kernels.filter((kernel) => kernel === "pointwise")).toHaveLength(1);
  expect(kernels.filter((kernel) => kernel === "normalization")).toHaveLength(7);
  expect(kernels.filter((kernel) => kernel === "activation_sum_gradient")).toHaveLength(3);
});
