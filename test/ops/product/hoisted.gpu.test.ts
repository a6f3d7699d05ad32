import { describe, it } from "vitest";
import type { Tile } from "../../../src/graph/tile.ts";
import { conv2d, type Shape4 } from "../../reference/conv2d.ts";
import { dense, matmul } from "../../reference/matmul.ts";
import { maxPooling2d } from "../../reference/pooling2d.ts";
import { randomArray } from "../../reference/random.ts";
import { expectClose } from "../../support/compare.ts";
import { GraphRun, quadsRun, quadTile } from "../../support/run-graph.ts";
import { sumTolerance } from "../../support/tolerances.ts";

const alone: Tile = { blocksM: 3, blocksN: 2, workgroupM: 2, workgroupN: 2, slices: 1, hoisted: true };
const tiles: { name: string; tile: Tile; runs: boolean }[] = [
  { name: "of one invocation", tile: alone, runs: true },
  { name: "of a quad", tile: { ...quadTile(2, 1), hoisted: true }, runs: quadsRun },
  { name: "of a wide quad", tile: { ...quadTile(2, 2), hoisted: true }, runs: quadsRun },
  { name: "of a quad in pairs", tile: { ...quadTile(2, 3), turns: 2, hoisted: true }, runs: quadsRun },
];
const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

describe.each(tiles.filter(({ runs }) => runs))("products that keep b in registers, by a tile $name", ({ tile }) => {
  it.each([
    [false, false],
    [true, true],
  ])("match the reference in a batch, a transposed: %s, b transposed: %s", async (transposeA, transposeB) => {
    const [batch, m, n, k] = [2, 37, 10, 9];
    const [a, b] = [randomArray(batch * m * k, 1), randomArray(batch * k * n, 2)];
    const run = new GraphRun();
    const aId = run.input("a", [batch, ...(transposeA ? [k, m] : [m, k])], a);
    const bId = run.input("b", [batch, ...(transposeB ? [n, k] : [k, n])], b);
    const { c } = run.add("matmul", { a: aId, b: bId }, { transposeA, transposeB });
    const [got] = await run.read([c!], { tile });
    const want = [0, 1].flatMap((i) => [
      ...matmul(a.subarray(i * m * k, (i + 1) * m * k), b.subarray(i * k * n, (i + 1) * k * n), {
        m,
        n,
        k,
        transposeA,
        transposeB,
      }),
    ]);
    expectClose(got!, want, sumTolerance(k), "c");
  });

  it("match the reference as a dense layer", async () => {
    const sizes = { rows: 21, inputs: 6, units: 19 };
    const [x, w, b] = [randomArray(21 * 6, 1), randomArray(6 * 19, 2), randomArray(19, 3)];
    const run = new GraphRun();
    const { y } = run.add("dense", {
      x: run.input("x", [21, 6], x),
      kernel: run.input("w", [6, 19], w),
      bias: run.input("b", [19], b),
    });
    const [got] = await run.read([y!], { tile });
    expectClose(got!, dense(x, w, b, sizes), sumTolerance(6), "y");
  });

  it.each<{ x: Shape4; kernel: [number, number]; filters: number; strides: [number, number]; pool: boolean }>([
    { x: [3, 7, 6, 1], kernel: [3, 5], filters: 6, strides: [2, 1], pool: false },
    { x: [2, 6, 7, 3], kernel: [2, 2], filters: 5, strides: [1, 1], pool: true },
  ])("match the reference as a convolution of $x by $kernel, pooled: $pool", async ({ pool, ...test }) => {
    const { x: xShape, kernel, filters, strides } = test;
    const kShape: Shape4 = [...kernel, xShape[3], filters];
    const [x, k, b] = [randomArray(size(xShape), 1), randomArray(size(kShape), 2), randomArray(filters, 3)];
    const options = { strides, padding: "same" } as const;
    const run = new GraphRun();
    const inputs = {
      x: run.input("x", xShape, x),
      kernel: run.input("k", kShape, k),
      bias: run.input("b", [filters], b),
    };
    const { y } = run.add("conv2d", inputs, { ...options, ...(pool && { pool: [2, 2] }) });
    const [got] = await run.read([y!], { tile });
    const conv = conv2d(x, xShape, k, kShape, b, options);
    const window = { poolSize: [2, 2], strides: [2, 2], padding: "valid" } as const;
    const want = pool ? maxPooling2d(conv.y, conv.shape, window).y : conv.y;
    expectClose(got!, want, sumTolerance(size(kShape) / filters), "y");
  });
});

// Their rows are no multiple of 4, and each invocation stores 8 to 10 blocks: the compiler of SwiftShader once did not finish what asked
// of each row whether it exists by `&&`.
describe.each([
  { name: "of a quad", tile: { ...quadTile(1, 2), hoisted: true } },
  { name: "of a quad in pairs", tile: { ...quadTile(3, 5), turns: 2, hoisted: true } as const },
])("a wide tile $name", ({ tile }) => {
  it.runIf(quadsRun).each([
    { rows: 1, inputs: 4, units: 32 },
    { rows: 23, inputs: 9, units: 19 },
  ])("compiles and matches the reference as a dense layer of $rows x $inputs x $units", async (sizes) => {
    const { rows, inputs, units } = sizes;
    const [x, w, b] = [randomArray(rows * inputs, 1), randomArray(inputs * units, 2), randomArray(units, 3)];
    const run = new GraphRun();
    const ids = {
      x: run.input("x", [rows, inputs], x),
      kernel: run.input("w", [inputs, units], w),
      bias: run.input("b", [units], b),
    };
    const { y } = run.add("dense", ids);
    const [got] = await run.read([y!], { tile });
    expectClose(got!, dense(x, w, b, sizes), sumTolerance(inputs), "y");
  });

  it.runIf(quadsRun)("compiles and matches the reference as a convolution", async () => {
    const [xShape, kShape]: Shape4[] = [
      [1, 8, 8, 1],
      [4, 4, 1, 33],
    ];
    const [x, k, b] = [randomArray(size(xShape!), 1), randomArray(size(kShape!), 2), randomArray(33, 3)];
    const run = new GraphRun();
    const inputs = {
      x: run.input("x", xShape!, x),
      kernel: run.input("k", kShape!, k),
      bias: run.input("b", [33], b),
    };
    const options = { strides: [1, 1], padding: "valid" } as const;
    const { y } = run.add("conv2d", inputs, options);
    const [got] = await run.read([y!], { tile });
    expectClose(got!, conv2d(x, xShape!, k, kShape!, b, options).y, sumTolerance(16), "y");
  });
});
