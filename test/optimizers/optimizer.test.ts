import { describe, expect, it } from "vitest";
import {
  adadelta,
  adagrad,
  adam,
  adamax,
  adamW,
  type GradientTransform,
  lion,
  nadam,
  type Optimizer,
  rmsprop,
  sgd,
} from "../../src/index.ts";
import { configOf } from "../../src/optimizers/optimizer.ts";
import { trainingProgram } from "../../src/program/programs.ts";
import { countOf, variablesOf } from "../../src/program/variables.ts";
import golden from "../golden/optimizers.json";
import { Build, failure, networkOf } from "../support/building.ts";
import { articleLayers } from "../support/models.ts";
import { inputsOf, measuresOf } from "../support/programs.ts";
import { MERGE_MOST, MERGE_NOTHING } from "../support/recording.ts";

const MAKERS: Record<string, (options?: object) => Optimizer> = {
  sgd,
  adam,
  adamW,
  rmsprop,
  adagrad,
  adadelta,
  adamax,
  lion,
  nadam,
};
const learningRates: [string, number][] = [
  ["sgd", 0.01],
  ["adam", 0.001],
  ["adamW", 0.001],
  ["rmsprop", 0.001],
  ["adagrad", 0.001],
  ["adadelta", 0.001],
  ["adamax", 0.001],
  ["lion", 0.001],
  ["nadam", 0.001],
];

describe.each(learningRates)("%s", (name, learningRate) => {
  const make = MAKERS[name]!;

  it("has Keras's learning rate unless it is given one", () => {
    expect(make().name).toBe(name);
    expect(make().hyperparameters).toEqual({ learningRate });
    expect(make({ learningRate: 0 }).hyperparameters).toEqual({ learningRate: 0 });
  });

  it.each([-0.1, Number.NaN, Number.POSITIVE_INFINITY, "0.1"])("refuses the rate %o", (rate) => {
    const { code, message } = failure(() => make({ learningRate: rate }));
    expect(code).toBe("value");
    expect(message).toContain(`${name}: learningRate`);
    expect(message).toContain(typeof rate === "string" ? `"${rate}"` : String(rate));
  });

  it("refuses options that it has not", () => {
    const { code, message } = failure(() => make({ beta: 0.9 }));
    expect(code).toBe("value");
    for (const word of [name, '"beta"', "learningRate"]) expect(message).toContain(word);
  });

  it("takes transforms of gradients, and its config has their names and configs", () => {
    const transform: GradientTransform["transform"] = ({ gradients }) => gradients;
    const transforms = [
      { name: "one", transform, config: { limit: 0.5 } },
      { name: "other", transform },
    ];
    const optimizer = make({ transforms });
    expect(optimizer.transforms).toEqual(transforms);
    expect(optimizer.transforms).not.toBe(transforms);
    expect(configOf(optimizer)).toEqual({
      ...make().config,
      transforms: [{ name: "one", config: { limit: 0.5 } }, { name: "other" }],
    });
    expect(configOf(make({ transforms: [] }))).toEqual(make().config);
    expect(configOf(make({ transforms: undefined }))).toEqual(make().config);
  });

  it.each<[unknown, string]>([
    [5, "transforms must be an array, got 5"],
    [null, "transforms must be an array, got null"],
    [[null], "transforms: transform must be a function, got undefined"],
    [[{ name: "one" }], "transforms: transform must be a function, got undefined"],
    [[{ transform: () => {} }], "transforms: name must be a word, got undefined"],
    [[{ name: "one", transform: () => {}, config: 3 }], "transforms: config must be an object, got 3"],
  ])("refuses the transforms %o", (transforms, message) => {
    expect(failure(() => make({ transforms }))).toMatchObject({ code: "value", message: `${name}: ${message}.` });
  });

  it("does not step a parameter by a gradient of another shape", () => {
    const { code, message } = failure(() => nodesOf(make(), [3], [4]));
    expect(code).toBe("shape");
    for (const text of ["[3]", "[4]"]) expect(message).toContain(text);
  });
});

