import { describe, expect, it } from "vitest";
import { concatenated } from "../../../src/ops/arrange/concatenate.ts";
import { concatenate, pad, transpose } from "../../reference/arrange.ts";
import { randomArray } from "../../reference/random.ts";
import { expectCarried, expectClose } from "../../support/compare.ts";
import { GraphRun } from "../../support/run-graph.ts";
import { tolerances } from "../../support/tolerances.ts";

const sizeOf = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

/** Runs an op of x, and its gradient for the sum of y times some weights. */
async function run(op: string, shape: readonly number[], attributes: object) {
  const x = randomArray(sizeOf(shape), 1);
  const graph = new GraphRun();
  const id = graph.input("x", shape, x);
  const { y } = graph.add(op, { x: id }, attributes);
  const made = graph.graph.tensors[y!]!.shape;
  const weights = randomArray(sizeOf(made), 2);
  const { c } = graph.add("multiply", { a: y!, b: graph.input("w", made, weights) });
  const [got, dX] = await graph.read([y!, ...graph.gradients(c!, [id])]);
  return { x, got: got!, dX: dX!, made, weights };
}

describe("transpose", () => {
  it.each([
    [[7], [0]],
    [
      [3, 5],
      [1, 0],
    ],
    [
      [65, 1, 2],
      [2, 0, 1],
    ],
    [
      [2, 3, 4, 5],
      [0, 3, 1, 2],
    ],
    [
      [2, 3, 2, 3, 2, 3],
      [5, 4, 3, 2, 1, 0],
    ],
    [
      [2, 1, 2, 3, 1, 2, 2, 2],
      [7, 0, 5, 1, 3, 4, 2, 6],
    ],
  ])("of %j by %j moves each element, and its gradient back", async (shape, axes) => {
    const { x, got, dX, made, weights } = await run("transpose", shape, { axes });
    expectClose(got, transpose(x, shape, axes), tolerances.exact, "y");
    const back = axes.map((_, axis) => axes.indexOf(axis));
    expectClose(dX, transpose(weights, made, back), tolerances.exact, "dX");
  });

  it("refuses axes that are no order of its own, and more than six that lie apart", async () => {
    await expect(run("transpose", [2, 3], { axes: [0, 0] })).rejects.toThrow("be 0, 1 in some order");
    const many = run("transpose", [2, 2, 2, 2, 2, 2, 2, 2], { axes: [7, 6, 5, 4, 3, 2, 1, 0] });
    await expect(many).rejects.toThrow("moves up to 6 axes apart");
  });
});

describe("pad", () => {
  it.each([
    [[7], [1], [0]],
    [[7], [-2], [-4]],
    [
      [2, 5, 3],
      [0, 2, 0],
      [0, -1, 1],
    ],
    [
      [2, 3, 4, 65],
      [0, 1, 2, 0],
      [0, 3, -4, 0],
    ],
    [
      [2, 3, 4, 5],
      [0, -1, -1, 0],
      [0, -1, -2, 0],
    ],
  ])("of %j by %j before and %j after puts and cuts, forward and backward", async (shape, before, after) => {
    const { x, got, dX, made, weights } = await run("pad", shape, { before, after, value: 2.5 });
    expectClose(got, pad(x, shape, before, after, 2.5), tolerances.exact, "y");
    const back = (sizes: readonly number[]) => sizes.map((size) => -size);
    expectClose(dX, pad(weights, made, back(before), back(after)), tolerances.exact, "dX");
  });

  it("refuses to leave nothing", async () => {
    await expect(run("pad", [2, 5], { before: [0, -3], after: [0, -2] })).rejects.toThrow("leaves nothing of [2, 5]");
    await expect(run("pad", [2, 5], { before: [0], after: [0, 1] })).rejects.toThrow("for each of 2 axes");
  });
});

describe("concatenate", () => {
  it.each([
    [[[7]], 0],
    [[[1], [7], [65]], 0],
    [
      [
        [2, 3],
        [2, 1],
      ],
      1,
    ],
    [
      [
        [2, 2, 3, 4],
        [2, 2, 3, 8],
        [2, 2, 3, 1],
      ],
      3,
    ],
    [
      [
        [2, 1, 3],
        [2, 4, 3],
      ],
      1,
    ],
    [Array.from({ length: 16 }, (_, i) => [2, 1 + (i % 3)]), 1],
  ])("of %j along %i is one after the other, and its gradient in pieces", async (shapes, axis) => {
    const parts = shapes.map((shape, i) => ({ shape, values: randomArray(sizeOf(shape), i) }));
    const graph = new GraphRun();
    const ids = parts.map(({ shape, values }, i) => graph.input(`x${i}`, shape, values));
    const y = concatenated(graph.addTyped, ids, axis);
    const made = graph.graph.tensors[y]!.shape;
    const weights = randomArray(sizeOf(made), 99);
    const { c } = graph.add("multiply", { a: y, b: graph.input("w", made, weights) });
    const [got, ...slopes] = await graph.read([y, ...graph.gradients(c!, ids)]);
    expectClose(got!, concatenate(parts, axis), tolerances.exact, "y");
    const back = slopes.map((values, i) => ({ values, shape: shapes[i]! }));
    expectClose(concatenate(back, axis), weights, tolerances.exact, "gradients, joined");
  });

  it("refuses tensors that differ elsewhere", () => {
    const graph = new GraphRun();
    const [a, b] = [graph.input("a", [2, 3], randomArray(6, 1)), graph.input("b", [3, 3], randomArray(9, 1))];
    expect(() => graph.add("concatenate", { a, b }, { axis: 1 })).toThrow("alike but for axis 1, got [2, 3], [3, 3]");
    expect(() => graph.add("concatenate", { a, b }, { axis: 2 })).toThrow("an axis from 0 to 1");
  });
});

describe("what is not finite", () => {
  it("moves as any number does, and into no neighbour", async () => {
    const values = Float32Array.from([1, Number.NaN, Infinity, -Infinity, 5, 6]);
    const graph = new GraphRun();
    const x = graph.input("x", [2, 3], values);
    const { y: turned } = graph.add("transpose", { x }, { axes: [1, 0] });
    const { y: padded } = graph.add("pad", { x }, { before: [0, 1], after: [0, 0] });
    const { y: joined } = graph.add("concatenate", { a: x, b: x }, { axis: 1 });
    const [a, b, c] = await graph.read([turned!, padded!, joined!]);
    expectCarried(a!, transpose(values, [2, 3], [1, 0]), tolerances.exact, "transpose");
    expectCarried(b!, pad(values, [2, 3], [0, 1], [0, 0]), tolerances.exact, "pad");
    const part = { values, shape: [2, 3] };
    expectCarried(c!, concatenate([part, part], 1), tolerances.exact, "concatenate");
  });
});
