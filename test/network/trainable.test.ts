import { describe, expect, it } from "vitest";
import {
  activation,
  batchNormalization,
  defineLayer,
  dense,
  input,
  type Layer,
  model,
  sequential,
  sgd,
} from "../../src/index.ts";
import { INTERNALS, type WithInternals } from "../../src/model/internals.ts";
import { trainableLayers } from "../../src/network/architecture.ts";
import { trainingProgram } from "../../src/program/programs.ts";
import { variablesOf } from "../../src/program/variables.ts";
import { failure } from "../support/building.ts";
import { inputsOf, measuresOf } from "../support/programs.ts";

/** The network as `compile` has it. */
function compiledNetwork(of: WithInternals) {
  const { architecture } = of[INTERNALS];
  return architecture.network!.withTrainable(trainableLayers(architecture));
}

function training(of: WithInternals) {
  const network = compiledNetwork(of);
  const options = { network, capacity: 4, inputs: inputsOf(network), adapter: "software", choices: {} } as const;
  return trainingProgram({ ...options, measures: measuresOf(network), optimizer: sgd({ momentum: 0.9 }) });
}

const softmax = () => dense({ units: 3, activation: "softmax", name: "head" });
const body = (options: { trainable?: boolean } = {}): Layer[] => [
  dense({ units: 5, inputShape: [4], name: "body", ...options }),
  batchNormalization({ name: "normal", ...options }),
  activation({ activation: "relu" }),
];

describe("trainable", () => {
  it("can be set on a layer of a model, and is as if it had been an option", () => {
    const frozen = body();
    const made = sequential([...frozen, softmax()]);
    for (const layer of frozen) layer.trainable = false;
    const wanted = training(sequential([...body({ trainable: false }), softmax()]));
    expect(String(training(made).plan)).toBe(String(wanted.plan));
    expect([...training(made).gradients.keys()]).toEqual(["head/kernel", "head/bias"]);
    for (const layer of frozen) layer.trainable = true;
    expect(String(training(made).plan)).toBe(String(training(sequential([...body(), softmax()])).plan));
  });

  it("of what comes first costs no gradient: the step has less to run", () => {
    const dispatches = (trainable: boolean) =>
      training(sequential([...body({ trainable }), softmax()])).plan.steps.length;
    expect([dispatches(true), dispatches(false)]).toEqual([18, 9]);
  });

  it("holds as it was when the model was compiled", () => {
    const [first] = body();
    const x = input({ shape: [4] });
    const made = model({ inputs: x, outputs: softmax()(first!(x)) });
    const compiled = compiledNetwork(made);
    first!.trainable = false;
    const paths = (trainable: boolean, network = compiled) =>
      network.variables.filter((each) => each.trainable === trainable).map(({ path }) => path);
    expect(paths(true)).toEqual(["body/kernel", "body/bias", "head/kernel", "head/bias"]);
    expect(paths(false, compiledNetwork(made))).toEqual(["body/kernel", "body/bias"]);
    expect(variablesOf(compiledNetwork(made), sgd({ momentum: 0.5 }), undefined).map(({ path }) => path)).toEqual(
      expect.not.arrayContaining(["body/kernel/momentum"]),
    );
  });

  it("is counted by the summary as it is at the moment", () => {
    const [first] = body();
    const made = sequential([first!, softmax()]);
    const counted = () => /Trainable params: (\d+)/.exec(made.summary({ print: () => {} }))![1];
    expect(counted()).toBe("43");
    first!.trainable = false;
    expect(counted()).toBe("18");
  });

  it("can be set where an app's object is frozen, and is refused by compile if it is no flag", async () => {
    const spec = Object.freeze({ ...dense({ units: 2, inputShape: [3] }), trainable: false });
    const own = defineLayer(spec);
    own.trainable = true;
    expect(own.trainable).toBe(true);
    own.trainable = "no" as never;
    const layers = sequential([dense({ units: 3, inputShape: [3] })]);
    expect(failure(() => layers.add(own)).message).toBe('Dense: trainable must be true or false, got "no".');
    own.trainable = true;
    layers.add(own);
    own.trainable = 0 as never;
    const refused = layers.compile();
    await expect(refused).rejects.toThrow('Dense "dense_1": trainable must be true or false, got 0.');
  });
});
