import { describe, expect, it } from "vitest";
import type { Tile } from "../../../src/graph/tile.ts";
import { conv2d, conv2dFilterGradient, conv2dInputGradient, type Shape4 } from "../../reference/conv2d.ts";
import { dense, denseGradients, matmul } from "../../reference/matmul.ts";
import { randomArray } from "../../reference/random.ts";
import { expectClose } from "../../support/compare.ts";
import { GraphRun } from "../../support/run-graph.ts";
import { sumTolerance } from "../../support/tolerances.ts";

// Of a's and of b's blocks, each invocation loads one of each; two; not all of them one of a's, but four of b's; one, or two.
const square: Tile = { blocksM: 1, blocksN: 1, workgroupM: 4, workgroupN: 4, slices: 1, shared: true };
const large: Tile = { blocksM: 2, blocksN: 2, workgroupM: 4, workgroupN: 4, slices: 1, shared: true };
const flat: Tile = { blocksM: 1, blocksN: 1, workgroupM: 1, workgroupN: 8, slices: 2, shared: true };
const ragged: Tile = { blocksM: 2, blocksN: 1, workgroupM: 3, workgroupN: 8, slices: 3, shared: true };
// Four parts of each sum, and two, with two blocks or with more terms at a time than the sum has.
const parts: Tile = { blocksM: 1, blocksN: 1, workgroupM: 4, workgroupN: 4, slices: 1, shared: true, workgroupK: 4 };
const pairs: Tile = { blocksM: 2, blocksN: 1, workgroupM: 2, workgroupN: 8, slices: 2, shared: true, workgroupK: 2 };
const deep: Tile = { ...parts, blocksN: 2, depth: 16 };

const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

// Sizes of 1, of a tile, one more, one less; sums that are no whole number of loads.
describe.each([
  { m: 1, n: 1, k: 1, tile: square, transposeA: false, transposeB: false },
  { m: 33, n: 31, k: 65, tile: large, transposeA: false, transposeB: false },
  { m: 65, n: 7, k: 16, tile: square, transposeA: true, transposeB: false },
  { m: 7, n: 65, k: 33, tile: flat, transposeA: true, transposeB: true },
  { m: 23, n: 32, k: 20, tile: ragged, transposeA: false, transposeB: true },
  { m: 1, n: 1, k: 1, tile: parts, transposeA: false, transposeB: false },
  { m: 33, n: 31, k: 131, tile: parts, transposeA: false, transposeB: true },
  { m: 17, n: 65, k: 64, tile: pairs, transposeA: true, transposeB: false },
  { m: 7, n: 33, k: 37, tile: deep, transposeA: false, transposeB: false },
])("matmul $m x $n x $k", ({ m, n, k, tile, transposeA, transposeB }) => {
  it(`matches the reference, a transposed: ${transposeA}, b transposed: ${transposeB}`, async () => {
    const batch = 2;
    const [a, b] = [randomArray(batch * m * k, 1), randomArray(batch * k * n, 2)];
    const run = new GraphRun();
    const aId = run.input("a", transposeA ? [batch, k, m] : [batch, m, k], a);
    const bId = run.input("b", transposeB ? [batch, n, k] : [batch, k, n], b);
    const { c } = run.add("matmul", { a: aId, b: bId }, { transposeA, transposeB });
    const [got] = await run.read([c!], { tile });
    const want = [0, 1].flatMap((i) => {
      const [ai, bi] = [a.slice(i * m * k, (i + 1) * m * k), b.slice(i * k * n, (i + 1) * k * n)];
      return [...matmul(ai, bi, { m, n, k, transposeA, transposeB })];
    });
    expectClose(got!, want, sumTolerance(k), "c");
  });
});

