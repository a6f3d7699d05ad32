import { describe, expect, it } from "vitest";
import { expectClose, numericGradient } from "../support/compare.ts";
import { tolerances } from "../support/tolerances.ts";
import { type Activation, activate, activationGradient } from "./activation.ts";
import { dense, denseGradients, matmul } from "./matmul.ts";
import { randomArray } from "./random.ts";

const weighted = (y: Float64Array, dY: Float64Array) => y.reduce((sum, value, at) => sum + value * dY[at]!, 0);

describe("matmul", () => {
  it("multiplies [2,3] by [3,2], stored either way", () => {
    const a = [1, 2, 3, 4, 5, 6];
    const aTransposed = [1, 4, 2, 5, 3, 6];
    const b = [7, 8, 9, 10, 11, 12];
    const bTransposed = [7, 9, 11, 8, 10, 12];
    const sizes = { m: 2, n: 2, k: 3 };
    const want = [58, 64, 139, 154];
    expect([...matmul(a, b, sizes)]).toEqual(want);
    expect([...matmul(aTransposed, b, { ...sizes, transposeA: true })]).toEqual(want);
    expect([...matmul(a, bTransposed, { ...sizes, transposeB: true })]).toEqual(want);
    expect([...matmul(aTransposed, bTransposed, { ...sizes, transposeA: true, transposeB: true })]).toEqual(want);
  });

  it("refuses sizes that do not fit the data", () => {
    expect(() => matmul([1, 2], [1], { m: 1, n: 1, k: 1 })).toThrow("a has 2 values, its sizes need 1");
  });
});

describe("dense", () => {
  it("gives known numbers", () => {
    const sizes = { rows: 2, inputs: 2, units: 1 };
    expect([...dense([1, 2, 3, 4], [10, 100], [0.5], sizes)]).toEqual([210.5, 430.5]);
    expect([...dense([1, 2, 3, 4], [10, 100], undefined, sizes)]).toEqual([210, 430]);
    const { dX, dW, dB } = denseGradients([1, 2, 3, 4], [10, 100], [1, 5], sizes);
    expect([...dX]).toEqual([10, 100, 50, 500]);
    expect([...dW]).toEqual([1 + 15, 2 + 20]);
    expect([...dB]).toEqual([6]);
  });

  it.each([
    [1, 1, 1],
    [1, 7, 3],
    [7, 1, 7],
    [3, 7, 1],
    [5, 3, 4],
  ])("has the gradients of finite differences: %i rows, %i inputs, %i units", (rows, inputs, units) => {
    const sizes = { rows, inputs, units };
    const x = randomArray(rows * inputs, 1);
    const w = randomArray(inputs * units, 2);
    const b = randomArray(units, 3);
    const dY = randomArray(rows * units, 4);
    const loss = () => weighted(dense(x, w, b, sizes), dY);
    const { dX, dW, dB } = denseGradients(x, w, dY, sizes);
    expectClose(dX, numericGradient(loss, x), tolerances.finiteDifference, "dX");
    expectClose(dW, numericGradient(loss, w), tolerances.finiteDifference, "dW");
    expectClose(dB, numericGradient(loss, b), tolerances.finiteDifference, "dB");
  });
});

describe("activations", () => {
  it("give known numbers", () => {
    expect([...activate("linear", [-2, 3])]).toEqual([-2, 3]);
    expect([...activate("relu", [-2, 0, 3])]).toEqual([0, 0, 3]);
    expect([...activate("sigmoid", [0, -1000, 1000])]).toEqual([0.5, 0, 1]);
    expectClose(activate("sigmoid", [Math.log(3)]), [0.75], tolerances.float64, "sigmoid");
    expectClose(activate("tanh", [Math.log(3)]), [0.8], tolerances.float64, "tanh");
  });

  it.each<[Activation, number[]]>([
    ["elu", [-0.9502129554748535, -0.39346933364868164, 0, 0.5, 3]],
    ["leakyRelu", [-0.6000000238418579, -0.10000000149011612, 0, 0.5, 3]],
    ["softplus", [0.04858735203742981, 0.4740769863128662, 0.6931471824645996, 0.9740769863128662, 3.0485873222351074]],
  ])("%s is Keras 3.15.1's", (activation, want) => {
    expectClose(activate(activation, [-3, -0.5, 0, 0.5, 3]), want, tolerances.elementwise, activation);
  });

  it("relu lets no gradient through at 0", () => {
    expect([...activationGradient("relu", activate("relu", [-1, 0, 1]), [5, 5, 5])]).toEqual([0, 0, 5]);
  });

  it.each<Activation>(["linear", "relu", "sigmoid", "tanh", "elu", "leakyRelu", "softplus"])(
    "%s has the gradient of finite differences",
    (activation) => {
      const x = randomArray(21, 1, -3, 3);
      const dY = randomArray(21, 2);
      const dX = activationGradient(activation, activate(activation, x), dY);
      const loss = () => weighted(activate(activation, x), dY);
      expectClose(dX, numericGradient(loss, x), tolerances.finiteDifference, activation);
    },
  );
});
