import { describe, expect, it } from "vitest";
import { randomArray, randomIntegers } from "../../reference/random.ts";
import { softmax, softmaxCrossEntropy, softmaxGradient, sparseSoftmaxCrossEntropy } from "../../reference/softmax.ts";
import { expectClose } from "../../support/compare.ts";
import { GraphRun } from "../../support/run-graph.ts";
import { tolerances } from "../../support/tolerances.ts";

describe.each([
  [1, 1],
  [7, 10],
  [65, 3],
])("softmax of %i x %i", (rows, classes) => {
  it("matches the reference forward and backward", async () => {
    const x = randomArray(rows * classes, 1, -40, 40);
    const y = softmax(x, classes);
    const dY = randomArray(rows * classes, 2);
    const run = new GraphRun();
    const { y: yId } = run.add("softmax", { x: run.input("x", [rows, classes], x) });
    const { dx: dX } = run.add("softmaxGradient", {
      y: run.input("y", [rows, classes], y),
      dy: run.input("dy", [rows, classes], dY),
    });
    const [gotY, gotDX] = await run.read([yId!, dX!]);
    expectClose(gotY!, y, tolerances.softmax, "y");
    expectClose(gotDX!, softmaxGradient(y, dY, classes), tolerances.softmax, "dX");
  });
});

describe("softmaxCrossEntropy", () => {
  const [rows, classes] = [9, 10];

  it("matches the reference with soft labels, of any sum, in a short batch", async () => {
    const x = randomArray(rows * classes, 1, -8, 8);
    const labels = randomArray(rows * classes, 2, 0, 0.3);
    x.fill(Number.NaN, 6 * classes);
    const want = softmaxCrossEntropy(x, labels, classes, 6);
    const got = await lossOf(x, labels, { rows, classes, used: 6 });
    expectClose(got.loss.subarray(0, 6), want.losses.subarray(0, 6), tolerances.crossEntropy, "loss");
    expectClose(got.dX.subarray(0, 6 * classes), want.dLogits.subarray(0, 6 * classes), tolerances.crossEntropy, "dX");
    expect([...got.correct].slice(0, 6)).toEqual([...want.correct].slice(0, 6));
    // Rows that are not in use are 0, though their logits are NaN.
    expect([...got.loss].slice(6)).toEqual([0, 0, 0]);
    expect([...got.dX].slice(6 * classes).every((value) => value === 0)).toBe(true);
    expect([...got.correct].slice(6)).toEqual([0, 0, 0]);
  });

  it("takes class numbers", async () => {
    const x = randomArray(rows * classes, 3, -8, 8);
    const labels = randomIntegers(rows, 4, classes);
    const want = sparseSoftmaxCrossEntropy(x, labels, classes);
    const got = await lossOf(x, labels, { rows, classes, used: rows, sparse: true });
    expectClose(got.loss, want.losses, tolerances.crossEntropy, "loss");
    expectClose(got.dX, want.dLogits, tolerances.crossEntropy, "dX");
    expect([...got.correct]).toEqual([...want.correct]);
  });

  it("stays finite at logits of 1000, and counts the first of equal maxima", async () => {
    const x = [1000, -1000, 0, 5, 5, 1];
    const labels = [0, 1, 0, 1, 0, 0];
    const want = softmaxCrossEntropy(x, labels, 3);
    const got = await lossOf(x, labels, { rows: 2, classes: 3, used: 2 });
    expectClose(got.loss, want.losses, tolerances.crossEntropy, "loss");
    expectClose(got.dX, want.dLogits, tolerances.crossEntropy, "dX");
    expect(got.loss[0]).toBe(2000);
    expect([...got.correct]).toEqual([0, 1]);
  });
});

async function lossOf(
  x: ArrayLike<number>,
  labels: ArrayLike<number>,
  { rows, classes, used, sparse = false }: { rows: number; classes: number; used: number; sparse?: boolean },
) {
  const run = new GraphRun().rows(used);
  const xId = run.input("x", [rows, classes], Float32Array.from(x));
  const labelsId = sparse
    ? run.input("labels", [rows, 1], Uint32Array.from(labels), "u32")
    : run.input("labels", [rows, classes], Float32Array.from(labels));
  const { state } = run.graph;
  const { loss } = run.add("softmaxCrossEntropy", { x: xId, labels: labelsId, state });
  const { y: hits } = run.add("accuracy", { x: xId, labels: labelsId, state });
  const { y: mean } = run.add("batchMean", { state, x: loss! }, { weight: 1 });
  const [dX] = run.gradients(mean!, [xId]);
  // The same by kernels of their own: this gradient is not known to be that of a mean.
  const dloss = run.input(
    "dloss",
    [rows],
    Float32Array.from({ length: rows }, () => 1 / used),
  );
  const apart = run.add("softmaxCrossEntropyGradient", { x: xId, labels: labelsId, dloss, state });
  const read = await run.read([loss!, hits!, dX!, apart.dx!]);
  expect(run.graph.nodes.map(({ op }) => op)).not.toContain("accuracy");
  expectClose(read[3]!, read[2]!, tolerances.crossEntropy, "dX apart");
  return { loss: read[0]!, correct: read[1]!, dX: read[2]! };
}
