import { describe, expect, it } from "vitest";
import type { Shape4 } from "../../reference/conv2d.ts";
import {
  averagePooling2d,
  averagePooling2dGradient,
  maxPooling2d,
  maxPooling2dGradient,
  type PoolOptions,
} from "../../reference/pooling2d.ts";
import { randomArray, randomIntegers } from "../../reference/random.ts";
import { expectClose } from "../../support/compare.ts";
import { GraphRun } from "../../support/run-graph.ts";
import { tolerances } from "../../support/tolerances.ts";

// Pairwise: size, overlap, gaps, padding, odd images, one channel and several.
const CASES: { x: Shape4; options: PoolOptions }[] = [
  { x: [1, 1, 1, 1], options: { poolSize: [1, 1], strides: [1, 1], padding: "valid" } },
  { x: [2, 7, 6, 3], options: { poolSize: [3, 2], strides: [2, 1], padding: "same" } },
  { x: [3, 5, 9, 1], options: { poolSize: [2, 4], strides: [3, 2], padding: "valid" } },
  { x: [1, 8, 8, 65], options: { poolSize: [2, 2], strides: [2, 2], padding: "same" } },
];

describe.each(CASES)("pooling2d of $x by $options", ({ x: xShape, options }) => {
  const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
  const attributes = { size: options.poolSize, strides: options.strides, padding: options.padding };

  it("takes the maximum, and gives it the gradient", async () => {
    // Few distinct values, so that windows have ties: the first in row-major order must win.
    const x = Float64Array.from(randomIntegers(size(xShape), 1, 5), (value) => value - 2);
    const want = maxPooling2d(x, xShape, options);
    const dY = randomArray(size(want.shape), 2);
    const run = new GraphRun();
    const { y, argmax } = run.add("maxPooling2d", { x: run.input("x", xShape, x) }, attributes);
    const dYId = run.input("dy", want.shape, dY);
    const { dx: dX } = run.add(
      "maxPooling2dGradient",
      { dy: dYId, argmax: argmax! },
      { ...attributes, inputShape: xShape },
    );
    const [gotY, gotDX] = await run.read([y!, dX!]);
    expectClose(gotY!, want.y, tolerances.exact, "y");
    expectClose(gotDX!, maxPooling2dGradient(dY, want.argmax, xShape), tolerances.poolingGradient, "dX");
  });

  it("takes the mean of real cells, and shares the gradient out", async () => {
    const x = randomArray(size(xShape), 3);
    const want = averagePooling2d(x, xShape, options);
    const dY = randomArray(size(want.shape), 4);
    const run = new GraphRun();
    const { y } = run.add("averagePooling2d", { x: run.input("x", xShape, x) }, attributes);
    const dYId = run.input("dy", want.shape, dY);
    const { dx: dX } = run.add("averagePooling2dGradient", { dy: dYId }, { ...attributes, inputShape: xShape });
    const [gotY, gotDX] = await run.read([y!, dX!]);
    expectClose(gotY!, want.y, tolerances.averagePooling, "y");
    expectClose(gotDX!, averagePooling2dGradient(dY, xShape, options), tolerances.poolingGradient, "dX");
  });
});

describe("maxPooling2d", () => {
  it("lets NaN through", async () => {
    const run = new GraphRun();
    const x = run.input("x", [1, 2, 2, 1], [1, Number.NaN, 3, 2]);
    const { y } = run.add("maxPooling2d", { x }, { size: [2, 2], strides: [2, 2], padding: "valid" });
    const [got] = await run.read([y!]);
    expect(got![0]).toBeNaN();
  });
});
