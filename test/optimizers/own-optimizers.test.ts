import { describe, expect, it } from "vitest";
import {
  adagrad,
  adam,
  adamW,
  dense,
  type GradientTransform,
  type Optimizer,
  type OptimizerBegin,
  type OptimizerStep,
  ops,
  rmsprop,
  sgd,
} from "../../src/index.ts";
import { trainingProgram } from "../../src/program/programs.ts";
import { variablesOf } from "../../src/program/variables.ts";
import { failure, networkOf } from "../support/building.ts";
import { decayingSgd, ownAdagrad, ownNadam } from "../support/own-optimizers.ts";
import { inputsOf, measuresOf } from "../support/programs.ts";

const named = (name: string) => networkOf([dense({ units: 3, activation: "softmax", inputShape: [4], name })]);
const network = named("dense");

function program(optimizer: Optimizer, adapter: "software" | "gpu" = "software") {
  const settings = { network, capacity: 2, inputs: inputsOf(network), measures: measuresOf(network), optimizer };
  return trainingProgram({ ...settings, adapter, choices: {}, unmerged: true });
}
const kernelsOf = (of: ReturnType<typeof program>) => of.plan.steps.map(({ kernel }) => kernel);

/** What an optimizer keeps: path, shape, and the numbers that it begins with. */
const kept = (optimizer: Optimizer, of = network) =>
  variablesOf(of, optimizer, undefined)
    .filter(({ role }) => role === "slot")
    .map(({ path, shape, dtype, trainable, initial }) => {
      expect([dtype, trainable]).toEqual(["f32", false]);
      return [path, shape, initial?.(1)];
    });

describe("what an optimizer keeps", () => {
  it("begins at its initial value, and at 0 without one", () => {
    expect(kept(ownAdagrad(0.1, 0.5))).toEqual([
      ["dense/kernel/accumulator", [4, 3], new Float32Array(12).fill(0.5)],
      ["dense/bias/accumulator", [3], new Float32Array(3).fill(0.5)],
    ]);
    expect(kept(ownAdagrad(0.1, 0)).map(([, , initial]) => initial)).toEqual([undefined, undefined]);
  });

  it("for itself comes after the slots, and nothing is in a layer's place", () => {
    const product = ["optimizer.product", [1], Float32Array.of(1)];
    expect(kept(ownNadam(0.1)).at(-1)).toEqual(product);
    const paths = kept(ownNadam(0.1), named("optimizer")).map(([path]) => path);
    expect(paths).toEqual([
      ...["kernel", "bias"].flatMap((name) => [`optimizer/${name}/momentum`, `optimizer/${name}/velocity`]),
      "optimizer.product",
    ]);
  });

  it("may not have a name that something else has", () => {
    const optimizer: Optimizer = { ...ownNadam(0.1), hyperparameters: { "optimizer.product": 1 } };
    expect(failure(() => variablesOf(network, optimizer, undefined)).message).toMatch(
      /^The model has two variables named "optimizer\.product"\. Rename /,
    );
  });

  it.each([sgd(), sgd({ momentum: 0.9 }), adam(), adamW(), rmsprop({ momentum: 0.5 }), adagrad()])(
    "begins at 0 beside a parameter, of the library's: $name",
    (optimizer) => {
      for (const [path, , initial] of kept(optimizer)) {
        expect(path).toMatch(/^dense\/(kernel|bias)\//);
        expect(initial).toBeUndefined();
      }
      expect([optimizer.variables, optimizer.begin]).toEqual([undefined, undefined]);
    },
  );
});

describe("the nodes of a whole step", () => {
  it("come once, after the transforms and before the parameters, which get what they make", () => {
    const doubled: GradientTransform = {
      name: "doubled",
      transform: ({ gradients, add }) =>
        new Map([...gradients].map(([path, g]) => [path, add(ops.add, { a: g, b: g }).c])),
    };
    const began: OptimizerBegin[] = [];
    const stepped: OptimizerStep[] = [];
    const made = program({
      name: "mine",
      hyperparameters: { rate: 0.5 },
      transforms: [doubled],
      variables: () => [
        { name: "one", shape: [1] },
        { name: "other", shape: [2, 3], initial: -2 },
      ],
      begin: (call) => {
        expect(stepped).toEqual([]);
        began.push(call);
        expect(Object.values(call.variables).map(call.shapeOf)).toEqual([[1], [2, 3]]);
        const [kernel, bias] = [...call.gradients.values()];
        expect([kernel!, bias!].map(call.shapeOf)).toEqual([[4, 3], [3]]);
        return { rate: call.hyperparameter("rate"), bias: call.add(ops.add, { a: bias!, b: bias! }).c };
      },
      step: (call) => {
        stepped.push(call);
        call.add(ops.sgd, { p: call.parameter, g: call.gradient, rate: call.shared.rate! });
      },
    });
    expect(began).toHaveLength(1);
    const [{ gradients, variables, hyperparameter, state }] = began as [OptimizerBegin];
    expect(stepped.map(({ path }) => path)).toEqual(["dense/kernel", "dense/bias"]);
    expect(stepped.map(({ gradient }) => gradient)).toEqual([...gradients.values()]);
    for (const call of stepped) {
      expect(Object.keys(call.shared)).toEqual(["rate", "bias"]);
      expect(call.shared.rate).toBe(hyperparameter("rate"));
      expect(call.shapeOf(call.parameter)).toEqual(call.shapeOf(call.gradient));
      expect(call.state).toBe(state);
    }
    const own = [...made.variables].filter(([path]) => path.startsWith("optimizer"));
    expect(own).toEqual([
      ["optimizer.one", variables.one],
      ["optimizer.other", variables.other],
    ]);
    // Two gradients doubled by the transform. Nothing reads the tensor `bias`, so nothing makes it.
    expect(kernelsOf(made).filter((kernel) => kernel === "add")).toHaveLength(2);
  });

  it("may be nothing", () => {
    const { step } = sgd();
    const optimizer: Optimizer = { name: "mine", hyperparameters: { learningRate: 1 }, begin: () => ({}), step };
    expect(String(program(optimizer).plan)).toBe(String(program(sgd()).plan));
  });

  it.each(["software", "gpu"] as const)("make a rate that still rides in the gradients' kernels: %s", (adapter) => {
    const kernels = kernelsOf(program(decayingSgd(0.1, 0.9), adapter));
    const plain = kernelsOf(program(sgd(), adapter));
    expect(kernels.filter((kernel) => kernel !== "decay")).toEqual(plain);
    expect(kernels).toHaveLength(plain.length + 1);
    expect(kernels).not.toContain("sgd");
  });

  it("change a variable before the parameters are stepped by what they make of it", () => {
    const kernels = kernelsOf(program(ownNadam(0.1)));
    expect(kernels.filter((kernel) => /nadam/.test(kernel))).toEqual(["nadam_factors", "nadam", "nadam"]);
  });

  it("do not come between the old value of a variable and who reads it along with what they make", () => {
    const { begin, ...nadam } = ownNadam(0.1);
    const both: Optimizer = {
      ...nadam,
      variables: () => [{ name: "product", shape: [3] }],
      begin: (call) => ({ ...begin!(call), product: call.variables.product! }),
      step: ({ shared: { factors, product }, parameter: p, add }) => {
        const { c } = add(ops.add, { a: factors!, b: product! });
        add(ops.sgd, { p, g: p, rate: c });
      },
    };
    expect(() => program(both)).toThrow(/\bcycle\b/);
  });
});
