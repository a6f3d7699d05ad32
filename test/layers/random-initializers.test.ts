import { describe, expect, it } from "vitest";
import { conv2d, dense, fromConfig, sequential, toConfig } from "../../src/index.ts";
import { initialize } from "../../src/layers/initializers.ts";
import * as initializers from "../../src/layers/random-initializers.ts";
import { INTERNALS } from "../../src/model/internals.ts";
import { failure } from "../support/building.ts";

const {
  constant,
  glorotNormal,
  glorotUniform,
  heNormal,
  heUniform,
  identity,
  lecunNormal,
  lecunUniform,
  ones,
  orthogonal,
  randomNormal,
  randomUniform,
  truncatedNormal,
  varianceScaling,
  zeros,
} = initializers;

interface Moments {
  readonly mean: number;
  readonly stddev: number;
  /** Mean of the fourth powers over the square of the variance: 3 for a normal distribution, 1.8 for a uniform one. */
  readonly kurtosis: number;
  readonly least: number;
  readonly most: number;
}

function momentsOf(values: Float32Array): Moments {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const power = (n: number) => values.reduce((sum, value) => sum + (value - mean) ** n, 0) / values.length;
  const variance = power(2);
  return {
    mean,
    stddev: Math.sqrt(variance),
    kurtosis: power(4) / variance ** 2,
    least: values.reduce((a, b) => Math.min(a, b)),
    most: values.reduce((a, b) => Math.max(a, b)),
  };
}

/** Standard deviation of the standard normal distribution cut at 2: the number of Keras's source. */
const CUT = 0.87962566103423978;

const many = [200, 500];

describe("randomNormal", () => {
  it("has the moments of its distribution", () => {
    const { mean, stddev, kurtosis, most } = momentsOf(randomNormal({ mean: 3, stddev: 2 })(many, 1));
    expect(mean).toBeCloseTo(3, 1);
    expect(stddev).toBeCloseTo(2, 1);
    expect(kurtosis).toBeGreaterThan(2.9);
    expect(kurtosis).toBeLessThan(3.1);
    // Of 100,000 numbers, the furthest are over four deviations away.
    expect(most).toBeGreaterThan(3 + 2 * 3.8);
  });

  it("has Keras's defaults", () => {
    const { mean, stddev } = momentsOf(randomNormal()(many, 1));
    expect(Math.abs(mean)).toBeLessThan(0.001);
    expect(stddev).toBeCloseTo(0.05, 3);
  });

  it("has neighbours that do not depend on each other", () => {
    const values = randomNormal({ stddev: 1 })(many, 4);
    for (const lag of [1, 2, 500]) {
      const products = values.slice(lag).map((value, i) => value * values[i]!);
      expect(Math.abs(momentsOf(products).mean)).toBeLessThan(0.015);
    }
  });
});

describe("truncatedNormal", () => {
  it("has no number over two deviations away, and the deviation that is left", () => {
    const { mean, stddev, least, most } = momentsOf(truncatedNormal({ mean: 1, stddev: 0.5 })(many, 2));
    expect(mean).toBeCloseTo(1, 2);
    expect(stddev).toBeCloseTo(0.5 * CUT, 2);
    expect(least).toBeGreaterThanOrEqual(0);
    expect(least).toBeLessThan(0.01);
    expect(most).toBeLessThanOrEqual(2);
    expect(most).toBeGreaterThan(1.99);
  });
});

describe("randomUniform", () => {
  it("fills its interval", () => {
    const { mean, kurtosis, least, most } = momentsOf(randomUniform({ minval: 2, maxval: 6 })(many, 3));
    expect(mean).toBeCloseTo(4, 1);
    expect(kurtosis).toBeCloseTo(1.8, 1);
    expect(least).toBeGreaterThanOrEqual(2);
    expect(least).toBeLessThan(2.001);
    expect(most).toBeGreaterThan(5.999);
    expect(most).toBeLessThanOrEqual(6);
  });
});

