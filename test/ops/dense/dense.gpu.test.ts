import { describe, expect, it } from "vitest";
import type { Tile } from "../../../src/graph/tile.ts";
import { dense, denseGradients } from "../../reference/matmul.ts";
import { randomArray } from "../../reference/random.ts";
import { expectClose } from "../../support/compare.ts";
import { GraphRun, quadsRun, quadTile } from "../../support/run-graph.ts";
import { sumTolerance, tolerances } from "../../support/tolerances.ts";

const small: Tile = { blocksM: 1, blocksN: 1, workgroupM: 8, workgroupN: 8, slices: 1 };
const wide: Tile = { blocksM: 2, blocksN: 2, workgroupM: 2, workgroupN: 2, slices: 1 };

describe.each<{ rows: number; inputs: number; units: number; tile: Tile }>([
  { rows: 1, inputs: 7, units: 3, tile: small },
  { rows: 9, inputs: 12, units: 20, tile: wide },
  { rows: 65, inputs: 5, units: 10, tile: small },
  { rows: 19, inputs: 6, units: 21, tile: quadTile(2, 1) },
])("dense $rows x $inputs -> $units", ({ rows, inputs, units, tile }) => {
  const sizes = { rows, inputs, units };
  const [x, w, b] = [randomArray(rows * inputs, 1), randomArray(inputs * units, 2), randomArray(units, 3)];
  const dY = randomArray(rows * units, 4);

  it.runIf(quadsRun || !tile.quad)("matches the reference forward and backward", async () => {
    const run = new GraphRun().rows(rows);
    const [xId, wId, bId] = [
      run.input("x", [rows, inputs], x),
      run.input("w", [inputs, units], w),
      run.input("b", [units], b),
    ];
    const dYId = run.input("dy", [rows, units], dY);
    const { y } = run.add("dense", { x: xId, kernel: wId, bias: bId });
    const { dx: dX } = run.add("denseInputGradient", { dy: dYId, kernel: wId });
    const { dkernel: dW, dbias: dB } = run.add(
      "denseFilterGradient",
      { x: xId, dy: dYId, state: run.graph.state },
      { hasBias: true },
    );
    const [gotY, gotDX, gotDW, gotDB] = await run.read([y!, dX!, dW!, dB!], { tile });
    const want = denseGradients(x, w, dY, sizes);
    expectClose(gotY!, dense(x, w, b, sizes), sumTolerance(inputs), "y");
    expectClose(gotDX!, want.dX, sumTolerance(units), "dX");
    expectClose(gotDW!, want.dW, sumTolerance(rows), "dW");
    expectClose(gotDB!, want.dB, sumTolerance(rows), "dB");
  });
});

describe("denseFilterGradient of a short batch", () => {
  it.each([
    [1, []],
    [3, [3]],
    [6, [2, 3]],
  ])("leaves out the samples of %i rows that are not in use, whatever they hold", async (sampleRows, between) => {
    const rows = 3 * sampleRows;
    const sizes = { rows, inputs: 4, units: 5 };
    const [x, dY] = [randomArray(7 * sampleRows * 4, 1), randomArray(7 * sampleRows * 5, 2)];
    x.fill(Number.POSITIVE_INFINITY, rows * 4);
    dY.fill(Number.NaN, rows * 5);
    const run = new GraphRun().rows(3);
    const [xId, dYId] = [run.input("x", [7, ...between, 4], x), run.input("dy", [7, ...between, 5], dY)];
    const { dkernel: dW, dbias: dB } = run.add(
      "denseFilterGradient",
      { x: xId, dy: dYId, state: run.graph.state },
      { hasBias: true },
    );
    const [gotDW, gotDB] = await run.read([dW!, dB!]);
    const want = denseGradients(x.subarray(0, rows * 4), new Float64Array(20), dY.subarray(0, rows * 5), sizes);
    expectClose(gotDW!, want.dW, sumTolerance(rows), "dW");
    expectClose(gotDB!, want.dB, sumTolerance(rows), "dB");
  });
});

describe("an update in the filter gradient", () => {
  it("steps the parameters as the separate update does", async () => {
    const [rows, inputs, units] = [6, 5, 9];
    const [x, w, b] = [randomArray(rows * inputs, 1), randomArray(inputs * units, 2), randomArray(units, 3)];
    const dY = randomArray(rows * units, 4);
    const step = async (keepGradient: boolean) => {
      const run = new GraphRun().rows(rows);
      const [xId, dYId] = [run.input("x", [rows, inputs], x), run.input("dy", [rows, units], dY)];
      const [wId, bId] = [run.input("w", [inputs, units], w), run.input("b", [units], b)];
      const rate = run.input("rate", [1], [0.25]);
      const { dkernel: dW, dbias: dB } = run.add(
        "denseFilterGradient",
        { x: xId, dy: dYId, state: run.graph.state },
        { hasBias: true },
      );
      run.add("sgd", { p: wId, g: dW!, rate });
      run.add("sgd", { p: bId, g: dB!, rate });
      const read = await run.read(keepGradient ? [wId, bId, dW!] : [wId, bId]);
      return { read, kernels: run.graph.nodes.map(({ op }) => op) };
    };
    const [fused, separate] = [await step(false), await step(true)];
    expect(fused.kernels).toEqual(["denseFilterGradient"]);
    expect(separate.kernels).toEqual(["denseFilterGradient", "sgd", "sgd"]);
    const { dW } = denseGradients(x, w, dY, { rows, inputs, units });
    const wanted = w.map((value, i) => value - 0.25 * dW[i]!);
    expectClose(fused.read[0]!, wanted, sumTolerance(rows), "kernel");
    for (const i of [0, 1]) expectClose(fused.read[i]!, separate.read[i]!, tolerances.sgdUpdate, `parameter ${i}`);
  });
});
