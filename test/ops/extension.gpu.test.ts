import { describe, expect, it } from "vitest";
import { createRuntime, dense, sequential, sgd } from "../../src/index.ts";
import { activate, activationGradient } from "../reference/activation.ts";
import { denseGradients, dense as denseReference } from "../reference/matmul.ts";
import { sparseSoftmaxCrossEntropy } from "../reference/softmax.ts";
import { expectClose } from "../support/compare.ts";
import { momentumSgd, squareResidual, tanhLayer } from "../support/extension.ts";
import { noise } from "../support/models.ts";
import { tolerances } from "../support/tolerances.ts";

const [ROWS, IN, CLASSES] = [6, 4, 3];
const RATE = 0.1;
const MOMENTUM = 0.9;

/** Gradients of dense(squareResidual(dense(x))) by hand, out of the reference's parts. */
function reference(weights: readonly Float64Array[], x: Float64Array, classes: ArrayLike<number>) {
  const [w0, b0, w1, w2, b2] = weights as [Float64Array, Float64Array, Float64Array, Float64Array, Float64Array];
  const square = { rows: ROWS, inputs: IN, units: IN };
  const last = { rows: ROWS, inputs: IN, units: CLASSES };
  const h = denseReference(x, w0, b0, square);
  const r = denseReference(h, w1, undefined, square).map((value, i) => value + h[i]! ** 2);
  const loss = sparseSoftmaxCrossEntropy(denseReference(r, w2, b2, last), classes, CLASSES);
  const top = denseGradients(r, w2, loss.dLogits, last);
  const middle = denseGradients(h, w1, top.dX, square);
  const dH = middle.dX.map((value, i) => value + 2 * h[i]! * top.dX[i]!);
  const bottom = denseGradients(x, w0, dH, square);
  return { loss: loss.loss, gradients: [bottom.dW, bottom.dB, middle.dW, top.dW, top.dB] };
}

describe("an op, a layer of two branches and an optimizer with state, from outside", () => {
  it("train as the reference says, three steps in a row", async () => {
    const runtime = await createRuntime();
    const model = sequential([
      dense({ units: IN, inputShape: [IN] }),
      squareResidual(),
      dense({ units: CLASSES, activation: "softmax" }),
    ]);
    await model.compile({
      loss: "sparseCategoricalCrossentropy",
      optimizer: momentumSgd(RATE, MOMENTUM),
      runtime,
      seed: 2,
    });
    const { x, y } = noise(ROWS, [IN], CLASSES);
    let weights: Float64Array[] = (await model.getWeights()).map(({ data }) => Float64Array.from(data));
    let velocities: Float64Array[] = weights.map(({ length }) => new Float64Array(length));
    for (let step = 0; step < 3; step++) {
      const { loss } = await model.trainOnBatch(x, y);
      const want = reference(weights, Float64Array.from(x.data), y.data);
      expectClose([loss], [want.loss], tolerances.trainingStep, `loss of step ${step}`);
      velocities = velocities.map((v, i) => v.map((value, j) => MOMENTUM * value - RATE * want.gradients[i]![j]!));
      weights = weights.map((w, i) => w.map((value, j) => value + velocities[i]![j]!));
    }
    (await model.getWeights()).forEach(({ name, data }, i) => {
      expectClose(data, weights[i]!, tolerances.trainingStep, name);
    });
    expect(model.summary({ print: () => {} })).toContain("Optimizer params: 54");
    model.dispose();
    expect(runtime.memory.buffers).toBe(0);
    runtime.dispose();
  });
});

describe("an op of one's own on the library's product, with an activation in its kernel", () => {
  it("trains as the reference says, and has the reference's gradients", async () => {
    const runtime = await createRuntime();
    const [HIDDEN, LEARNING_RATE] = [6, 0.5];
    const model = sequential([
      { ...tanhLayer(HIDDEN), inputShape: [IN] },
      dense({ units: CLASSES, activation: "softmax" }),
    ]);
    const optimizer = sgd({ learningRate: LEARNING_RATE });
    await model.compile({ loss: "sparseCategoricalCrossentropy", optimizer, runtime, seed: 4 });
    const { x, y } = noise(ROWS, [IN], CLASSES);
    const first = { rows: ROWS, inputs: IN, units: HIDDEN };
    const last = { rows: ROWS, inputs: HIDDEN, units: CLASSES };
    let weights = (await model.getWeights()).map(({ data }) => Float64Array.from(data));
    for (let step = 0; step < 3; step++) {
      const { loss } = await model.trainOnBatch(x, y);
      const [w0, w1, b1] = weights as [Float64Array, Float64Array, Float64Array];
      const h = activate("tanh", denseReference(Float64Array.from(x.data), w0, undefined, first));
      const want = sparseSoftmaxCrossEntropy(denseReference(h, w1, b1, last), y.data, CLASSES);
      expectClose([loss], [want.loss], tolerances.trainingStep, `loss of step ${step}`);
      const top = denseGradients(h, w1, want.dLogits, last);
      const dH = activationGradient("tanh", h, top.dX);
      const bottom = denseGradients(Float64Array.from(x.data), w0, dH, first);
      const before = weights;
      weights = (await model.getWeights()).map(({ data }) => Float64Array.from(data));
      [bottom.dW, top.dW, top.dB].forEach((gradient, i) => {
        const got = before[i]!.map((value, j) => (value - weights[i]![j]!) / LEARNING_RATE);
        expectClose(got, gradient, tolerances.trainingStep, `gradient ${i} of step ${step}`);
      });
    }
    model.dispose();
    runtime.dispose();
  });
});
