import { describe, expect, it } from "vitest";
import {
  activation,
  batchNormalization,
  conv2d,
  dense,
  flatten,
  fromConfig,
  type LayerSpec,
  maxPooling2d,
  sequential,
  sgd,
  toConfig,
} from "../../src/index.ts";
import { INTERNALS } from "../../src/model/internals.ts";
import { summaryText } from "../../src/network/summary.ts";
import { type ProgramOptions, predictionProgram, trainingProgram } from "../../src/program/programs.ts";
import { Build, failure, networkOf } from "../support/building.ts";
import { inputsOf, measuresOf } from "../support/programs.ts";

const block = (trainable = true) => [
  conv2d({ filters: 4, kernelSize: 3, padding: "same", useBias: false, inputShape: [6, 6, 2], activation: "tanh" }),
  batchNormalization({ trainable }),
  activation({ activation: "relu" }),
];
const end = () => [flatten(), dense({ units: 3, activation: "softmax" })];
const again = () => conv2d({ filters: 3, kernelSize: 3, useBias: false });

/** Kernels of a training step and of predict, in order. */
function kernelsOf(layers: readonly LayerSpec[]) {
  const network = networkOf(layers);
  const options: ProgramOptions = {
    network,
    capacity: 4,
    columns: inputsOf(network),
    adapter: "software",
    choices: {},
    winograd: false,
  };
  const measures = measuresOf(network);
  const kernels = ({ plan }: ReturnType<typeof predictionProgram>) => plan.steps.map(({ kernel }) => kernel);
  return {
    train: kernels(trainingProgram({ ...options, measures, optimizer: sgd() })),
    predict: kernels(predictionProgram(options)),
  };
}

describe("conv -> bn -> relu", () => {
  it.each<[string, LayerSpec[]]>([
    ["a convolution, whose gradient takes relu's derivative", [...block(), again(), ...end()]],
    ["a dense layer behind flatten", [...block(), ...end()]],
    ["a pooling, whose gradient has no place for it", [...block(), maxPooling2d({ poolSize: 3 }), ...end()]],
    ["another normalization", [...block(), batchNormalization(), ...end()]],
  ])("costs no kernel for an activation, forward or backward, before %s", (_, layers) => {
    const { train, predict } = kernelsOf(layers);
    expect(train.filter((kernel) => kernel.includes("activation"))).toEqual([]);
    expect(predict.filter((kernel) => kernel.includes("activation"))).toEqual([]);
  });

  it("costs two kernels in training, two for its gradients and one in inference", () => {
    const { train, predict } = kernelsOf([...block(), ...end()]);
    const own = (kernels: readonly string[]) => kernels.filter((kernel) => /normalization|moments/.test(kernel));
    expect(own(train)).toEqual([
      "batch_moments",
      "normalization",
      "normalization_gradient_sums",
      "normalization_gradient",
    ]);
    expect(own(predict)).toEqual(["normalization"]);
  });

  it("neither looks at the batch nor makes gradients of its own where it is frozen", () => {
    const { train } = kernelsOf([...block(false), ...end()]);
    const own = train.filter((kernel) => /normalization|moments/.test(kernel));
    expect(own).toEqual(["normalization", "normalization_gradient"]);
    expect(train.filter((kernel) => kernel.includes("activation"))).toEqual([]);
  });
});

describe("batchNormalization()", () => {
  it("keeps what Keras keeps, in its order and by its names; only gamma and beta are learned", () => {
    const { variables, layers } = networkOf([batchNormalization({ inputShape: [5, 5, 7] })]);
    const path = (name: string) => `batch_normalization/${name}`;
    expect(variables.map(({ path, shape, role, trainable }) => [path, shape, role, trainable])).toEqual([
      [path("gamma"), [7], "parameter", true],
      [path("beta"), [7], "parameter", true],
      [path("moving_mean"), [7], "statistic", false],
      [path("moving_variance"), [7], "statistic", false],
    ]);
    expect(variables.map(({ initial }) => [...initial!(1)][6])).toEqual([1, 0, 0, 1]);
    expect(layers[0]!.outputShapes).toEqual([[5, 5, 7]]);
    const bare = networkOf([batchNormalization({ inputShape: [7], scale: false, center: false })]);
    expect(bare.variables.map(({ path }) => path)).toEqual([path("moving_mean"), path("moving_variance")]);
    const frozen = networkOf([batchNormalization({ inputShape: [7], trainable: false })]);
    expect(frozen.variables.map(({ trainable }) => trainable)).toEqual([false, false, false, false]);
  });

  it("counts its statistics as not trainable in the summary", () => {
    const text = summaryText("m", sequential([...block(), ...end()])[INTERNALS].architecture, 0);
    // 3 x 3 x 2 x 4 of the kernel, gamma and beta, 144 x 3 + 3.
    expect(text).toContain("Trainable params: 515 ");
    expect(text).toContain("Non-trainable params: 8 ");
  });

  it("has Keras's defaults, and is made again from its config", () => {
    const config = {
      axis: -1,
      momentum: 0.99,
      epsilon: 0.001,
      center: true,
      scale: true,
      betaInitializer: "zeros",
      gammaInitializer: "ones",
      movingMeanInitializer: "zeros",
      movingVarianceInitializer: "ones",
    };
    expect(batchNormalization().config).toEqual(config);
    const own = { momentum: 0, epsilon: 0.1, center: false, scale: false, betaInitializer: "ones" } as const;
    const model = sequential([
      batchNormalization({ ...own, inputShape: [3], trainable: false }),
      activation({ activation: "elu" }),
    ]);
    const written = toConfig(model);
    expect(written.layers[0]!.config).toEqual({
      ...config,
      ...own,
      name: "batch_normalization",
      inputShape: [3],
      trainable: false,
    });
    expect(written.layers[1]).toEqual({ className: "Activation", config: { name: "activation", activation: "elu" } });
    expect(toConfig(fromConfig(JSON.parse(JSON.stringify(written))))).toEqual(written);
  });

  it.each([
    [{ momentum: 1.5 }, "batchNormalization: momentum must be a finite number of at least 0 and below 1, got 1.5"],
    [{ epsilon: -1 }, "batchNormalization: epsilon must be a finite number of at least 0, got -1"],
    [{ scale: 1 }, "batchNormalization: scale must be true or false, got 1"],
    [{ gammaInitializer: "one" }, "batchNormalization: gammaInitializer"],
    [{ movingVarianceInitializer: 1 }, "batchNormalization: movingVarianceInitializer"],
    [{ axis: 1.5 }, "batchNormalization: axis must be a whole number"],
  ])("refuses %j", (options, message) => {
    const error = failure(() => batchNormalization(options as object));
    expect(error.code).toBe("value");
    expect(error.message).toContain(message);
  });

  it("refuses parameters of another size", () => {
    const build = new Build();
    const x = build.input("x", [2, 3]);
    const [mean, variance] = [build.input("mean", [3]), build.input("variance", [4])];
    const error = failure(() => build.add("normalization", { x, mean, variance }, { epsilon: 0 }));
    expect(error.code).toBe("shape");
    expect(error.message).toBe(
      '"normalization" wants variance to have a number for each channel of x, got [4] for x [2, 3].',
    );
  });
});
