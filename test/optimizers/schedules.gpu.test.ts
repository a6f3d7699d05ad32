import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { uniform } from "../../cli/keras/formula.ts";
import {
  cosineDecay,
  createRuntime,
  getHyperparameters,
  loadModel,
  type Model,
  type Optimizer,
  ops,
  piecewiseConstantDecay,
  type Runtime,
  restore,
  saveModel,
  setHyperparameters,
  sgd,
  snapshot,
} from "../../src/index.ts";
import { internalsOf } from "../../src/model/internals.ts";
import golden from "../golden/more-optimizers.json";
import { expectClose } from "../support/compare.ts";
import { allWeights, noise, tinyModel } from "../support/models.ts";
import { GraphRun } from "../support/run-graph.ts";
import { scheduleOf } from "../support/schedules.ts";
import { tolerances } from "../support/tolerances.ts";

describe.each(golden.schedules)("$schedule $options", ({ schedule: name, options, rates, parameters }) => {
  const schedule = scheduleOf(name, options);

  it("has Keras's rates", async () => {
    const got: number[] = [];
    for (const step of golden.sampled) {
      const run = new GraphRun().step(step);
      const [rate] = await run.read([schedule.rate({ state: run.graph.state, add: run.addTyped })]);
      got.push(rate![0]!);
    }
    expectClose(got, rates, tolerances.kerasOptimizer, "rates");
  });

  it("steps as Keras's SGD that follows it", async () => {
    const size = parameters[0]!.length;
    let p = Float32Array.from({ length: size }, (_, i) => 2 * uniform(1, i) - 1);
    for (const [t, want] of parameters.entries()) {
      const g = Float32Array.from(
        { length: size },
        (_, at) => (at > 0 ? 2 * uniform(101 + t, at) - 1 : 0) * 10 ** ((at % 4) - 3),
      );
      const run = new GraphRun().step(t);
      const parameter = run.input("p", [size], p);
      const rate = schedule.rate({ state: run.graph.state, add: run.addTyped });
      run.addTyped(ops.sgd, { p: parameter, g: run.input("g", [size], g), rate });
      p = (await run.read([parameter]))[0]! as Float32Array<ArrayBuffer>;
      expectClose(p, want, tolerances.kerasOptimizer, `step ${t + 1}`);
    }
  });
});

describe("a model that follows a schedule", () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await createRuntime();
  });
  afterAll(() => runtime.dispose());

  const { x, y } = noise(7, [4], 3);
  const loss = "sparseCategoricalCrossentropy";
  const schedule = piecewiseConstantDecay({ boundaries: [1, 3], values: [0.5, 0.125, 0.25] });
  const RATES = [0.5, 0.5, 0.125, 0.125, 0.25, 0.25];

  async function compiled(optimizer: Optimizer, model: Model = tinyModel()): Promise<Model> {
    await model.compile({ loss, optimizer, runtime, seed: 2 });
    return model;
  }

  async function train(model: Model, steps: number): Promise<void> {
    for (let t = 0; t < steps; t++) await model.trainOnBatch(x, y);
  }

  async function trainBySetting(model: Model): Promise<void> {
    for (const learningRate of RATES) {
      await setHyperparameters(model, { learningRate });
      await train(model, 1);
    }
  }

  it("steps to the bits of one whose rate is set before each step, also an app's optimizer", async () => {
    const own: Optimizer = {
      name: "own",
      hyperparameters: { learningRate: 1 },
      step: ({ parameter: p, gradient: g, hyperparameter, add }) => {
        add(ops.sgd, { p, g, rate: hyperparameter("learningRate") });
      },
    };
    const [model, set, owns] = [
      await compiled(sgd({ learningRate: schedule })),
      await compiled(sgd()),
      await compiled(schedule.follow(own)),
    ];
    await train(model, RATES.length);
    await train(owns, RATES.length);
    await trainBySetting(set);
    expect(await allWeights(model)).toEqual(await allWeights(set));
    expect(await allWeights(owns)).toEqual(await allWeights(set));
    for (const each of [model, set, owns]) each.dispose();
  });

  it("says that its rate is the schedule's", async () => {
    const model = await compiled(sgd({ learningRate: schedule, momentum: 0.5 }));
    expect(await getHyperparameters(model)).toEqual({});
    await expect(setHyperparameters(model, { learningRate: 1 })).rejects.toThrow(
      'setHyperparameters: learningRate follows the schedule "piecewiseConstantDecay": compile with a number as its value to set it.',
    );
    model.dispose();
  });

  it("goes on at its step from a snapshot, and refuses one of another schedule", async () => {
    const model = await compiled(sgd({ learningRate: schedule }));
    await train(model, 3);
    const taken = structuredClone(await snapshot(model));
    await train(model, 3);
    const other = await compiled(sgd({ learningRate: schedule }));
    await restore(other, taken);
    await train(other, 3);
    expect(await allWeights(other)).toEqual(await allWeights(model));
    const different = await compiled(sgd({ learningRate: cosineDecay({ initialLearningRate: 1, decaySteps: 5 }) }));
    await expect(restore(different, taken)).rejects.toThrow(/piecewiseConstantDecay/);
    for (const each of [model, other, different]) each.dispose();
  });

  it("is saved with its schedule", async () => {
    const model = await compiled(sgd({ learningRate: schedule }));
    const loaded = await loadModel(await saveModel(model), { runtime });
    const { compiled: made } = await internalsOf(loaded, "test");
    expect(made.settings.training!.optimizer.schedules!.learningRate).toMatchObject({
      name: schedule.name,
      config: schedule.config,
    });
    await train(model, 3);
    await train(loaded, 3);
    expect(await allWeights(loaded)).toEqual(await allWeights(model));
    for (const each of [model, loaded]) each.dispose();
  });
});
