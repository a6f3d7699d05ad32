import { describe, expect, it } from "vitest";
import { activation, dense, fromConfig, type LayerSpec, sequential, toConfig } from "../../src/index.ts";
import { predictionProgram } from "../../src/program/programs.ts";
import { failure, networkOf } from "../support/building.ts";
import { inputsOf } from "../support/programs.ts";

function kernelsOf(layers: readonly LayerSpec[]): string[] {
  const network = networkOf(layers);
  const options = { network, capacity: 2, columns: inputsOf(network), adapter: "software", choices: {} } as const;
  return predictionProgram(options).plan.steps.map(({ kernel }) => kernel);
}

describe("activation()", () => {
  it("rides in the kernel of the layer before, as that layer's own would", () => {
    const apart = kernelsOf([dense({ units: 3, inputShape: [4] }), activation({ activation: "tanh" })]);
    expect(apart).toEqual(kernelsOf([dense({ units: 3, inputShape: [4], activation: "tanh" })]));
    expect(kernelsOf([activation({ activation: "relu", inputShape: [4] })])).toContain("activation");
    expect(kernelsOf([activation({ activation: "softmax", inputShape: [4] })])).toContain("softmax");
  });

  it("keeps the shape, and is made again from its config", () => {
    const model = sequential([activation({ activation: "elu", inputShape: [5, 5, 2] })]);
    expect(model.outputShape).toEqual([5, 5, 2]);
    const written = toConfig(model);
    const config = { name: "activation", inputShape: [5, 5, 2], activation: "elu" };
    expect(written.layers).toEqual([{ className: "Activation", config }]);
    expect(toConfig(fromConfig(written))).toEqual(written);
  });

  it("refuses what is no activation, or none at all", () => {
    for (const options of [{ activation: "swish" }, {}]) {
      const error = failure(() => activation(options as never));
      expect(error.code).toBe("value");
      expect(error.message).toContain("activation: activation");
    }
  });
});
