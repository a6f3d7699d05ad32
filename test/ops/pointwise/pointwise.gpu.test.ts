import { describe, expect, it } from "vitest";
import type { Expression } from "../../../src/ops/pointwise/functions.ts";
import { type Operand, pointwise, reduce } from "../../reference/pointwise.ts";
import { randomArray } from "../../reference/random.ts";
import { expectCarried, expectClose, numericGradient } from "../../support/compare.ts";
import { GraphRun } from "../../support/run-graph.ts";
import { sumTolerance, tolerances } from "../../support/tolerances.ts";

const sizeOf = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

function operands(shapes: readonly (readonly number[])[]): Record<string, Operand & { values: Float64Array }> {
  return Object.fromEntries(
    shapes.map((shape, i) => ["abcdefg"[i]!, { shape, values: randomArray(sizeOf(shape), 3 + i, 0.2, 2) }]),
  );
}

const KINDS = ["sum", "mean", "max", "min"] as const;

interface Case {
  readonly shapes: readonly (readonly number[])[];
  readonly expression: Expression;
  readonly axes?: readonly number[];
  readonly kind?: (typeof KINDS)[number];
  readonly keepDims?: boolean;
}

/** Runs a case, and its gradients for the sum of y times some weights; holds all of it against the reference. */
async function check(of: Case, options: Parameters<GraphRun["read"]>[1] = {}): Promise<GraphRun> {
  const { shapes, expression, axes, kind = "sum", keepDims = false } = of;
  const inputs = operands(shapes);
  const rank = Math.max(...shapes.map(({ length }) => length));
  const whole = Array.from({ length: rank }, (_, axis) =>
    Math.max(...shapes.map((shape) => shape[axis - rank + shape.length] ?? 1)),
  );
  const value = () => {
    const values = pointwise(expression, inputs, whole);
    return axes ? reduce(values, whole, axes, kind) : values;
  };
  const want = value();
  const weights = randomArray(want.length, 50, 0.5, 1);
  const run = new GraphRun();
  const ids = Object.entries(inputs).map(
    ([name, { shape, values }]) => [name, run.input(name, shape, values)] as const,
  );
  const reduction = axes && { kind, axes, keepDims };
  const { y } = run.add("pointwise", Object.fromEntries(ids), { expression, reduction });
  const w = run.input("w", run.graph.tensors[y!]!.shape, weights);
  const { c: weighted } = run.add("multiply", { a: y!, b: w });
  const gradients = run.gradients(
    weighted!,
    ids.map(([, id]) => id),
  );
  const [got, ...slopes] = await run.read([y!, ...gradients], options);
  const terms = axes ? sizeOf(whole) / want.length : 1;
  const scale = Math.max(1, ...want.map(Math.abs)) / (kind === "sum" ? terms : 1);
  const { atol, rtol } = sumTolerance(terms, scale);
  expectClose(got!, want, { atol: atol + tolerances.pointwise.atol, rtol: rtol + tolerances.pointwise.rtol }, "y");
  Object.entries(inputs).forEach(([name, { values }], i) => {
    const sum = () => value().reduce((all, each, at) => all + each * weights[at]!, 0);
    const numeric = numericGradient(sum, values, 1e-6);
    const added = Math.max(1, sizeOf(whole) / values.length);
    const allowed = sumTolerance(added, Math.max(1, ...numeric.map(Math.abs)) / added);
    expectClose(
      slopes[i]!,
      numeric,
      { atol: allowed.atol + tolerances.pointwiseGradient.atol, rtol: allowed.rtol + 1e-5 },
      `d${name}`,
    );
  });
  return run;
}

const product: Expression = ["add", ["multiply", "a", "b"], ["square", "a"]];

