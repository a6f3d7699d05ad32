import { describe, expect, it } from "vitest";
import { expectClose, numericGradient } from "../support/compare.ts";
import { tolerances } from "../support/tolerances.ts";
import {
  batchMoments,
  batchNormalizationGradient,
  moved,
  normalization,
  normalizationGradient,
} from "./normalization.ts";
import { randomArray } from "./random.ts";

const { float64, finiteDifference } = tolerances;

describe("batch normalization", () => {
  it("gives known numbers, and leaves out what is not in use", () => {
    const x = [1, 10, 3, 30, Number.NaN, Number.NaN];
    const { mean, variance } = batchMoments(x, 2, 2);
    expect([...mean]).toEqual([2, 20]);
    expect([...variance]).toEqual([1, 100]);
    const y = normalization(x, { mean, variance }, { gamma: [2, 1], beta: [0.5, 0], epsilon: 0 });
    expectClose(y.subarray(0, 4), [-1.5, -1, 2.5, 1], float64, "y");
    expectClose(moved([1, 2], mean, 0.75), [1.25, 6.5], float64, "moving mean");
  });

  it.each([
    [1, 1, 1],
    [7, 3, 7],
    [9, 4, 6],
  ])("has the gradients of finite differences: %i positions, %i channels, %i in use", (positions, channels, used) => {
    const x = randomArray(positions * channels, 1, -3, 3);
    const dY = randomArray(positions * channels, 2);
    const gamma = randomArray(channels, 3, 0.5, 2);
    const beta = randomArray(channels, 4);
    const scaling = { gamma, beta, epsilon: 0.1 };
    const weighted = (y: Float64Array) =>
      y.subarray(0, used * channels).reduce((sum, value, at) => sum + value * dY[at]!, 0);

    const trained = () => weighted(normalization(x, batchMoments(x, channels, used), scaling));
    const ofBatch = batchNormalizationGradient(x, dY, channels, scaling, used);
    expectClose(ofBatch.dX, numericGradient(trained, x), finiteDifference, "dX");
    expectClose(ofBatch.dGamma, numericGradient(trained, gamma), finiteDifference, "dGamma");
    expectClose(ofBatch.dBeta, numericGradient(trained, beta), finiteDifference, "dBeta");

    const given = { mean: randomArray(channels, 5), variance: randomArray(channels, 6, 0.5, 2) };
    const looked = () => weighted(normalization(x, given, scaling));
    const frozen = normalizationGradient(x, dY, given, scaling, used);
    const inUse = frozen.dX.map((value, at) => (at < used * channels ? value : 0));
    expectClose(inUse, numericGradient(looked, x), finiteDifference, "dX by given statistics");
    expectClose(frozen.dGamma, numericGradient(looked, gamma), finiteDifference, "dGamma by given statistics");
    expectClose(frozen.dBeta, numericGradient(looked, beta), finiteDifference, "dBeta by given statistics");
  });
});
