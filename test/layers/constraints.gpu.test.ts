import { describe, expect, it } from "vitest";
import {
  type Constraint,
  createRuntime,
  dense,
  loadModel,
  maxNorm,
  minMaxNorm,
  nonNeg,
  saveModel,
  sequential,
  sgd,
  tensor,
  unitNorm,
} from "../../src/index.ts";
import golden from "../golden/constraints.json";
import { randomArray } from "../reference/random.ts";
import { expectClose } from "../support/compare.ts";
import { GraphRun } from "../support/run-graph.ts";
import { tolerances } from "../support/tolerances.ts";

// biome-ignore lint/suspicious/noExplicitAny: the options come from a file
const MAKERS: Record<string, (options: any) => Constraint> = { maxNorm, minMaxNorm, nonNeg, unitNorm };

async function constrained(constraint: Constraint, shape: number[], w: readonly number[]): Promise<Float32Array> {
  const run = new GraphRun();
  const parameter = run.input("p", shape, Float32Array.from(w));
  constraint.constrain({ parameter, add: run.addTyped, shapeOf: () => shape });
  return (await run.read([parameter]))[0] as Float32Array;
}

describe.each(golden.cases)("$name $options of $shape", ({ name, options, shape, w, y }) => {
  it("gives Keras's weights", async () => {
    expectClose(await constrained(MAKERS[name]!(options), shape, w), y, tolerances.kerasOptimizer, name);
  });
});

/** Constrains norms along axis 0 or 1 of a matrix, in float64. */
function referenceNorms(w: ArrayLike<number>, [rows, columns]: readonly [number, number], axis: 0 | 1, most: number) {
  const along = (e: number) => (axis === 0 ? e % columns : Math.floor(e / columns));
  const norms = Float64Array.from({ length: axis === 0 ? columns : rows }, () => 0);
  for (let e = 0; e < w.length; e++) norms[along(e)]! += w[e]! ** 2;
  return Float64Array.from(w, (value, e) => {
    const norm = Math.sqrt(norms[along(e)]!);
    return (value * Math.min(norm, most)) / (1e-7 + norm);
  });
}

describe.each([
  [1, 1],
  [7, 65],
  [65, 7],
  [129, 3],
] as const)("maxNorm of %i x %i", (rows, columns) => {
  it("is the reference's along either axis", async () => {
    const w = randomArray(rows * columns, 1);
    for (const axis of [0, 1] as const) {
      const got = await constrained(maxNorm({ maxValue: 0.5, axis }), [rows, columns], [...w]);
      const label = `axis ${axis}`;
      expectClose(got, referenceNorms(w, [rows, columns], axis, 0.5), tolerances.kerasOptimizer, label);
    }
  });
});

describe("weights that are no numbers", () => {
  it("stay so, and so do those of their norm alone", async () => {
    const [a, b, c, d] = await constrained(maxNorm({ maxValue: 1 }), [2, 2], [Number.NaN, 3, 2, 4]);
    expect([a, c].every(Number.isNaN)).toBe(true);
    expectClose([b!, d!], [0.6, 0.8], tolerances.kerasOptimizer, "the other unit");
    expect(await constrained(nonNeg(), [3], [Number.NaN, -1, 2])).toEqual(Float32Array.of(Number.NaN, 0, 2));
  });
});

it("a model's kernel is constrained after each step, saved and loaded, and a frozen one is left alone", async () => {
  const runtime = await createRuntime();
  const x = tensor(
    Float32Array.from({ length: 24 }, (_, i) => Math.sin(i)),
    [6, 4],
  );
  const labels = Float32Array.from({ length: 18 }, (_, i) => (i % 3 === 0 ? 1 : 0));
  const y = tensor(labels, [6, 3]);
  const layer = dense({
    units: 3,
    activation: "softmax",
    kernelConstraint: unitNorm(),
    biasConstraint: nonNeg(),
    inputShape: [4],
  });
  const model = sequential([layer]);
  await model.compile({ loss: "categoricalCrossentropy", optimizer: sgd({ learningRate: 0.5 }), runtime });
  await model.trainOnBatch(x, y);
  const norms = async (of: { getWeights: typeof model.getWeights }) => {
    const [kernel, bias] = await of.getWeights();
    expect([...bias!.data].every((value) => value >= 0)).toBe(true);
    return [0, 1, 2].map((unit) => Math.hypot(...[0, 1, 2, 3].map((row) => kernel!.data[row * 3 + unit]!)));
  };
  expectClose(await norms(model), [1, 1, 1], tolerances.kerasOptimizer, "norms");
  const loaded = await loadModel(await saveModel(model), { runtime });
  await loaded.trainOnBatch(x, y);
  expectClose(await norms(loaded), [1, 1, 1], tolerances.kerasOptimizer, "norms of the loaded one");
  loaded.dispose();
  model.dispose();
  runtime.dispose();
});