describe("an expression", () => {
  it.each([
    [[[1], [1]]],
    [[[7], [7]]],
    [[[65], [1]]],
    [[[4, 8], [8]]],
    [[[3, 5], [5]]],
    [
      [
        [3, 5],
        [3, 1],
      ],
    ],
    [
      [
        [2, 3, 4],
        [3, 1],
      ],
    ],
    [
      [
        [2, 1, 3, 1, 4],
        [5, 1, 2, 1],
      ],
    ],
    [
      [
        [4, 1],
        [1, 8],
      ],
    ],
  ])("over %j is as in float64, and its gradients are summed over what is repeated", async (shapes) => {
    await check({ shapes, expression: product });
  });

  it("reads seven tensors; a gradient that would read eight is made in two nodes", async () => {
    const expression: Expression = [
      "multiply",
      ["add", ["multiply", "a", "b"], ["multiply", "c", "d"]],
      ["add", ["multiply", "e", "f"], "g"],
    ];
    await check({ shapes: [[9], [9], [9], [9], [9], [9], [9]], expression });
    // Each letter is broadcast, in fours and one by one.
    for (const size of [4, 3])
      await check({ shapes: [[2, size], [size], [size], [size], [size], [2, 1], [2, 1]], expression, axes: [1] });
  });
});

describe.each(["software", "gpu"] as const)("a reduction, for %s", (adapter) => {
  it.each([
    [[7], [0]],
    [[3, 65], [1]],
    [[3, 64], [1]],
    [[65, 3], [0]],
    [[64, 4], [0]],
    [
      [2, 5, 3],
      [0, 2],
    ],
    [[2, 5, 8], [1]],
    [
      [2, 3, 2, 4],
      [1, 3],
    ],
    [
      [2, 3, 2, 5],
      [0, 2],
    ],
    [[5, 1, 4], [1]],
    [
      [2, 3, 4],
      [0, 1, 2],
    ],
  ])("of %j along %j is as in float64, and so are its gradients", async (shape, axes) => {
    await check({ shapes: [shape, shape.slice(-1)], expression: product, axes, kind: "mean" }, { adapter });
    await check({ shapes: [shape], expression: ["exp", "a"], axes, kind: "sum", keepDims: true }, { adapter });
  });

  it.each(KINDS)("is a %s in several slices and lanes", async (kind) => {
    for (const shape of [
      [70_001, 1],
      [17_000, 4],
      [4, 17_000],
    ]) {
      const values = randomArray(sizeOf(shape), 9);
      const axis = shape[0] === 4 ? 1 : 0;
      const run = new GraphRun();
      const a = run.input("a", shape, values);
      const reduction = { kind, axes: [axis], keepDims: false };
      const { y } = run.add("pointwise", { a }, { expression: ["multiply", "a", 2], reduction });
      const [got] = await run.read([y!], { adapter });
      const want = reduce(
        values.map((value) => 2 * value),
        shape,
        [axis],
        kind,
      );
      expectClose(got!, want, kind === "mean" ? sumTolerance(1) : sumTolerance(17_000, 2), `${shape}`);
    }
  });

  it("of seven tensors has a gradient for each, of a maximum too", async () => {
    const sum: Expression = [
      "add",
      ["add", ["add", "a", "b"], ["multiply", "c", "d"]],
      ["multiply", ["add", "e", "f"], "g"],
    ];
    const shapes = [[2, 5], [5], [2, 1], [5], [2, 5], [2, 5], [5]];
    for (const kind of ["max", "min"] as const) await check({ shapes, expression: sum, axes: [1], kind }, { adapter });
  });

  it.each(["max", "min"] as const)("shares the gradient of a %s among equal elements, as Keras does", async (kind) => {
    const run = new GraphRun();
    const a = run.input("a", [2, 4], kind === "max" ? [1, 3, 3, 2, 5, 5, 5, 5] : [4, 3, 3, 9, 5, 5, 5, 5]);
    const { y } = run.add("pointwise", { a }, { expression: "a", reduction: { kind, axes: [1], keepDims: false } });
    const [dx] = await run.read(run.gradients(y!, [a]), { adapter });
    expect([...dx!]).toEqual([0, 0.5, 0.5, 0, 0.25, 0.25, 0.25, 0.25]);
  });

  it.each(KINDS)("carries what is not finite into a %s, and into no other", async (kind) => {
    const values = Float32Array.from([1, Number.NaN, 3, -Infinity, -Infinity, -Infinity, Infinity, 2, 1]);
    const run = new GraphRun();
    const a = run.input("a", [3, 3], values);
    const { y } = run.add("pointwise", { a }, { expression: "a", reduction: { kind, axes: [1], keepDims: false } });
    const [got] = await run.read([y!], { adapter });
    expectCarried(got!, reduce(values, [3, 3], [1], kind), tolerances.exact, kind);
  });
});

