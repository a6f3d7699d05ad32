import { describe, expect, it } from "vitest";
import { dense, type GradientTransform, ops, sgd } from "../../src/index.ts";
import { trainingProgram } from "../../src/program/programs.ts";
import { failure, networkOf } from "../support/building.ts";
import { inputsOf, measuresOf } from "../support/programs.ts";

const network = networkOf([dense({ units: 3, activation: "softmax", inputShape: [4] })]);
const train = (...transforms: readonly GradientTransform[]) =>
  trainingProgram({
    network,
    capacity: 2,
    columns: inputsOf(network),
    adapter: "software",
    choices: {},
    measures: measuresOf(network),
    optimizer: sgd({ transforms }),
  });

/** Twice each gradient. */
const doubled: GradientTransform = {
  name: "doubled",
  transform: ({ gradients, add }) => new Map([...gradients].map(([path, g]) => [path, add(ops.add, { a: g, b: g }).c])),
};

describe("transforms of gradients", () => {
  it("come one after the other, between the gradients and the steps, which then have kernels of their own", () => {
    const kernels = (program: ReturnType<typeof train>) => program.plan.steps.map(({ kernel }) => kernel);
    expect(kernels(train())).not.toContain("sgd");
    const twice = kernels(train(doubled, doubled)).filter((kernel) => ["add", "sgd"].includes(kernel));
    expect(twice).toEqual(["add", "add", "add", "add", "sgd", "sgd"]);
  });

  const [kernel, bias] = ['"dense/kernel", [4, 3]', '"dense/bias", [3]'];
  it.each<[string, GradientTransform["transform"], string, string]>([
    ["nothing", () => undefined as never, kernel, "undefined"],
    ["an object", () => ({}) as never, kernel, "undefined"],
    ["less than all", ({ gradients }) => new Map([...gradients].slice(0, 1)), bias, "undefined"],
    [
      "outputs by name",
      ({ gradients, add }) => new Map([...gradients].map(([path, g]) => [path, add(ops.add, { a: g, b: g }) as never])),
      ...([kernel, "an object with keys c"] as const),
    ],
    [
      "another shape",
      ({ gradients }) => new Map([...gradients.keys()].map((path) => [path, gradients.get("dense/bias")!])),
      ...([kernel, "one of shape [3]"] as const),
    ],
  ])("that return %s are refused before there is a plan", (_, transform, wanted, got) => {
    const must = `return a Map with a tensor for ${wanted} (add() gives outputs by name)`;
    expect(failure(() => train({ name: "mine", transform }))).toMatchObject({
      code: /shape/.test(got) ? "shape" : "value",
      message: `Gradient transform "mine" must ${must}, got ${got}.`,
    });
  });
});
