import { describe, expect, it } from "vitest";
import { uniform } from "../../cli/keras/formula.ts";
import { gradients } from "../../src/graph/gradients.ts";
import { tensorOf } from "../../src/graph/graph.ts";
import { conv1d, conv2d, conv2dTranspose, depthwiseConv2d, type Layer } from "../../src/index.ts";
import { add } from "../../src/ops/elementwise/add.ts";
import { expectClose } from "../support/compare.ts";
import { GraphRun } from "../support/run-graph.ts";
import { sumTolerance } from "../support/tolerances.ts";
import golden from "./convolutions.json";

const LAYERS = {
  Conv1D: conv1d,
  Conv2D: conv2d,
  Conv2DTranspose: conv2dTranspose,
  DepthwiseConv2D: depthwiseConv2d,
} as unknown as Record<string, (options: object) => Layer>;

const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
const figures = (stream: number, shape: readonly number[]) =>
  Float64Array.from({ length: size(shape) }, (_, i) => Math.fround(2 * uniform(stream, i) - 1));

describe.each(golden.cases)("Keras's $layer of x $x, $options", (test) => {
  it("has our layer's variables, output and gradients", async () => {
    const layer = LAYERS[test.layer]!(test.options);
    const sample = test.x.slice(1);
    const built = { name: "layer", input: sample, inputs: [sample], from: "input" };
    const variables = layer.variables!(built).map(({ name, shape }) => ({ name, shape: [...shape] }));
    expect(variables).toEqual(test.weights);

    const run = new GraphRun().rows(test.x[0]!);
    const x = run.input("x", test.x, figures(1, test.x));
    const weights = test.weights.map(({ name, shape }, i) => run.input(name, shape, figures(3 + i, shape)));
    const y = layer.call({
      input: x,
      inputs: [x],
      variables: Object.fromEntries(test.weights.map(({ name }, i) => [name, weights[i]!])),
      trainingState: run.graph.state,
      trainable: true,
      add: run.addTyped,
      shapeOf: (tensor) => tensorOf(run.graph, tensor).shape,
    });
    expect(tensorOf(run.graph, y).shape).toEqual(test.yShape);
    const seed = run.input("dy", test.yShape, figures(2, test.yShape));
    const made = gradients(run.graph, { of: y, seed }, [x, ...weights], add) as number[];
    const [gotY, gotDX, ...gotDWeights] = await run.read([y, ...made]);
    // The most products that one number of the output or of a gradient is a sum of.
    const terms = Math.max(...test.weights.map(({ shape }) => size(shape)), size(test.yShape) / test.yShape.at(-1)!);
    expectClose(gotY!, test.y, sumTolerance(terms), "y");
    expectClose(gotDX!, test.dX, sumTolerance(terms), "dX");
    test.dWeights.forEach((wanted, i) => {
      expectClose(gotDWeights[i]!, wanted, sumTolerance(terms), `gradient of ${test.weights[i]!.name}`);
    });
  });
});