describe("varianceScaling", () => {
  const shape = [3, 3, 40, 300]; // 360 inputs, 2,700 outputs
  it.each([
    ["fanIn", 360],
    ["fanOut", 2700],
    ["fanAvg", 1530],
  ] as const)("of mode %s has the variance scale / %i, whatever the distribution", (mode, n) => {
    for (const distribution of ["truncatedNormal", "untruncatedNormal", "uniform"] as const) {
      const { mean, stddev } = momentsOf(varianceScaling({ scale: 2.5, mode, distribution })(shape, 5));
      expect(stddev / Math.sqrt(2.5 / n)).toBeGreaterThan(0.99);
      expect(stddev / Math.sqrt(2.5 / n)).toBeLessThan(1.01);
      expect(Math.abs(mean) / stddev).toBeLessThan(0.01);
    }
  });

  it("ends at two wide deviations if it is truncated, at the square root of three if it is uniform", () => {
    const deviation = Math.sqrt(1 / 360);
    const rounding = 1 + 2 ** -23;
    const cut = momentsOf(varianceScaling()(shape, 6));
    expect(cut.most).toBeLessThanOrEqual(((2 * deviation) / CUT) * rounding);
    expect(cut.most).toBeGreaterThan(((2 * deviation) / CUT) * 0.99);
    const uniform = momentsOf(varianceScaling({ distribution: "uniform" })(shape, 6));
    expect(uniform.most).toBeLessThanOrEqual(Math.sqrt(3) * deviation * rounding);
    expect(uniform.most).toBeGreaterThan(Math.sqrt(3) * deviation * 0.99);
  });
});

describe("the named cases", () => {
  const shape = [5, 5, 16, 64]; // 400 inputs, 1,600 outputs
  it.each([
    ["glorotNormal", glorotNormal(), 2 / 2000, 2 / CUT],
    ["glorotUniform", glorotUniform(), 2 / 2000, Math.sqrt(3)],
    ["heNormal", heNormal(), 2 / 400, 2 / CUT],
    ["heUniform", heUniform(), 2 / 400, Math.sqrt(3)],
    ["lecunNormal", lecunNormal(), 1 / 400, 2 / CUT],
    ["lecunUniform", lecunUniform(), 1 / 400, Math.sqrt(3)],
  ])("%s has Keras's variance and limit", (_, initializer, variance, limit) => {
    const { stddev, most } = momentsOf(initializer(shape, 7));
    expect(stddev / Math.sqrt(variance)).toBeGreaterThan(0.98);
    expect(stddev / Math.sqrt(variance)).toBeLessThan(1.02);
    expect(most / Math.sqrt(variance)).toBeLessThanOrEqual(limit * (1 + 2 ** -20));
    expect(most / Math.sqrt(variance)).toBeGreaterThan(limit * 0.97);
  });

  it("give the numbers of the words of the same names", () => {
    for (const [word, initializer] of [
      ["glorotUniform", glorotUniform()],
      ["heUniform", heUniform()],
      ["zeros", zeros()],
      ["ones", ones()],
    ] as const)
      expect(initialize(initializer, [7, 5], 11)).toEqual(initialize(word, [7, 5], 11));
  });
});

describe("orthogonal", () => {
  it.each([[[1, 1]], [[7, 7]], [[65, 7]], [[7, 65]], [[3, 3, 2, 8]], [[3, 3, 2, 64]]])(
    "of %j has orthonormal rows or columns, whichever are fewer",
    (shape) => {
      const values = orthogonal()(shape, 8);
      const columns = shape.at(-1)!;
      const rows = values.length / columns;
      const at = (row: number, column: number) => values[row * columns + column]!;
      const few = Math.min(rows, columns);
      for (let a = 0; a < few; a++) {
        for (let b = 0; b < few; b++) {
          let sum = 0;
          for (let k = 0; k < Math.max(rows, columns); k++)
            sum += rows < columns ? at(a, k) * at(b, k) : at(k, a) * at(k, b);
          expect(Math.abs(sum - (a === b ? 1 : 0))).toBeLessThan(1e-6);
        }
      }
    },
  );

  it("is times its gain", () => {
    const [one, three] = [orthogonal()([4, 6], 8), orthogonal({ gain: 3 })([4, 6], 8)];
    three.forEach((value, i) => {
      expect(value).toBeCloseTo(3 * one[i]!, 5);
    });
  });

  it("has no direction that it prefers: the first number has mean 0 and variance 1 / n", () => {
    const first = Float32Array.from({ length: 4000 }, (_, seed) => orthogonal()([4, 4], seed)[0]!);
    const { mean, stddev } = momentsOf(first);
    expect(Math.abs(mean)).toBeLessThan(0.03);
    expect(stddev).toBeCloseTo(0.5, 1);
  });

  it("refuses a vector", () => {
    expect(failure(() => orthogonal()([3], 1)).message).toBe(
      "orthogonal: a parameter must have two axes or more, got shape [3].",
    );
  });
});