describe.each([
  { rows: 1, inputs: 7, units: 3, tile: flat },
  { rows: 65, inputs: 16, units: 20, tile: ragged },
])("dense $rows x $inputs -> $units", ({ rows, inputs, units, tile }) => {
  const sizes = { rows, inputs, units };
  const [x, w, b] = [randomArray(rows * inputs, 1), randomArray(inputs * units, 2), randomArray(units, 3)];
  const dY = randomArray(rows * units, 4);

  // As for a GPU, where the products that can share a dispatch do.
  it("matches the reference forward and backward", async () => {
    const run = new GraphRun().rows(rows);
    const [xId, wId] = [run.input("x", [rows, inputs], x), run.input("w", [inputs, units], w)];
    const dYId = run.input("dy", [rows, units], dY);
    const { y } = run.add("dense", { x: xId, kernel: wId, bias: run.input("b", [units], b) });
    const { dx: dX } = run.add("denseInputGradient", { dy: dYId, kernel: wId });
    const { dkernel: dW, dbias: dB } = run.add(
      "denseFilterGradient",
      { x: xId, dy: dYId, state: run.graph.state },
      { hasBias: true },
    );
    const [gotY, gotDX, gotDW, gotDB] = await run.read([y!, dX!, dW!, dB!], { tile, adapter: "gpu" });
    const want = denseGradients(x, w, dY, sizes);
    expectClose(gotY!, dense(x, w, b, sizes), sumTolerance(inputs), "y");
    expectClose(gotDX!, want.dX, sumTolerance(units), "dX");
    expectClose(gotDW!, want.dW, sumTolerance(rows), "dW");
    expectClose(gotDB!, want.dB, sumTolerance(rows), "dB");
  });
});

// Channels by four or not, strides, paddings, batches in part; images that are no whole number of workgroups at one pixel.
describe.each([
  { x: [1, 1, 1, 1], rows: 1, kernel: [1, 1], filters: 1, strides: [1, 1], padding: "valid", tile: square },
  { x: [7, 5, 6, 4], rows: 5, kernel: [3, 2], filters: 8, strides: [1, 2], padding: "same", tile: large },
  { x: [65, 4, 3, 3], rows: 65, kernel: [2, 3], filters: 5, strides: [2, 1], padding: "valid", tile: ragged },
] as const)("conv2d $x $kernel $filters $strides $padding", ({ x: xShape, kernel, rows, filters, tile, ...window }) => {
  const kShape: Shape4 = [...kernel, xShape[3], filters];
  const [x, k, b] = [randomArray(size(xShape), 1), randomArray(size(kShape), 2), randomArray(filters, 3)];
  const want = conv2d(x, xShape, k, kShape, b, window);

  it("matches the reference forward and backward", async () => {
    const dY = randomArray(size(want.shape), 4);
    const run = new GraphRun().rows(rows);
    const [xId, kId, bId] = [run.input("x", xShape, x), run.input("k", kShape, k), run.input("b", [filters], b)];
    const dYId = run.input("dy", want.shape, dY);
    const { y } = run.add("conv2d", { x: xId, kernel: kId, bias: bId }, window);
    const { dx: dX } = run.add("conv2dInputGradient", { dy: dYId, kernel: kId }, { ...window, inputShape: xShape });
    const filter = { ...window, kernelShape: kShape, hasBias: true };
    const { dkernel: dK, dbias: dB } = run.add(
      "conv2dFilterGradient",
      { x: xId, dy: dYId, state: run.graph.state },
      filter,
    );
    const [gotY, gotDX, gotDK, gotDB] = await run.read([y!, dX!, dK!, dB!], { tile });

    const wantDX = conv2dInputGradient(dY, want.shape, k, kShape, xShape, window);
    const used = <T extends Shape4>(shape: T): Shape4 => [rows, shape[1], shape[2], shape[3]];
    const [xUsed, dYUsed] = [x.subarray(0, size(used(xShape))), dY.subarray(0, size(used(want.shape)))];
    const filterGradient = conv2dFilterGradient(xUsed, used(xShape), dYUsed, used(want.shape), kShape, window);
    const positions = size(want.shape) / filters;
    expectClose(gotY!, want.y, sumTolerance(size(kShape) / filters), "y");
    expectClose(gotDX!, wantDX, sumTolerance(size(kShape) / xShape[3]), "dX");
    expectClose(gotDK!, filterGradient.dK, sumTolerance(positions), "dK");
    expectClose(gotDB!, filterGradient.dB, sumTolerance(positions), "dB");
    expect(gotY!.length).toBe(want.y.length);
  });
});
