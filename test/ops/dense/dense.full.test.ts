import { describe, it } from "vitest";
import type { AdapterClass } from "../../../src/graph/tile.ts";
import { dense, denseGradients } from "../../reference/matmul.ts";
import { randomArray } from "../../reference/random.ts";
import { expectClose } from "../../support/compare.ts";
import { GraphRun } from "../../support/run-graph.ts";
import { sumTolerance } from "../../support/tolerances.ts";

// Around the edges of the shipped tiles, and the article's dense layers on a few rows.
const SIZES = [
  { rows: 3, inputs: 1024, units: 1000 },
  { rows: 17, inputs: 1000, units: 10 },
  { rows: 127, inputs: 15, units: 16 },
  { rows: 129, inputs: 17, units: 65 },
  { rows: 1, inputs: 1, units: 1 },
];

describe.each(SIZES)("dense $rows x $inputs -> $units", (sizes) => {
  const { rows, inputs, units } = sizes;
  const [x, w, b] = [randomArray(rows * inputs, 1), randomArray(inputs * units, 2), randomArray(units, 3)];
  const dY = randomArray(rows * units, 4);

  it.each<AdapterClass>(["software", "gpu"])("matches the reference with the tiles for %s", async (adapter) => {
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
    const [gotY, gotDX, gotDW, gotDB] = await run.read([y!, dX!, dW!, dB!], { adapter });
    const want = denseGradients(x, w, dY, sizes);
    expectClose(gotY!, dense(x, w, b, sizes), sumTolerance(inputs), "y");
    expectClose(gotDX!, want.dX, sumTolerance(units), "dX");
    expectClose(gotDW!, want.dW, sumTolerance(rows), "dW");
    expectClose(gotDB!, want.dB, sumTolerance(rows), "dB");
  });
});
