import { describe, it } from "vitest";
import type { AdapterClass } from "../../../src/graph/tile.ts";
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
import { sumTolerance } from "../../support/tolerances.ts";

// With the tiles that the package ships, for each class of adapter: the article's convolutions on a few images, and
// shapes around the edges of those tiles (16 rows, 16 columns, a workgroup's worth of each).
const SHAPES: {
  x: Shape4;
  kernel: [number, number];
  filters: number;
  strides?: [number, number];
  padding?: Padding;
}[] = [
  { x: [3, 28, 28, 1], kernel: [5, 5], filters: 32 },
  { x: [3, 12, 12, 32], kernel: [5, 5], filters: 64 },
  { x: [17, 7, 7, 4], kernel: [3, 3], filters: 17, padding: "same" },
  { x: [65, 4, 4, 7], kernel: [1, 1], filters: 65 },
  { x: [1, 15, 17, 16], kernel: [7, 2], filters: 3, strides: [2, 3], padding: "same" },
  { x: [2, 33, 1, 5], kernel: [4, 1], filters: 12, strides: [4, 1] },
  { x: [16, 5, 65, 1], kernel: [2, 9], filters: 1, strides: [1, 5], padding: "same" },
];

describe.each(SHAPES)("conv2d of $x by $kernel to $filters", (test) => {
  const { x: xShape, kernel, filters, strides = [1, 1], padding = "valid" } = test;
  const kShape: Shape4 = [...kernel, xShape[3], filters];
  const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
  const [x, k, b] = [randomArray(size(xShape), 1), randomArray(size(kShape), 2), randomArray(filters, 3)];
  const want = conv2d(x, xShape, k, kShape, b, { strides, padding });
  const dY = randomArray(size(want.shape), 4);
  const wantDX = conv2dInputGradient(dY, want.shape, k, kShape, xShape, { strides, padding });
  const { dK, dB } = conv2dFilterGradient(x, xShape, dY, want.shape, kShape, { strides, padding });

  it.each<AdapterClass>(["software", "gpu"])("matches the reference with the tiles for %s", async (adapter) => {
    const run = new GraphRun().rows(xShape[0]);
    const [xId, kId, bId] = [run.input("x", xShape, x), run.input("k", kShape, k), run.input("b", [filters], b)];
    const dYId = run.input("dy", want.shape, dY);
    const { y } = run.add("conv2d", { x: xId, kernel: kId, bias: bId }, { strides, padding });
    const { dx: dX } = run.add(
      "conv2dInputGradient",
      { dy: dYId, kernel: kId },
      { strides, padding, inputShape: xShape },
    );
    const filter = { strides, padding, kernelShape: kShape, hasBias: true };
    const { dkernel: dKId, dbias: dBId } = run.add(
      "conv2dFilterGradient",
      { x: xId, dy: dYId, state: run.graph.state },
      filter,
    );
    const [gotY, gotDX, gotDK, gotDB] = await run.read([y!, dX!, dKId!, dBId!], { adapter });
    const positions = size(want.shape) / filters;
    expectClose(gotY!, want.y, sumTolerance(size(kShape) / filters), "y");
    expectClose(gotDX!, wantDX, sumTolerance(size(kShape) / xShape[3]), "dX");
    expectClose(gotDK!, dK, sumTolerance(positions), "dK");
    expectClose(gotDB!, dB, sumTolerance(positions), "dB");
  });
});
