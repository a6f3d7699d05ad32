import { expect, it } from "vitest";
import { randomArray } from "../../reference/random.ts";
import { expectClose } from "../../support/compare.ts";
import { GraphRun } from "../../support/run-graph.ts";
import { sumTolerance } from "../../support/tolerances.ts";

/** One row of blocks a workgroup: more workgroups than one dimension of a dispatch holds. */
const tile = { blocksM: 1, blocksN: 1, workgroupM: 1, workgroupN: 1, slices: 1 };

it("products may have more rows than 65,535 workgroups", async () => {
  const rows = 65536 * 4 + 3;
  const a = randomArray(rows, 1);
  const run = new GraphRun();
  const { c } = run.add("matmul", { a: run.input("a", [rows, 1], a), b: run.input("b", [1, 1], [0.5]) });
  const [got] = await run.read([c!], { tile });
  expectClose(
    got!,
    a.map((value) => value / 2),
    sumTolerance(1),
    "c",
  );
});

it("a pixel of a large image has its gradient", async () => {
  const run = new GraphRun();
  const dY = randomArray(256 * 257, 2);
  const inputShape = [1, 256, 257, 1];
  const attributes = { strides: [1, 1], padding: "same", inputShape };
  const { dx: dX } = run.add(
    "conv2dInputGradient",
    { dy: run.input("dY", inputShape, dY), kernel: run.input("k", [1, 1, 1, 1], [2]) },
    attributes,
  );
  const [got] = await run.read([dX!], { adapter: "gpu" });
  expect(got).toHaveLength(256 * 257);
  expectClose(
    got!,
    dY.map((value) => value * 2),
    sumTolerance(1, 2),
    "dX",
  );
});