describe("neighbours", () => {
  it("become one node, with sums, products and activations before it", async () => {
    const run = new GraphRun();
    const [a, b] = [run.input("a", [6, 5], randomArray(30, 1)), run.input("b", [6, 5], randomArray(30, 2))];
    const { c: sum } = run.add("add", { a, b });
    const { y: active } = run.add("activation", { x: sum! }, { kind: "tanh" });
    const { c: twice } = run.add("multiply", { a: active!, b: active! });
    const { y } = run.add(
      "pointwise",
      { a: twice! },
      { expression: ["exp", "a"], reduction: { kind: "sum", axes: [1], keepDims: false } },
    );
    const [got] = await run.read([y!]);
    expect(run.graph.nodes.map(({ op }) => op)).toEqual(["pointwise"]);
    const whole = pointwise(
      ["exp", ["square", ["tanh", ["add", "a", "b"]]]],
      { a: { shape: [6, 5], values: randomArray(30, 1) }, b: { shape: [6, 5], values: randomArray(30, 2) } },
      [6, 5],
    );
    expectClose(got!, reduce(whole, [6, 5], [1], "sum"), tolerances.pointwiseGradient, "y");
  });

  it("stay apart where somebody else reads what is between, or where it would be computed again and again", async () => {
    const run = new GraphRun();
    const [a, b] = [run.input("a", [5], randomArray(5, 1)), run.input("b", [4, 5], randomArray(20, 2))];
    const { y: small } = run.add("pointwise", { a }, { expression: ["exp", "a"] });
    const { y: read } = run.add("pointwise", { a: b }, { expression: ["exp", "a"] });
    const { y } = run.add("pointwise", { a: small!, b: read! }, { expression: ["multiply", "a", "b"] });
    await run.read([y!, read!]);
    expect(run.graph.nodes).toHaveLength(3);
  });

  it("take the activation after them", async () => {
    const run = new GraphRun();
    const [a, b] = [run.input("a", [6, 5], randomArray(30, 1)), run.input("b", [6, 5], randomArray(30, 2))];
    const { y: sum } = run.add("pointwise", { a, b }, { expression: ["add", "a", "b"] });
    const { y } = run.add("activation", { x: sum! }, { kind: "relu" });
    const [got] = await run.read([y!]);
    expect(run.graph.nodes.map(({ op }) => op)).toEqual(["pointwise"]);
    const want = randomArray(30, 1).map((value, i) => Math.max(0, value + randomArray(30, 2)[i]!));
    expectClose(got!, want, tolerances.pointwise, "y");
  });
});

describe("a gradient of 0", () => {
  it("stays 0, even through a derivative that is no number", async () => {
    const run = new GraphRun();
    const a = run.input("a", [4], [0, 0, 4, 4]);
    const w = run.input("w", [4], [0, 1, 0, 1]);
    const { y } = run.add("pointwise", { a }, { expression: ["sqrt", "a"] });
    const { c } = run.add("multiply", { a: y!, b: w });
    const [dx] = await run.read(run.gradients(c!, [a]));
    expect([...dx!]).toEqual([0, Number.POSITIVE_INFINITY, 0, 0.25]);
  });
});
