import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  createRuntime,
  dense,
  type Reduction,
  type Runtime,
  sequential,
  sgd,
  sparseCategoricalCrossentropy,
  tensor,
  withReduction,
} from "../../src/index.ts";

import golden from "../golden/reductions.json";
import { expectClose } from "../support/compare.ts";
import { GraphRun } from "../support/run-graph.ts";
import { squaredError } from "../support/squared-error.ts";
import { tolerances } from "../support/tolerances.ts";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime();
});
afterAll(() => runtime.dispose());

const camelCase = (name: string) => name.replace(/_[a-z]/g, (part) => part[1]!.toUpperCase()) as Reduction;

describe("a loss's reduction", () => {
  it.each(golden.cases.map((each) => [each.loss, each.reduction, each.weights, each] as const))(
    "of %s, %s, with sample weights: %s, is Keras's in fit and evaluate",
    async (name, reduction, weights, { history, evaluated, kernel }) => {
      const squares = name === "squaredError";
      const [units, activation] = squares ? ([1, "linear"] as const) : ([4, "softmax"] as const);
      const model = sequential([dense({ units, activation, useBias: false, inputShape: [3] })]);
      const loss = withReduction(squares ? squaredError() : sparseCategoricalCrossentropy(), camelCase(reduction));
      await model.compile({ loss, optimizer: sgd({ learningRate: 0.125 }), runtime });
      const first = golden.kernel.filter((_, i) => !squares || i % 4 === 0);
      await model.setWeights([{ shape: [3, units], data: first }]);
      const x = tensor(Float32Array.from(golden.x), [7, 3]);
      const y = squares ? golden.targets : golden.classes;
      const sampleWeight = golden.weights[weights as keyof typeof golden.weights] ?? undefined;
      const options = { batchSize: 4, ...(sampleWeight && { sampleWeight }) };
      const fitted = await model.fit(x, y, { ...options, epochs: 2, shuffle: false, verbose: 0 });
      expectClose(fitted.history.loss, history, tolerances.lossCurve, "loss");
      expectClose([(await model.evaluate(x, y, options)).loss], [evaluated], tolerances.lossCurve, "evaluated");
      expectClose((await model.getWeights())[0]!.data, kernel, tolerances.lossCurve, "kernel");
      model.dispose();
    },
  );

  it("counts the positions of a sample in a sum", async () => {
    const losses = [];
    for (const positions of [1, 5]) {
      const model = sequential([dense({ units: 1, useBias: false, inputShape: [3], kernelInitializer: "ones" })]);
      const loss = withReduction(squaredError(), "sum", ([size]) => size! * positions);
      await model.compile({ loss, optimizer: sgd(), runtime });
      losses.push((await model.evaluate(tensor(Float32Array.from(golden.x), [7, 3]), golden.targets)).loss);
      model.dispose();
    }
    expectClose([losses[1]!], [losses[0]! * 5], tolerances.lossCurve, "sum");
  });

  it("is a word of Keras's; none trains nothing", () => {
    expect(() => withReduction(squaredError(), "summe" as never)).toThrow(
      /reduction must be one of "sumOverBatchSize"/,
    );
    expect(() => withReduction(squaredError(), "none")).toThrow(/"none" leaves a loss for each sample/);
    const mean = squaredError();
    expect(withReduction(mean)).toBe(mean);
  });
});

describe("sampleFactors", () => {
  /** The formula by plain loops, in float64. */
  const reference = (weights: readonly number[], rows: number, scale: number, byWeight: boolean) => {
    const sum = weights.slice(0, rows).reduce((a, b) => a + b, 0);
    const factor = byWeight ? (sum === 0 ? 0 : rows / sum) : rows;
    return weights.map((weight, r) => (r < rows ? scale * factor * weight : 0));
  };

  it.each([1, 7, 63, 64, 65])("are of %i rows in use, by and without weights", async (rows) => {
    const batch = rows + 2;
    const weights = Array.from({ length: batch }, (_, r) => (r < rows ? Math.fround(1.5 + Math.sin(r)) : Number.NaN));
    const run = new GraphRun().rows(rows);
    const { state } = run.graph;
    const given = run.input("weights", [batch], weights);
    const of = (attributes: object, weights?: number) =>
      run.add("sampleFactors", { state, weights }, { batch, scale: 1, byWeight: false, ...attributes }).factors!;
    const [sum, plain, mean] = await run.read([of({ scale: 3 }, given), of({}), of({ byWeight: true }, given)]);
    expectClose(sum!, reference(weights, rows, 3, false), tolerances.elementwise, "sum");
    expect([...plain!]).toEqual(Array.from({ length: batch }, (_, r) => (r < rows ? rows : 0)));
    expectClose(mean!, reference(weights, rows, 1, true), tolerances.elementwise, "mean by weight");
  });

  it("are 0 where weights add up to 0, and NaN where one of them is", async () => {
    const run = new GraphRun().rows(2);
    const { state } = run.graph;
    const of = (values: number[]) =>
      run.add(
        "sampleFactors",
        { state, weights: run.input(`weights ${values}`, [3], values) },
        { batch: 3, scale: 1, byWeight: true },
      ).factors!;
    const [zero, nan] = await run.read([of([0, 0, 5]), of([Number.NaN, 1, 5])]);
    expect([...zero!]).toEqual([0, 0, 0]);
    expect([...nan!]).toEqual([Number.NaN, Number.NaN, 0]);
  });
});
