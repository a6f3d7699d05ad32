import { describe, expect, it } from "vitest";
import { adam, clipNorm, type Optimizer, sgd, withEma, withGradientAccumulation } from "../../src/index.ts";
import { trainingProgram } from "../../src/program/programs.ts";
import { failure, networkOf } from "../support/building.ts";
import { articleLayers } from "../support/models.ts";
import { inputsOf, measuresOf } from "../support/programs.ts";

describe("wrong options", () => {
  it.each([
    [() => withEma({} as never), "withEma: optimizer must come from sgd() and its like"],
    [() => withEma("adam" as never), "withEma: optimizer must come from sgd() and its like"],
    [() => withEma(sgd(), { momentum: 1.5 }), "withEma: momentum must be at most 1, got 1.5"],
    [() => withEma(sgd(), { momentum: -0.1 }), "withEma: momentum must be a finite number of at least 0"],
    [() => withEma(sgd(), { momentum: Number.NaN }), "withEma: momentum must be a finite number"],
    [
      () => withEma(sgd(), { overwriteFrequency: 0 }),
      "withEma: overwriteFrequency must be a whole number of at least 1",
    ],
    [() => withEma(sgd(), { overwriteFrequency: 2 ** 31 }), "withEma: overwriteFrequency must be a whole number"],
    [
      () => withEma(sgd(), { decay: 0.9 } as never),
      'withEma has no option "decay". It takes: momentum, overwriteFrequency.',
    ],
    [() => withEma(withEma(sgd())), 'withEma: optimizer "sgd" keeps averages already'],
    [() => withGradientAccumulation(sgd(), { steps: 1 }), "withGradientAccumulation: steps must be at least 2, got 1"],
    [() => withGradientAccumulation(sgd(), { steps: 2.5 }), "withGradientAccumulation: steps must be a whole number"],
    [() => withGradientAccumulation(sgd(), 4 as never), "withGradientAccumulation must be given an object of options"],
    [() => withGradientAccumulation(sgd(), {} as never), "withGradientAccumulation: steps must be a whole number"],
    [() => withGradientAccumulation(null as never, { steps: 2 }), "withGradientAccumulation: optimizer must come from"],
    [
      () => withGradientAccumulation(withEma(withGradientAccumulation(sgd(), { steps: 2 })), { steps: 2 }),
      'withGradientAccumulation: optimizer "sgd" accumulates gradients already',
    ],
  ])("case %#", (make, message) => {
    const { code, message: got } = failure(make);
    expect(code).toBe("value");
    expect(got).toContain(message);
  });

  it("momentum may be 0 and 1, as in Keras, and defaults are Keras's", () => {
    for (const momentum of [0, 1]) expect(withEma(sgd(), { momentum }).config).toMatchObject({ withEma: { momentum } });
    expect(withEma(sgd()).config).toMatchObject({ withEma: { momentum: 0.99 } });
  });
});

describe("a training step of the article's network", () => {
  const network = networkOf(articleLayers());
  const dispatches = (optimizer: Optimizer, adapter: "software" | "gpu", buffers = 8) =>
    trainingProgram({
      network,
      capacity: 32,
      columns: inputsOf(network),
      adapter,
      choices: {},
      measures: measuresOf(network),
      optimizer,
      limits: { maxStorageBuffersPerShaderStage: buffers, maxComputeWorkgroupStorageSize: 16384 },
    }).plan.steps.length;
  const optimizers = {
    sgd: sgd(),
    momentum: sgd({ momentum: 0.9 }),
    adam: adam(),
    clipped: adam({ transforms: [clipNorm(1)] }),
  };
  const wraps: Record<string, (of: Optimizer) => Optimizer> = {
    plain: (of) => of,
    ema: (of) => withEma(of, { overwriteFrequency: 3 }),
    accumulation: (of) => withGradientAccumulation(of, { steps: 3 }),
    both: (of) => withEma(withGradientAccumulation(of, { steps: 3 })),
  };
  const counts = (adapter: "software" | "gpu", buffers?: number) =>
    Object.fromEntries(
      Object.entries(optimizers).map(([name, optimizer]) => [
        name,
        Object.values(wraps).map((wrap) => dispatches(wrap(optimizer), adapter, buffers)),
      ]),
    );

  it("takes these dispatches: plain, with averages, accumulating, with both", () => {
    // On GPUs a parameter of the eight takes three buffers to accumulate, and two for its average.
    expect(counts("gpu", 8)).toEqual({
      sgd: [17, 19, 22, 25],
      momentum: [20, 23, 23, 27],
      adam: [21, 24, 23, 27],
      clipped: [28, 32, 31, 35],
    });
    expect(counts("gpu", 10)).toEqual({
      sgd: [15, 17, 19, 22],
      momentum: [17, 19, 20, 24],
      adam: [18, 20, 20, 24],
      clipped: [25, 27, 27, 31],
    });
    // On processors each has a dispatch of its own, and a gradient that is accumulated no step in its kernel.
    expect(counts("software")).toEqual({
      sgd: [23, 31, 40, 48],
      momentum: [31, 39, 40, 48],
      adam: [31, 39, 40, 48],
      clipped: [55, 63, 64, 72],
    });
  });

  it("updates by the kernels of the optimizer itself, which return at once between updates", () => {
    const program = trainingProgram({
      network,
      capacity: 32,
      columns: inputsOf(network),
      adapter: "software",
      choices: {},
      measures: measuresOf(network),
      optimizer: withGradientAccumulation(adam(), { steps: 3 }),
      unmerged: true,
    });
    const steps = program.plan.steps.filter(({ kernel }) => kernel === "adam");
    expect(steps.length).toBe(8);
    for (const { shader } of steps) {
      // It reads the state that it is given anyway, so it binds no buffer more.
      expect(shader.bindings.map(({ name }) => name).sort()).toEqual(["g", "moments", "p", "rate", "state"]);
      expect(shader.code).toMatch(/fn adam\([^{]*\{\s*if \(!\(state\.rows > 0u\)\) \{\s*return;\s*\}/);
    }
  });
});
