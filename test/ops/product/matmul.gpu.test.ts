import { describe, expect, it } from "vitest";
import { defineOp } from "../../../src/graph/op.ts";
import type { Tile } from "../../../src/graph/tile.ts";
import { type MatmulSizes, matmul } from "../../reference/matmul.ts";
import { randomArray } from "../../reference/random.ts";
import { expectClose } from "../../support/compare.ts";
import { GraphRun, pairsTile, quadsRun, quadTile, singlesTile } from "../../support/run-graph.ts";
import { sumTolerance } from "../../support/tolerances.ts";

const small: Tile = { blocksM: 1, blocksN: 1, workgroupM: 8, workgroupN: 8, slices: 1 };
const wide: Tile = { blocksM: 2, blocksN: 2, workgroupM: 2, workgroupN: 2, slices: 1 };

const TRANSPOSES = [
  [false, false],
  [true, false],
  [false, true],
  [true, true],
] as const;

async function expectProduct(sizes: MatmulSizes, tile: Tile) {
  const { m, n, k, transposeA = false, transposeB = false } = sizes;
  const [a, b] = [randomArray(m * k, 1), randomArray(k * n, 2)];
  const run = new GraphRun();
  const aId = run.input("a", transposeA ? [k, m] : [m, k], a);
  const bId = run.input("b", transposeB ? [n, k] : [k, n], b);
  const { c } = run.add("matmul", { a: aId, b: bId }, { transposeA, transposeB });
  const [got] = await run.read([c!], { tile });
  expectClose(got!, matmul(a, b, sizes), sumTolerance(k), "c");
}

it("matmul of one number by one matches the reference", () => expectProduct({ m: 1, n: 1, k: 1 }, small));

describe.each([
  { m: 7, n: 65, k: 5, tile: wide },
  { m: 33, n: 8, k: 64, tile: small },
  { m: 16, n: 31, k: 12, tile: wide },
])("matmul $m x $n x $k", ({ tile, ...sizes }) => {
  it.each(TRANSPOSES)("matches the reference, a transposed: %s, b transposed: %s", (transposeA, transposeB) =>
    expectProduct({ ...sizes, transposeA, transposeB }, tile),
  );
});

describe("matmul in quads", () => {
  // More than one quad, the last of them partly outside.
  it.runIf(quadsRun).each(TRANSPOSES)(
    "matches the reference, a transposed: %s, b transposed: %s",
    (transposeA, transposeB) => expectProduct({ m: 37, n: 21, k: 6, transposeA, transposeB }, quadTile(2, 1)),
  );

  it.runIf(quadsRun)("matches the reference where a quad's rows turn in pairs", () =>
    expectProduct({ m: 37, n: 21, k: 6 }, { ...quadTile(2, 1), turns: 2 }),
  );

  it.runIf(quadsRun)("matches the reference where a quad has more lanes than the product rows and columns", () =>
    expectProduct({ m: 5, n: 3, k: 9 }, quadTile(1, 2)),
  );
});

/** The end of a graph, whose gradient by c is given. */
const weigh = defineOp({
  name: "weigh",
  inputs: ["c", "dc"],
  outputs: ["y"],
  infer: () => ({ y: { shape: [1], dtype: "f32" } }),
  gradient: ({ inputs: { dc } }) => ({ c: dc }),
});

describe.each([
  { batch: 3, m: 5, n: 6, k: 7, transposeA: false, transposeB: false, tile: small, runs: true },
  { batch: 2, m: 9, n: 4, k: 3, transposeA: true, transposeB: true, tile: wide, runs: true },
  { batch: 3, m: 10, n: 5, k: 4, transposeA: false, transposeB: true, tile: quadTile(1, 1), runs: quadsRun },
  { batch: 3, m: 17, n: 10, k: 6, transposeA: true, transposeB: false, tile: pairsTile(2, 1), runs: quadsRun },
  { batch: 5, m: 10, n: 9, k: 5, transposeA: true, transposeB: false, tile: singlesTile(3, 2), runs: true },
])("$batch products of $m x $n x $k in one", ({ batch, m, n, k, transposeA, transposeB, tile, runs }) => {
  it.runIf(runs)("match the reference one by one, and so do their gradients", async () => {
    const sizes = { m, n, k, transposeA, transposeB };
    const [a, b, dC] = [randomArray(batch * m * k, 1), randomArray(batch * k * n, 2), randomArray(batch * m * n, 3)];
    const run = new GraphRun();
    const aId = run.input("a", [batch, ...(transposeA ? [k, m] : [m, k])], a);
    const bId = run.input("b", [batch, ...(transposeB ? [n, k] : [k, n])], b);
    const { c } = run.add("matmul", { a: aId, b: bId }, { transposeA, transposeB });
    const { y: end } = run.add(weigh, { c, dc: run.input("dc", [batch, m, n], dC) });
    const made = run.gradients(end!, [aId, bId]);
    const [gotC, gotA, gotB] = await run.read([c!, ...made], { tile });

    const want = Array.from({ length: batch }, (_, i) => {
      const [aOf, bOf] = [a.subarray(i * m * k, (i + 1) * m * k), b.subarray(i * k * n, (i + 1) * k * n)];
      const dCOf = dC.subarray(i * m * n, (i + 1) * m * n);
      // dA = dC B' as [m, k], dB = A' dC as [k, n]; each as its operand lies.
      const dA = matmul(dCOf, bOf, { m, n: k, k: n, transposeB: !transposeB });
      const dB = matmul(aOf, dCOf, { m: k, n, k: m, transposeA: !transposeA });
      const c = matmul(aOf, bOf, sizes);
      return { c, dA: transposeA ? transposed(dA, m, k) : dA, dB: transposeB ? transposed(dB, k, n) : dB };
    });
    expectClose(
      gotC!,
      want.flatMap(({ c }) => [...c]),
      sumTolerance(k),
      "c",
    );
    expectClose(
      gotA!,
      want.flatMap(({ dA }) => [...dA]),
      sumTolerance(n),
      "dA",
    );
    expectClose(
      gotB!,
      want.flatMap(({ dB }) => [...dB]),
      sumTolerance(m),
      "dB",
    );
  });
});

function transposed(matrix: Float64Array, rows: number, columns: number): Float64Array {
  return matrix.map((_, at) => matrix[(at % rows) * columns + Math.floor(at / rows)]!);
}

it("has quads on every adapter that the tests know to have them", () => {
  if (navigator.userAgent.includes("Chrom")) expect(quadsRun).toBe(true);
});
