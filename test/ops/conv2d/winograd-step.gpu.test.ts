import { describe, expect, it } from "vitest";
import { activate, activationGradient } from "../../reference/activation.ts";
import { conv2d, conv2dFilterGradient, conv2dInputGradient, type Shape4 } from "../../reference/conv2d.ts";
import { maxPooling2d, maxPooling2dGradient } from "../../reference/pooling2d.ts";
import { randomArray } from "../../reference/random.ts";
import { expectClose } from "../../support/compare.ts";
import { GraphRun } from "../../support/run-graph.ts";
import { sumTolerance, winogradTolerance } from "../../support/tolerances.ts";

const RATE = 0.25;
const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

// Windows of 4 in a row and in a column (choices.test.ts has square ones); outputs that tiles and windows do not divide.
describe.each([
  { points: 8, x: [3, 8, 9, 4], kernel: 5, filters: 4, padding: "valid", pool: [1, 4], activation: "relu" },
  { points: 6, x: [4, 7, 6, 4], kernel: 3, filters: 5, padding: "same", pool: [4, 1], activation: "tanh" },
] as const)("winograd$points with $activation, a pooling by $pool and an update in its kernels", (test) => {
  const { points, kernel, filters, padding, pool, activation } = test;
  // Of the batch, the last image is not in use.
  const rows = test.x[0] - 1;
  const xShape: Shape4 = [rows, ...(test.x.slice(1) as [number, number, number])];
  const kShape: Shape4 = [kernel, kernel, xShape[3], filters];
  const options = { strides: [1, 1], padding } as const;
  const window = { poolSize: pool, strides: pool, padding: "valid" } as const;
  const [x, k, b] = [randomArray(size(xShape), 1), randomArray(size(kShape), 2), randomArray(filters, 3)];
  const conv = conv2d(x, xShape, k, kShape, b, options);
  const y = activate(activation, conv.y);
  const pooled = maxPooling2d(y, conv.shape, window);
  const dP = randomArray(size(pooled.shape), 4);

  const withUnused = (values: Float64Array, shape: readonly number[], unused: number) =>
    [...values, ...Array(size(shape.slice(1))).fill(unused)] as number[];
  const whole = (shape: readonly number[]) => [rows + 1, ...shape.slice(1)];

  it.each(["software", "gpu"] as const)(
    "steps the parameters by the images in use, whatever lies in the others, on %s",
    async (adapter) => {
      const run = new GraphRun().rows(rows);
      const xId = run.input("x", whole(xShape), withUnused(x, xShape, Number.POSITIVE_INFINITY));
      const dPId = run.input("dp", whole(pooled.shape), withUnused(dP, pooled.shape, Number.NaN));
      const [kId, bId, rate] = [
        run.input("k", kShape, k),
        run.input("b", [filters], b),
        run.input("rate", [1], [RATE]),
      ];
      const pooling = { size: pool, strides: pool, padding: "valid" };
      const { y: z } = run.add("conv2d", { x: xId, kernel: kId, bias: bId }, options);
      const { y: yId } = run.add("activation", { x: z! }, { kind: activation });
      const { y: p, argmax } = run.add("maxPooling2d", { x: yId! }, pooling);
      const { dx: dYId } = run.add(
        "maxPooling2dGradient",
        { dy: dPId, argmax: argmax! },
        { ...pooling, inputShape: whole(conv.shape) },
      );
      const { dx: dZ } = run.add("activationGradient", { dy: dYId!, y: yId! }, { kind: activation });
      const { dx: dX } = run.add(
        "conv2dInputGradient",
        { dy: dZ!, kernel: kId },
        { ...options, inputShape: whole(xShape) },
      );
      const filter = { ...options, kernelShape: kShape, hasBias: true };
      const { dkernel: dK, dbias: dB } = run.add(
        "conv2dFilterGradient",
        { x: xId, dy: dZ!, state: run.graph.state },
        filter,
      );
      run.add("sgd", { p: kId, g: dK!, rate });
      run.add("sgd", { p: bId, g: dB!, rate });
      const [gotP, gotDX, gotK, gotB] = await run.read([p!, dX!, kId, bId], {
        algorithm: `winograd${points}`,
        adapter,
      });

      const ops = run.graph.nodes.map(({ op }) => op);
      expect(ops.filter((op) => /Pooling|^conv2d|^sgd$|^activation$/.test(op))).toEqual([]);
      const dY = maxPooling2dGradient(dP, pooled.argmax, conv.shape);
      const wantDZ = activationGradient(activation, y, dY);
      const want = conv2dFilterGradient(x, xShape, wantDZ, conv.shape, kShape, options);
      const wantDX = conv2dInputGradient(wantDZ, conv.shape, k, kShape, xShape, options);
      const positions = size(conv.shape) / filters;
      const stepped = (values: Float64Array, by: Float64Array) => values.map((value, i) => value - RATE * by[i]!);
      const inUse = (got: Float32Array, wanted: Float64Array) => got.subarray(0, wanted.length);
      expectClose(inUse(gotP!, pooled.y), pooled.y, winogradTolerance(size(kShape) / filters, points), "p");
      expectClose(inUse(gotDX!, wantDX), wantDX, winogradTolerance(size(kShape) / xShape[3], points), "dX");
      expectClose(gotK!, stepped(k, want.dK), winogradTolerance(positions, points), "kernel");
      expectClose(gotB!, stepped(b, want.dB), sumTolerance(positions), "bias");
    },
  );
});
