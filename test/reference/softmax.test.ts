import { describe, expect, it } from "vitest";
import { expectClose, numericGradient } from "../support/compare.ts";
import { tolerances } from "../support/tolerances.ts";
import { randomArray } from "./random.ts";
import { softmax, softmaxCrossEntropy, softmaxGradient, sparseSoftmaxCrossEntropy } from "./softmax.ts";

const { float64, finiteDifference } = tolerances;

describe("softmax", () => {
  it("gives known numbers, row by row", () => {
    const x = [0, Math.log(3), 5, 5];
    expectClose(softmax(x, 2), [0.25, 0.75, 0.5, 0.5], float64, "softmax");
  });

  it("stays finite with logits of +-1000", () => {
    expect([...softmax([1000, -1000, 0], 3)]).toEqual([1, 0, 0]);
    expect([...softmax([-1000, -1000], 2)]).toEqual([0.5, 0.5]);
  });

  it.each([
    [1, 1],
    [1, 7],
    [7, 3],
  ])("has the gradient of finite differences: %i rows, %i classes", (rows, classes) => {
    const x = randomArray(rows * classes, 1, -3, 3);
    const dY = randomArray(rows * classes, 2);
    const dX = softmaxGradient(softmax(x, classes), dY, classes);
    const loss = () => softmax(x, classes).reduce((sum, value, at) => sum + value * dY[at]!, 0);
    expectClose(dX, numericGradient(loss, x), finiteDifference, "dX");
  });
});

describe("softmax cross-entropy", () => {
  it("gives known numbers", () => {
    const { losses, loss, correct, dLogits } = softmaxCrossEntropy([0, Math.log(3), 0, Math.log(3)], [1, 0, 0, 1], 2);
    expectClose(losses, [Math.log(4), Math.log(4 / 3)], float64, "losses");
    expectClose([loss], [(Math.log(4) + Math.log(4 / 3)) / 2], float64, "loss");
    expect([...correct]).toEqual([0, 1]);
    expectClose(dLogits, [-0.375, 0.375, 0.125, -0.125], float64, "dLogits");
  });

  it("stays finite with logits of +-1000, and does not clip", () => {
    const { losses, dLogits } = softmaxCrossEntropy([1000, -1000, 1000, -1000], [1, 0, 0, 1], 2);
    expect([...losses]).toEqual([0, 2000]);
    expect([...dLogits]).toEqual([0, 0, 0.5, -0.5]);
  });

  it("multiplies the softmax by the sum of soft labels", () => {
    // Softmax (0.25, 0.75), labels (0.5, 1.5) of sum 2: the gradient 2 * softmax - labels is 0.
    const balanced = softmaxCrossEntropy([0, Math.log(3)], [0.5, 1.5], 2);
    expectClose(balanced.dLogits, [0, 0], float64, "balanced");
    expectClose([balanced.loss], [0.5 * Math.log(4) + 1.5 * Math.log(4 / 3)], float64, "loss");
    const none = softmaxCrossEntropy([0, Math.log(3)], [0, 0], 2);
    expectClose([none.loss, ...none.dLogits], [0, 0, 0], float64, "labels of zero");
    const half = softmaxCrossEntropy([0, Math.log(3)], [0.5, 0], 2);
    expectClose(half.dLogits, [0.5 * 0.25 - 0.5, 0.5 * 0.75], float64, "labels of sum one half");
  });

  it("counts the first maximum as the answer", () => {
    const { correct } = softmaxCrossEntropy([2, 2, 2, 2, 1, 2], [1, 0, 0, 1, 0.5, 0.5], 2);
    expect([...correct]).toEqual([1, 0, 0]);
  });

  it("leaves out the rows that are not in use", () => {
    const logits = [0, 0, 5, 1, 9, 9];
    const all = softmaxCrossEntropy(logits.slice(0, 4), [1, 0, 1, 0], 2);
    const padded = softmaxCrossEntropy(logits, [1, 0, 1, 0, 1, 0], 2, 2);
    expect(padded.loss).toBe(all.loss);
    expect([...padded.losses]).toEqual([...all.losses, 0]);
    expect([...padded.correct]).toEqual([1, 1, 0]);
    expect([...padded.dLogits]).toEqual([...all.dLogits, 0, 0]);
    expect(() => softmaxCrossEntropy([1, 2], [0, 1], 2, 2)).toThrow(
      "rowsInUse must be between 1 and the 1 rows, got 2",
    );
  });

  it.each([
    [1, 1, 1],
    [1, 7, 1],
    [7, 3, 7],
    [7, 10, 4],
  ])("has the gradient of finite differences: %i rows, %i classes, %i in use", (rows, classes, rowsInUse) => {
    const logits = randomArray(rows * classes, 1, -3, 3);
    const labels = randomArray(rows * classes, 2, 0, 1);
    const loss = () => softmaxCrossEntropy(logits, labels, classes, rowsInUse).loss;
    const { dLogits } = softmaxCrossEntropy(logits, labels, classes, rowsInUse);
    expectClose(dLogits, numericGradient(loss, logits), finiteDifference, "dLogits");
  });
});

describe("sparse softmax cross-entropy", () => {
  it("equals the dense form with one-hot labels", () => {
    const logits = randomArray(9, 1, -3, 3);
    const sparse = sparseSoftmaxCrossEntropy(logits, [2, 0, 1], 3, 2);
    expect(sparse).toEqual(softmaxCrossEntropy(logits, [0, 0, 1, 1, 0, 0, 0, 1, 0], 3, 2));
    expectClose(sparse.losses.subarray(0, 1), [-Math.log(softmax(logits, 3)[2]!)], float64, "loss of row 0");
  });

  it("refuses a label that is no class", () => {
    expect(() => sparseSoftmaxCrossEntropy([1, 2], [2], 2)).toThrow("label 2 of row 0 is not a class from 0 to 1");
  });
});