describe("identity and constant", () => {
  it("fill as they say", () => {
    expect([...identity()([2, 3], 1)]).toEqual([1, 0, 0, 0, 1, 0]);
    expect([...identity({ gain: 2 })([3, 2], 1)]).toEqual([2, 0, 0, 2, 0, 0]);
    expect([...constant({ value: 0.5 })([2, 2], 1)]).toEqual([0.5, 0.5, 0.5, 0.5]);
    expect([...constant()([2], 1)]).toEqual([0, 0]);
    expect(failure(() => identity()([2, 2, 2], 1)).code).toBe("shape");
  });
});

const drawn = [
  randomNormal,
  randomUniform,
  truncatedNormal,
  varianceScaling,
  glorotNormal,
  glorotUniform,
  heNormal,
  heUniform,
  lecunNormal,
  lecunUniform,
  orthogonal,
];

describe("seeds", () => {
  it.each(drawn.map((make) => [make().className, make] as const))(
    "%s goes by the model's, or by its own",
    (_, make) => {
      const shape = [6, 5];
      expect(make()(shape, 1)).toEqual(make()(shape, 1));
      expect(make()(shape, 1)).not.toEqual(make()(shape, 2));
      expect(make({ seed: 9 })(shape, 1)).toEqual(make({ seed: 9 })(shape, 2));
      expect(make({ seed: 9 })(shape, 1)).not.toEqual(make({ seed: 10 })(shape, 1));
    },
  );
});

describe("options", () => {
  it.each([
    [() => randomNormal({ stddev: -1 }), "randomNormal: stddev must be a finite number of at least 0"],
    [() => randomNormal({ std: 1 } as never), 'randomNormal has no option "std"'],
    [() => truncatedNormal({ mean: Number.NaN }), "truncatedNormal: mean must be a finite number"],
    [() => randomUniform({ minval: 1, maxval: 0 }), "randomUniform: maxval must be at least minval, 1"],
    [() => varianceScaling({ scale: 0 }), "varianceScaling: scale must be above 0"],
    [() => varianceScaling({ mode: "fan_in" as never }), 'varianceScaling: mode must be one of "fanIn"'],
    [() => heNormal({ seed: 0.5 }), "heNormal: seed must be a whole number"],
    [() => orthogonal({ gain: "1" as never }), "orthogonal: gain must be a finite number"],
  ])("that are wrong are told: %#", (make, message) => {
    const error = failure(make);
    expect(error.code).toBe("value");
    expect(error.message).toContain(message);
  });
});

describe("a config", () => {
  const all = [...drawn, identity, zeros, ones, constant];
  it.each(all.map((make) => [make().className, make] as const))("keeps %s, with its options", (className, make) => {
    const initializer = "seed" in make().config || drawn.includes(make as never) ? make({ seed: 4 } as never) : make();
    const layers = [dense({ units: 5, inputShape: [6], kernelInitializer: initializer })];
    const config = JSON.parse(JSON.stringify(toConfig(sequential(layers))));
    expect(config.layers[0].config.kernelInitializer).toEqual({ className, config: { ...initializer.config } });
    const again = fromConfig(config);
    expect(toConfig(again)).toEqual(config);
    // The model that is made again begins with the same numbers.
    const [before, after] = [sequential(layers), again].map((model) => {
      const [kernel] = model[INTERNALS].architecture.network!.variables;
      return kernel!.initial!(5);
    });
    expect(after).toEqual(before);
  });

  const configWith = (kernelInitializer: unknown) => {
    const layers = [conv2d({ filters: 1, kernelSize: 1, inputShape: [2, 2, 1] })];
    const config = toConfig(sequential(layers));
    return {
      ...config,
      layers: [{ ...config.layers[0]!, config: { ...config.layers[0]!.config, kernelInitializer } }],
    };
  };

  it("may name one by a word, as Keras does", () => {
    const model = fromConfig(configWith("heNormal") as never);
    expect(toConfig(model).layers[0]!.config.kernelInitializer).toEqual({ className: "HeNormal", config: {} });
    expect(toConfig(fromConfig(configWith("ones") as never)).layers[0]!.config.kernelInitializer).toBe("ones");
  });

  it.each([
    [{ className: "Stft", config: {} }, 'kernelInitializer is no known initializer: "Stft"'],
    [{ className: "HeNormal", config: { sed: 1 } }, 'heNormal has no option "sed"'],
    [{ className: "HeNormal" }, "kernelInitializer.config must be an object"],
    ["toString", "kernelInitializer must be one of"],
  ])("with %j is refused", (initializer, message) => {
    const error = failure(() => fromConfig(configWith(initializer) as never));
    expect(error.code).toBe("value");
    expect(error.message).toContain(message);
    expect(error.message).toContain("layers[0]");
  });
});
