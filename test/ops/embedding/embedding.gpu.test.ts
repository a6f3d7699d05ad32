import { describe, expect, it } from "vitest";
import { embedding, embeddingGradient } from "../../reference/embedding.ts";
import { randomArray, randomIntegers } from "../../reference/random.ts";
import { expectClose } from "../../support/compare.ts";
import { GraphRun } from "../../support/run-graph.ts";
import { sumTolerance, tolerances } from "../../support/tolerances.ts";

describe.each([
  { batch: 1, between: [], entries: 1, width: 1 },
  { batch: 3, between: [7], entries: 5, width: 7 },
  { batch: 2, between: [3, 2], entries: 65, width: 8 },
])("embedding of $batch x $between in $entries x $width", ({ batch, between, entries, width }) => {
  const rows = between.reduce((a, b) => a * b, batch);
  const x = Float64Array.from(randomIntegers(rows, 1, entries));
  const [table, dy] = [randomArray(entries * width, 2), randomArray(rows * width, 3)];

  it("is the rows that x names, and its gradient their sums", async () => {
    const run = new GraphRun().rows(batch);
    const [xId, tableId] = [run.input("x", [batch, ...between], x), run.input("table", [entries, width], table)];
    const { y } = run.add("embedding", { x: xId, table: tableId });
    const { c } = run.add("multiply", { a: y!, b: run.input("dy", [batch, ...between, width], dy) });
    const [got, dtable] = await run.read([y!, ...run.gradients(c!, [tableId])]);
    expectClose(got!, embedding(x, table, width), tolerances.exact, "y");
    expectClose(dtable!, embeddingGradient(x, dy, { entries, width }), sumTolerance(rows), "dtable");
  });
});

describe("embedding", () => {
  it("makes NaN of what names no row, and takes the whole part of the rest", async () => {
    const run = new GraphRun();
    const x = [0, 2.75, -0.5, 3, -1, Number.NaN, Number.POSITIVE_INFINITY, 1e30];
    const { y } = run.add("embedding", { x: run.input("x", [8], x), table: run.input("table", [3, 1], [10, 11, 12]) });
    const [got] = await run.read([y!]);
    expect([...got!]).toEqual([10, 12, 10, NaN, NaN, NaN, NaN, NaN]);
  });

  it("leaves out samples that are not in use, and what names no row, whatever the gradient holds", async () => {
    const run = new GraphRun().rows(2);
    const x = run.input("x", [3, 2], [0, 1, 1, -7, 1, 0]);
    const dy = run.input("dy", [3, 2, 1], [1, 2, 4, NaN, NaN, Infinity]);
    const { dtable } = run.add("embeddingGradient", { x, dy, state: run.graph.state }, { entries: 3 });
    const [got] = await run.read([dtable!]);
    expect([...got!]).toEqual([1, 6, 0]);
  });
});
