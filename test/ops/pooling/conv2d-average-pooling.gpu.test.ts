import { describe, expect, it } from "vitest";
import { activate, activationGradient } from "../../reference/activation.ts";
import { conv2d, conv2dFilterGradient, conv2dInputGradient, type Shape4 } from "../../reference/conv2d.ts";
import { averagePooling2d, averagePooling2dGradient } from "../../reference/pooling2d.ts";
import { randomArray } from "../../reference/random.ts";
import { expectClose } from "../../support/compare.ts";
import { GraphRun } from "../../support/run-graph.ts";
import { sumTolerance, winogradTolerance } from "../../support/tolerances.ts";

type Pair = readonly [number, number];

const CASES: { x: Shape4; kernel: Pair; filters: number; pool: Pair; points?: 6 | 7 }[] = [
  { x: [3, 9, 9, 4], kernel: [3, 3], filters: 8, pool: [2, 2] },
  { x: [2, 8, 11, 1], kernel: [2, 3], filters: 6, pool: [1, 4] },
  { x: [2, 7, 8, 4], kernel: [3, 3], filters: 4, pool: [2, 2], points: 6 },
  // Windows across tiles of 5.
  { x: [2, 8, 13, 4], kernel: [3, 3], filters: 6, pool: [2, 2], points: 7 },
  { x: [2, 13, 6, 3], kernel: [3, 3], filters: 4, pool: [4, 1], points: 7 },
];

describe.each(CASES)("conv2d of $x with a mean over $pool in its kernels, at $points points", (test) => {
  const { x: xShape, kernel, filters, pool, points } = test;
  const kShape: Shape4 = [...kernel, xShape[3], filters];
  const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
  const [x, k, b] = [randomArray(size(xShape), 1), randomArray(size(kShape), 2), randomArray(filters, 3)];
  const plain = { strides: [1, 1], padding: "same" } as const;
  const window = { poolSize: pool, strides: pool, padding: "valid" } as const;
  const conv = conv2d(x, xShape, k, kShape, b, plain);
  const y = activate("relu", conv.y);
  const pooled = averagePooling2d(y, conv.shape, window);
  const dP = randomArray(size(pooled.shape), 4);

  it("matches convolution, relu and pooling one after the other, forward and backward", async () => {
    const run = new GraphRun().rows(xShape[0]);
    const [xId, kId, bId] = [run.input("x", xShape, x), run.input("k", kShape, k), run.input("b", [filters], b)];
    const dPId = run.input("dp", pooled.shape, dP);
    const attributes = { size: pool, strides: pool, padding: "valid" };
    const { y: z } = run.add("conv2d", { x: xId, kernel: kId, bias: bId }, plain);
    const { y: yId } = run.add("activation", { x: z! }, { kind: "relu" });
    const { y: p } = run.add("averagePooling2d", { x: yId! }, attributes);
    const { dx: dYId } = run.add("averagePooling2dGradient", { dy: dPId }, { ...attributes, inputShape: conv.shape });
    const { dx: dZ } = run.add("activationGradient", { dy: dYId!, y: yId! }, { kind: "relu" });
    const { dx: dX } = run.add("conv2dInputGradient", { dy: dZ!, kernel: kId }, { ...plain, inputShape: xShape });
    const filter = { ...plain, kernelShape: kShape, hasBias: true };
    const { dkernel: dK, dbias: dB } = run.add(
      "conv2dFilterGradient",
      { x: xId, dy: dZ!, state: run.graph.state },
      filter,
    );
    const [gotP, gotDX, gotDK, gotDB] = await run.read(
      [p!, dX!, dK!, dB!],
      points ? { algorithm: `winograd${points}` } : {},
    );
    expect(run.graph.nodes.some(({ op }) => /Pooling2d|activation/.test(op))).toBe(false);

    const dY = averagePooling2dGradient(dP, conv.shape, window);
    const wantDZ = activationGradient("relu", y, dY);
    const want = conv2dFilterGradient(x, xShape, wantDZ, conv.shape, kShape, plain);
    const wantDX = conv2dInputGradient(wantDZ, conv.shape, k, kShape, xShape, plain);
    const tolerance = (terms: number) => (points ? winogradTolerance(terms, points) : sumTolerance(terms));
    const positions = size(conv.shape) / filters;
    expectClose(gotP!, pooled.y, tolerance(size(kShape) / filters), "p");
    expectClose(gotDX!, wantDX, tolerance(size(kShape) / xShape[3]), "dX");
    expectClose(gotDK!, want.dK, tolerance(positions), "dK");
    expectClose(gotDB!, want.dB, tolerance(positions), "dB");
  });
});