describe("shares of what was", () => {
  it.each([
    ["sgd", "momentum"],
    ["adam", "beta1"],
    ["adam", "beta2"],
    ["adamW", "beta1"],
    ["rmsprop", "rho"],
    ["rmsprop", "momentum"],
    ["adadelta", "rho"],
    ["adamax", "beta1"],
    ["nadam", "beta2"],
    ["lion", "beta2"],
  ])("%s: %s is at least 0 and below 1", (name, option) => {
    expect(() => MAKERS[name]!({ [option]: 0 })).not.toThrow();
    for (const value of [-0.1, 1, Number.NaN]) {
      const { message } = failure(() => MAKERS[name]!({ [option]: value }));
      expect(message).toBe(
        `${name}: ${option} must be a finite number of at least 0 and below 1, got ${String(value)}.`,
      );
    }
  });
});

/** The nodes that step one parameter. */
function nodesOf(optimizer: Optimizer, shape: readonly number[], gradientShape = shape): Build {
  const build = new Build();
  optimizer.step({
    path: "p",
    parameter: build.input("p", shape),
    gradient: build.input("g", gradientShape),
    slots: Object.fromEntries(
      (optimizer.slots?.(shape) ?? []).map((slot) => [slot.name, build.input(slot.name, slot.shape)]),
    ),
    state: build.graph.state,
    shared: optimizer.begin ? { factors: build.input("factors", [3]) } : {},
    hyperparameter: (name) => build.input(name, [1]),
    shapeOf: () => shape,
    add: build.addTyped,
  });
  return build;
}

describe("a step", () => {
  it.each(golden.runs)("is one node that changes the parameter and what is kept: $optimizer $options", (run) => {
    const { graph } = nodesOf(MAKERS[run.optimizer]!(run.options), [3, 5]);
    expect(graph.nodes).toHaveLength(1);
    const changed = graph.nodes[0]!.updates.map((id) => graph.tensors[id]!.name);
    const own = graph.tensors.map(({ name }) => name).filter((name) => !["state", "g", "learningRate"].includes(name));
    expect(changed.sort()).toEqual(own.sort());
  });

  it.each(golden.runs)("keeps as many numbers as Keras's: $optimizer $options", ({ optimizer, options, numbers }) => {
    const spec = { name: "p", shape: [7], initializer: "zeros" as const };
    const network = networkOf([
      { type: "Seven", variables: () => [spec], call: ({ input }) => input, inputShape: [1] },
    ]);
    const variables = variablesOf(network, MAKERS[optimizer]!(options), undefined);
    // Keras counts the step's number and the learning rate, too.
    expect(countOf(variables, "slot", "rate") + 1).toBe(numbers);
  });
});

describe("a training step of the article's network on a GPU", () => {
  const plan = (optimizer: Optimizer, most: number, merged = true) => {
    const network = networkOf(articleLayers());
    return trainingProgram({
      network,
      capacity: 32,
      columns: inputsOf(network, { dtype: "u8", scale: 1 / 255 }),
      adapter: "gpu",
      choices: {},
      limits: { ...(merged ? MERGE_MOST : MERGE_NOTHING), maxStorageBuffersPerShaderStage: most },
      measures: measuresOf(network),
      optimizer,
    }).plan;
  };

  it.each<[string, Optimizer, number[]]>([
    ["sgd", sgd(), [17, 15, 15]],
    ["sgd with momentum", sgd({ momentum: 0.9 }), [20, 17, 17]],
    ["adam", adam(), [21, 18, 18]],
    ["rmsprop", rmsprop(), [20, 17, 17]],
    ["adagrad", adagrad(), [20, 17, 17]],
  ])("shares dispatches among the updates: %s", (name, optimizer, counts) => {
    // Each of the 8 parameters has an update of its own, but for plain SGD, which rides in the gradients.
    const updates = name === "sgd" ? 0 : 8;
    const alone = [8, 10, 16].map((most) => plan(optimizer, most, false).steps.length);
    expect(alone).toEqual([23 + updates, 22 + updates, 22 + updates]);
    expect([8, 10, 16].map((most) => plan(optimizer, most).steps.length)).toEqual(counts);
  });

  it("without momentum is what it was", () => {
    expect(String(plan(sgd({ momentum: 0, nesterov: true }), 8))).toBe(String(plan(sgd(), 8)));
    expect(plan(sgd(), 8).steps.some(({ kernel }) => /\bsgd\b/.test(kernel))).toBe(false);
  });
});
