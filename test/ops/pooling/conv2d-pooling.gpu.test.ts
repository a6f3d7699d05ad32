import { describe, expect, it } from "vitest";
import type { Tile } from "../../../src/graph/tile.ts";
import { activate, activationGradient } from "../../reference/activation.ts";
import { conv2d, conv2dFilterGradient, conv2dInputGradient, type Shape4 } from "../../reference/conv2d.ts";
import { maxPooling2d, maxPooling2dGradient } from "../../reference/pooling2d.ts";
import { randomArray } from "../../reference/random.ts";
import { expectClose } from "../../support/compare.ts";
import { GraphRun, quadsRun, quadTile } from "../../support/run-graph.ts";
import { sumTolerance } from "../../support/tolerances.ts";

type Pair = readonly [number, number];

const small: Tile = { blocksM: 1, blocksN: 1, workgroupM: 8, workgroupN: 8, slices: 2 };
const wide: Tile = { blocksM: 2, blocksN: 2, workgroupM: 2, workgroupN: 2, slices: 3 };

// Windows of 4 in all shapes; output sizes that the windows divide and that they do not; channels by four and not.
const CASES: {
  x: Shape4;
  kernel: Pair;
  filters: number;
  strides: Pair;
  padding: "valid" | "same";
  pool: Pair;
  activation: "relu" | "tanh";
  tile: Tile;
}[] = [
  {
    x: [3, 9, 9, 4],
    kernel: [3, 3],
    filters: 8,
    strides: [1, 1],
    padding: "valid",
    pool: [2, 2],
    activation: "relu",
    tile: wide,
  },
  {
    x: [2, 8, 11, 1],
    kernel: [2, 3],
    filters: 6,
    strides: [1, 2],
    padding: "same",
    pool: [1, 4],
    activation: "tanh",
    tile: small,
  },
  {
    x: [5, 10, 6, 3],
    kernel: [3, 3],
    filters: 4,
    strides: [1, 1],
    padding: "same",
    pool: [4, 1],
    activation: "relu",
    tile: small,
  },
  {
    x: [5, 7, 9, 4],
    kernel: [3, 2],
    filters: 6,
    strides: [1, 1],
    padding: "valid",
    pool: [2, 2],
    activation: "relu",
    tile: quadTile(1, 2, 2),
  },
];

describe.each(CASES)("conv2d of $x with a pooling of $pool in its kernels", (test) => {
  const { x: xShape, kernel, filters, strides, padding, pool, activation, tile } = test;
  const kShape: Shape4 = [...kernel, xShape[3], filters];
  const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
  const [x, k, b] = [randomArray(size(xShape), 1), randomArray(size(kShape), 2), randomArray(filters, 3)];
  const window = { poolSize: pool, strides: pool, padding: "valid" } as const;
  const conv = conv2d(x, xShape, k, kShape, b, { strides, padding });
  const y = activate(activation, conv.y);
  const pooled = maxPooling2d(y, conv.shape, window);
  const dP = randomArray(size(pooled.shape), 4);

  it.runIf(quadsRun || !tile.quad)(
    "matches convolution, activation and pooling one after the other, forward and backward",
    async () => {
      const run = new GraphRun().rows(xShape[0]);
      const [xId, kId, bId] = [run.input("x", xShape, x), run.input("k", kShape, k), run.input("b", [filters], b)];
      const dPId = run.input("dp", pooled.shape, dP);
      const attributes = { size: pool, strides: pool, padding: "valid" };
      const { y: z } = run.add("conv2d", { x: xId, kernel: kId, bias: bId }, { strides, padding });
      const { y: yId } = run.add("activation", { x: z! }, { kind: activation });
      const { y: p, argmax } = run.add("maxPooling2d", { x: yId! }, attributes);
      const { dx: dYId } = run.add(
        "maxPooling2dGradient",
        { dy: dPId, argmax: argmax! },
        { ...attributes, inputShape: conv.shape },
      );
      const { dx: dZ } = run.add("activationGradient", { dy: dYId!, y: yId! }, { kind: activation });
      const { dx: dX } = run.add(
        "conv2dInputGradient",
        { dy: dZ!, kernel: kId },
        { strides, padding, inputShape: xShape },
      );
      const filter = { strides, padding, kernelShape: kShape, hasBias: true };
      const { dkernel: dK, dbias: dB } = run.add(
        "conv2dFilterGradient",
        { x: xId, dy: dZ!, state: run.graph.state },
        filter,
      );
      const [gotP, gotDX, gotDK, gotDB] = await run.read([p!, dX!, dK!, dB!], { tile });

      const fused = run.graph.nodes.filter(({ attributes }) => attributes.pool !== undefined).map(({ op }) => op);
      expect(fused).toEqual(["conv2d", "conv2dInputGradient", "conv2dFilterGradient"]);
      expect(run.graph.nodes.some(({ op }) => op.startsWith("maxPooling"))).toBe(false);

      const dY = maxPooling2dGradient(dP, pooled.argmax, conv.shape);
      const wantDZ = activationGradient(activation, y, dY);
      const want = conv2dFilterGradient(x, xShape, wantDZ, conv.shape, kShape, { strides, padding });
      const wantDX = conv2dInputGradient(wantDZ, conv.shape, k, kShape, xShape, { strides, padding });
      const positions = size(conv.shape) / filters;
      expectClose(gotP!, pooled.y, sumTolerance(size(kShape) / filters), "p");
      expectClose(gotDX!, wantDX, sumTolerance(size(kShape) / xShape[3]), "dX");
      expectClose(gotDK!, want.dK, sumTolerance(positions), "dK");
      expectClose(gotDB!, want.dB, sumTolerance(positions), "dB");
    },
  );
});

describe("ties in a pooling that rides in the convolution", () => {
  it("are won by the first in row-major order", async () => {
    const run = new GraphRun().rows(1);
    // A 1x1 kernel of 1 copies x; all four of the window are equal, so only the first may take the gradient.
    const x = run.input("x", [1, 2, 2, 1], [3, 3, 3, 3]);
    const k = run.input("k", [1, 1, 1, 1], [1]);
    const window = { size: [2, 2], strides: [2, 2], padding: "valid" };
    const { y } = run.add("conv2d", { x, kernel: k }, { strides: [1, 1], padding: "valid" });
    const { argmax } = run.add("maxPooling2d", { x: y! }, window);
    const dP = run.input("dp", [1, 1, 1, 1], [5]);
    const { dx: dY } = run.add(
      "maxPooling2dGradient",
      { dy: dP, argmax: argmax! },
      { ...window, inputShape: [1, 2, 2, 1] },
    );
    const attributes = { strides: [1, 1], padding: "valid", inputShape: [1, 2, 2, 1] };
    const { dx: dX } = run.add("conv2dInputGradient", { dy: dY!, kernel: k }, attributes);
    const [got] = await run.read([dX!]);
    expect([...got!]).toEqual([5, 0, 0, 0]);
  });
});
