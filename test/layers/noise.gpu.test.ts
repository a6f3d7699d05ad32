import { describe, expect, it } from "vitest";
import {
  gaussianDropout,
  gaussianNoise,
  input,
  type Layer,
  ops,
  spatialDropout1d,
  spatialDropout2d,
} from "../../src/index.ts";
import { callLayer } from "../../src/layers/call-layer.ts";
import { randomArray } from "../reference/random.ts";
import { draws } from "../reference/random-numbers.ts";
import { expectClose } from "../support/compare.ts";
import { GraphRun } from "../support/run-graph.ts";
import { tolerances } from "../support/tolerances.ts";

const RATE = 0.4;

/** Output of a layer, and the gradient of its input by dy. */
async function called(layer: Layer, shape: number[], training: boolean) {
  const size = shape.reduce((a, b) => a * b);
  const [x, dy] = [randomArray(size, 1), randomArray(size, 2)];
  const run = new GraphRun().step(3).rows(shape[0]!);
  const twice = run.addTyped(ops.add, {
    a: run.input("x", shape, x),
    b: run.input(
      "zero",
      shape,
      x.map(() => 0),
    ),
  }).c;
  const { outputs } = callLayer(run.graph, layer, {
    name: "noisy",
    inputs: [twice],
    variables: {},
    training,
    trainable: true,
  });
  const { c } = run.add("multiply", { a: outputs[0]!, b: run.input("dy", shape, dy) });
  const [y, dx] = await run.read([outputs[0]!, ...run.gradients(c!, [twice])]);
  return { x, dy, y: y!, dx: dx! };
}

const drawn = (size: number, distribution: "uniform" | "normal", seed: number) =>
  draws(size, { distribution, seed, node: "noisy", step: 3 });

describe.each<[name: string, layer: Layer, shape: number[], factors: (size: number) => number[]]>([
  [
    "spatialDropout2d",
    spatialDropout2d({ rate: RATE, seed: 2 }),
    [3, 2, 5, 7],
    (size) => {
      const u = drawn(3 * 7, "uniform", 2);
      const at = (i: number) => u[Math.floor(i / 70) * 7 + (i % 7)]!;
      return Array.from({ length: size }, (_, i) => (at(i) < RATE ? 0 : 1 / (1 - RATE)));
    },
  ],
  [
    "spatialDropout1d",
    spatialDropout1d({ rate: RATE }),
    [2, 3, 5],
    (size) => {
      const u = drawn(2 * 5, "uniform", 0);
      const at = (i: number) => u[Math.floor(i / 15) * 5 + (i % 5)]!;
      return Array.from({ length: size }, (_, i) => (at(i) < RATE ? 0 : 1 / (1 - RATE)));
    },
  ],
  [
    "gaussianDropout",
    gaussianDropout({ rate: RATE, seed: 4 }),
    [3, 7],
    (size) => Array.from(drawn(size, "normal", 4), (n) => 1 + Math.sqrt(RATE / (1 - RATE)) * n),
  ],
])("%s", (_, layer, shape, factorsOf) => {
  it("multiplies forward and back by the same draws, in training only", async () => {
    const { x, dy, y, dx } = await called(layer, shape, true);
    const factors = factorsOf(x.length);
    expectClose(
      y,
      factors.map((f, i) => f * x[i]!),
      tolerances.elementwise,
      "y",
    );
    expectClose(
      dx,
      factors.map((f, i) => f * dy[i]!),
      tolerances.elementwise,
      "dx",
    );
    const other = await called(layer, shape, false);
    expectClose(other.y, other.x, tolerances.exact, "y of inference");
  });
});

describe("gaussianNoise", () => {
  it("adds its draws in training only, and passes the gradient on", async () => {
    const layer = gaussianNoise({ stddev: 0.3, seed: 1 });
    const { x, dy, y, dx } = await called(layer, [3, 7], true);
    const n = drawn(21, "normal", 1);
    expectClose(
      y,
      x.map((value, i) => value + 0.3 * n[i]!),
      tolerances.elementwise,
      "y",
    );
    expectClose(dx, dy, tolerances.exact, "dx");
    const other = await called(layer, [3, 7], false);
    expectClose(other.y, other.x, tolerances.exact, "y of inference");
  });
});

describe("wrong calls of noise", () => {
  it.each<[call: () => unknown, message: string]>([
    [() => spatialDropout2d({ rate: 1 }), "spatialDropout2d: rate must be a finite number of at least 0 and below 1"],
    [
      () => spatialDropout2d({ rate: 0.5 })(input({ shape: [4] })),
      "wants [batch, height, width, channels], got [batch, 4]",
    ],
    [() => spatialDropout1d({ rate: 0.5 })(input({ shape: [4, 4, 1] })), "wants [batch, steps, channels]"],
    [() => gaussianNoise({ stddev: 1.5 }), "gaussianNoise: stddev must be at most 1"],
    [() => gaussianDropout({ rate: 0.5, noise: 1 } as never), 'gaussianDropout has no option "noise"'],
    [() => gaussianDropout({ rate: 0.5, seed: 0.5 }), "gaussianDropout: seed"],
  ])("%#", (call, message) => {
    expect(call).toThrow(message);
  });
});
