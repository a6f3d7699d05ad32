import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { goldenWeights, projections } from "../../cli/keras/formula.ts";
import { type Choices, createRuntime, oneHot, type Runtime, sequential, sgd, tensor } from "../../src/index.ts";
import { DIRECT } from "../support/choices.ts";
import { type Golden, type GoldenTensor, goldenLayers, gradientsOf } from "../support/golden.ts";
import { mnist } from "../support/mnist.ts";
import article from "./article.json";
import overlappingPools from "./overlapping-pools.json";
import sameStride2 from "./same-stride2.json";

// See test/golden/README.md for the tolerances.
const LOSS_TOLERANCE = 1e-4;
const GRADIENT_TOLERANCE = 1e-3;

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime();
});
afterAll(() => runtime.dispose());

describe.each([
  ["article", article],
  ["same padding, stride 2", sameStride2],
  ["overlapping pools", overlappingPools],
] as unknown as [string, Golden][])("Keras's %s network", (name, golden) => {
  it("trains alike for 30 steps, with the same gradients at steps 1 and 30", async () => {
    const { batchSize, learningRate, losses, correct } = golden;
    expect(losses[0]! - losses.at(-1)!).toBeGreaterThan(0.3);
    const steps = losses.length;
    const data = await mnist("train", 0, steps * batchSize);
    const pixels = data.x.data as Uint8Array;
    const batch = (step: number) => ({
      x: tensor(pixels.slice(step * batchSize * 784, (step + 1) * batchSize * 784), [batchSize, 28, 28, 1], {
        scale: 1 / 255,
      }),
      y: oneHot(data.y.slice(step * batchSize, (step + 1) * batchSize), 10),
    });

    const compiled = async (choices: Choices) => {
      const model = sequential(goldenLayers(golden));
      const optimizer = sgd({ learningRate });
      await model.compile({ loss: "categoricalCrossentropy", optimizer, metrics: ["accuracy"], runtime, choices });
      return model;
    };
    // The long run multiplies directly: whichever algorithm, a near-tie of a pooling may be decided otherwise than by Keras
    // once roundings differ, and training this fast is chaotic after that. What is shipped starts each step from the
    // long run's weights, so that each of its steps is held against Keras's.
    const model = await compiled(DIRECT);
    const shipped = await compiled({});
    const weights = goldenWeights(await model.getWeights());
    await model.setWeights(weights.map((data) => ({ data })));
    const gradients = (step: number, at: readonly Float32Array[]) =>
      gradientsOf(runtime, goldenLayers(golden), at, batch(step));
    const first = checkGradients(await gradients(0, weights), golden.gradients["1"], "step 1");
    let last = 0;
    let worst = 0;
    for (let step = 0; step < steps; step++) {
      if (step === steps - 1) {
        const now = (await model.getWeights()).map((weight) => weight.data);
        last = checkGradients(await gradients(step, now), golden.gradients["30"], "step 30");
      }
      const { x, y } = batch(step);
      await shipped.setWeights(await model.getWeights());
      const { loss: alone } = await shipped.trainOnBatch(x, y);
      const { loss, accuracy } = await model.trainOnBatch(x, y);
      for (const [got, what] of [
        [loss, "direct"],
        [alone, "shipped"],
      ] as const) {
        const difference = Math.abs(got - losses[step]!) / losses[step]!;
        worst = Math.max(worst, difference);
        expect(difference <= LOSS_TOLERANCE, `step ${step + 1}, ${what}: loss ${got}, Keras ${losses[step]}`).toBe(
          true,
        );
      }
      const hits = Math.round(accuracy! * batchSize);
      expect(Math.abs(hits - correct[step]!) <= 1, `step ${step + 1}: ${hits} right, Keras ${correct[step]}`).toBe(
        true,
      );
    }
    const gradient = Math.max(first, last).toExponential(1);
    console.info(
      `${name}: losses within ${worst.toExponential(1)} of Keras's, gradients within ${gradient} of their norm`,
    );
    model.dispose();
    shipped.dispose();
  });
});

/**
 * Norm and projections, to within a share of the norm: a gradient that is permuted or negated does not pass. Returns the
 * largest share.
 */
function checkGradients(got: readonly Float32Array[], want: readonly GoldenTensor[], where: string): number {
  let worst = 0;
  expect(got.length).toBe(want.length);
  want.forEach((golden, i) => {
    const ours = projections(got[i]!);
    const most = GRADIENT_TOLERANCE * golden.norm;
    const pairs = [[ours.norm, golden.norm], ...golden.projections.map((value, j) => [ours.projections[j]!, value])];
    pairs.forEach(([a, b], j) => {
      const what = `${where}, ${golden.name}, ${j === 0 ? "norm" : `projection ${j}`}: ${a}, Keras ${b}`;
      worst = Math.max(worst, Math.abs(a! - b!) / golden.norm);
      expect(Math.abs(a! - b!) <= most, what).toBe(true);
    });
  });
  return worst;
}
