import { describe, expect, it } from "vitest";
import {
  conv2d,
  dense,
  dropout,
  flatten,
  fromConfig,
  type Layer,
  maxPooling2d,
  sequential,
  sgd,
  toConfig,
} from "../../../src/index.ts";
import {
  evaluationProgram,
  outputsProgram,
  type ProgramOptions,
  predictionProgram,
  trainingProgram,
} from "../../../src/program/programs.ts";
import { failure, networkOf } from "../../support/building.ts";
import { inputsOf, measuresOf } from "../../support/programs.ts";

const layers = (rate = 0.25): Layer[] => [
  conv2d({ filters: 4, kernelSize: 3, activation: "relu", inputShape: [6, 6, 1] }),
  maxPooling2d(),
  dropout({ rate }),
  flatten(),
  dense({ units: 3, activation: "softmax" }),
];
const options = (rate?: number): ProgramOptions => {
  const network = networkOf(layers(rate));
  return { network, capacity: 2, columns: inputsOf(network), adapter: "software", choices: {} };
};
const measured = (rate?: number) => {
  const given = options(rate);
  return { ...given, measures: measuresOf(given.network) };
};
const count = ({ plan }: { plan: { steps: readonly { kernel: string }[] } }) =>
  plan.steps.filter(({ kernel }) => kernel.includes("dropout")).length;

describe("dropout", () => {
  it("is a layer without parameters that keeps the shape", () => {
    const network = networkOf(layers());
    expect(network.layers[2]).toMatchObject({ name: "dropout", inputShape: [2, 2, 4], outputShapes: [[2, 2, 4]] });
    expect(network.layers[2]!.variables).toEqual([]);
    expect(network.layers[2]!.layer.type).toBe("Dropout");
  });

  it("is in the training step, forward and back, and in no other", () => {
    expect(count(trainingProgram({ ...measured(), optimizer: sgd() }))).toBe(2);
    expect(count(evaluationProgram(measured()))).toBe(0);
    expect(count(predictionProgram(options()))).toBe(0);
    expect(count(outputsProgram(options(), ["dropout"]))).toBe(0);
  });

  it("comes back from a model's config, seed and all", () => {
    const own = [dense({ units: 3, inputShape: [4] }), dropout({ rate: 0.25, seed: 7, name: "half" })];
    const config = JSON.parse(
      JSON.stringify(toConfig(sequential([...own, dense({ units: 2, activation: "softmax" })]))),
    );
    expect(config.layers[1]).toEqual({ className: "Dropout", config: { name: "half", rate: 0.25, seed: 7 } });
    expect(toConfig(fromConfig(config))).toEqual(config);
  });

  it("makes no node where nothing is dropped", () => {
    expect(count(trainingProgram({ ...measured(0), optimizer: sgd() }))).toBe(0);
  });

  it("makes the mask again on the way back, by the name of the way there", () => {
    const { plan } = trainingProgram({ ...measured(), optimizer: sgd() });
    const texts = plan.steps.filter(({ kernel }) => kernel === "dropout").map(({ shader }) => shader.code);
    expect(texts[0]).toBe(texts[1]);
  });

  it.each([1, -0.1, Number.NaN, "0.5", undefined])("refuses the rate %o", (rate) => {
    const { code, message } = failure(() => dropout({ rate: rate as number }));
    expect(code).toBe("value");
    expect(message).toContain("dropout: rate must be a finite number of at least 0 and below 1");
  });

  it("refuses options that it has not, and seeds that are no whole numbers", () => {
    expect(failure(() => dropout({ rate: 0.5, noiseShape: [1] } as never)).message).toContain('"noiseShape"');
    expect(failure(() => dropout({ rate: 0.5, seed: 0.5 })).message).toContain("dropout: seed");
  });
});
