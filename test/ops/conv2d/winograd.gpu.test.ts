import { describe, expect, it } from "vitest";
import type { Tile } from "../../../src/graph/tile.ts";
import {
  conv2d,
  conv2dFilterGradient,
  conv2dInputGradient,
  type Padding,
  type Shape4,
} from "../../reference/conv2d.ts";
import { randomArray } from "../../reference/random.ts";
import { expectClose } from "../../support/compare.ts";
import { GraphRun } from "../../support/run-graph.ts";
import { sumTolerance, winogradTolerance } from "../../support/tolerances.ts";

interface Case {
  x: Shape4;
  kernel: number;
  filters: number;
  padding: Padding;
  points: 6 | 7 | 8;
  tile?: Tile;
}

const small: Tile = { blocksM: 1, blocksN: 1, workgroupM: 8, workgroupN: 8, slices: 1 };

// Tiles of 2 to 5 outputs (choices.test.ts has 6); channels by four or not; both paddings.
const CASES: Case[] = [
  { x: [1, 5, 9, 3], kernel: 5, filters: 5, padding: "valid", points: 8, tile: small },
  { x: [3, 7, 6, 8], kernel: 3, filters: 4, padding: "same", points: 6 },
  { x: [1, 4, 5, 5], kernel: 2, filters: 4, padding: "same", points: 6, tile: small },
  { x: [2, 7, 8, 4], kernel: 7, filters: 1, padding: "same", points: 8 },
  { x: [2, 6, 7, 4], kernel: 3, filters: 5, padding: "same", points: 7 },
  { x: [1, 7, 6, 3], kernel: 4, filters: 4, padding: "valid", points: 7, tile: small },
  { x: [1, 5, 5, 4], kernel: 5, filters: 4, padding: "same", points: 6 },
];

describe.each(CASES)("winograd$points x $x kernel $kernel filters $filters $padding", (test) => {
  const { x: xShape, kernel, filters, padding, points, tile } = test;
  const kShape: Shape4 = [kernel, kernel, xShape[3], filters];
  const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
  const [x, k, b] = [randomArray(size(xShape), 1), randomArray(size(kShape), 2), randomArray(filters, 3)];
  const strides: [number, number] = [1, 1];
  const want = conv2d(x, xShape, k, kShape, b, { strides, padding });

  // Four channels an invocation, and one, as for a GPU.
  it.each(["software", "gpu"] as const)("matches the reference forward and backward on %s", async (adapter) => {
    const dY = randomArray(size(want.shape), 4);
    const run = new GraphRun();
    const [xId, kId, bId] = [run.input("x", xShape, x), run.input("k", kShape, k), run.input("b", [filters], b)];
    const dYId = run.input("dy", want.shape, dY);
    const { y } = run.add("conv2d", { x: xId, kernel: kId, bias: bId }, { strides, padding });
    const { dx: dX } = run.add(
      "conv2dInputGradient",
      { dy: dYId, kernel: kId },
      { strides, padding, inputShape: xShape },
    );
    const filter = { strides, padding, kernelShape: kShape, hasBias: true };
    const { dkernel: dK, dbias: dB } = run.add(
      "conv2dFilterGradient",
      { x: xId, dy: dYId, state: run.graph.state },
      filter,
    );
    const options = { algorithm: `winograd${points}`, adapter, ...(tile ? { tile } : {}) };
    const [gotY, gotDX, gotDK, gotDB] = await run.rows(xShape[0]).read([y!, dX!, dK!, dB!], options);
    expect(run.graph.nodes.map(({ op }) => op)).toContain("winogradFilterGradient");

    const wantDX = conv2dInputGradient(dY, want.shape, k, kShape, xShape, { strides, padding });
    const { dK: wantDK, dB: wantDB } = conv2dFilterGradient(x, xShape, dY, want.shape, kShape, { strides, padding });
    const positions = size(want.shape) / filters;
    expectClose(gotY!, want.y, winogradTolerance(size(kShape) / filters, points), "y");
    expectClose(gotDX!, wantDX, winogradTolerance(size(kShape) / xShape[3], points), "dX");
    expectClose(gotDK!, wantDK, winogradTolerance(positions, points), "dK");
    // At the points 1 and 1 the transform is a plain sum.
    expectClose(gotDB!, wantDB, sumTolerance(positions), "dB");
    expect(gotY!.length).toBe(want.y.length);
  });
});
