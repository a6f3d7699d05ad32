import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import {
  createRuntime,
  defineLayer,
  dense,
  type History,
  input,
  type Model,
  model,
  ops,
  pauseSwitch,
  type Runtime,
  type Snapshot,
  sequential,
  setHyperparameters,
  sgd,
  snapshot,
  tensor,
  terminateOnNaN,
} from "../../src/index.ts";
import { allWeights, noise, tinyModel } from "../support/models.ts";
import { savedOf } from "../support/snapshots.ts";
import { squaredError } from "../support/squared-error.ts";

const settings = { loss: "sparseCategoricalCrossentropy", metrics: ["accuracy"] } as const;
const options = { batchSize: 4, verbose: 0, stepsPerExecution: 1, shuffle: false } as const;

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime();
});
afterAll(() => runtime.dispose());

const twoLayers = () =>
  sequential([
    dense({ units: 4, activation: "relu", name: "first", inputShape: [4] }),
    dense({ units: 3, activation: "softmax", name: "last" }),
  ]);

async function compiled(model: Model, learningRate = 0.01): Promise<Model> {
  await model.compile({ ...settings, optimizer: sgd({ learningRate }), runtime });
  return model;
}

/** Numbers by which gradients are large, too. */
function enlarge(values: ArrayLike<number>): void {
  for (let i = 0; i < values.length; i++) (values as Float32Array)[i]! *= 1000;
}

/** What `run` warns of. */
async function warnings(run: () => Promise<unknown>): Promise<string[]> {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  try {
    await run();
    return warn.mock.calls.map(([text]) => String(text));
  } finally {
    warn.mockRestore();
  }
}

const finite = async (model: Model) => (await allWeights(model)).every(Number.isFinite);

describe("fit", () => {
  it("warns once, at the epoch's end, of the first step whose loss is a NaN, and what finds its layer", async () => {
    const model = await compiled(twoLayers());
    const { x, y } = noise(40, [4], 3);
    (x.data as Float32Array)[4 * 17] = Number.NaN;
    const said = await warnings(() => model.fit(x, y, { ...options, epochs: 2 }));
    expect(said).toEqual([
      expect.stringMatching(/^fit: epoch 1: the loss is NaN from step 5 of 10 on\..*terminateOnNaN/),
    ]);
    expect(await finite(model)).toBe(false);
    model.dispose();
  });

  it("warns of parameters that its last step spoilt, though no loss shows it", async () => {
    const model = await compiled(twoLayers(), 3e38);
    const { x, y } = noise(4, [4], 3);
    enlarge(x.data);
    const said = await warnings(() => model.fit(x, y, options));
    expect(said).toEqual([expect.stringMatching(/^fit: epoch 1: its last step made last\/\w+ a NaN or infinite\./)]);
    model.dispose();
  });

  it("hands its callbacks figures that were read, never a NaN for what was not", async () => {
    const model = await compiled(tinyModel());
    const { x, y } = noise(40, [4], 3);
    const seen: { loss: number; samples: number; badStep: number }[] = [];
    const callbacks = [
      {
        onTrainBatchEnd: (_: number, { loss }: { loss: number }, read: { samples: number; badStep: number }) =>
          void seen.push({ loss, ...read }),
      },
    ];
    for (const stepsPerExecution of [1, 4, 64]) await model.fit(x, y, { ...options, stepsPerExecution, callbacks });
    expect(seen.length).toBeGreaterThan(10);
    for (const { loss, samples, badStep } of seen) {
      expect(loss).toBeGreaterThan(0);
      expect(samples).toBeGreaterThan(0);
      expect(badStep).toBe(0);
    }
    model.dispose();
  });

  it("ends where a callback sets stopTraining", async () => {
    const model = await compiled(tinyModel());
    const { x, y } = noise(40, [4], 3);
    const callbacks = [
      {
        onEpochEnd: (epoch: number) => {
          if (epoch === 1) model.stopTraining = true;
        },
      },
    ];
    expect((await model.fit(x, y, { ...options, epochs: 9, callbacks })).epoch).toEqual([0, 1]);
    expect((await model.fit(x, y, { ...options, epochs: 2 })).epoch).toEqual([0, 1]);
    model.dispose();
  });
});

describe("terminateOnNaN", () => {
  it("changes nothing where all is finite, and frees what it kept", async () => {
    const { x, y } = noise(40, [4], 3);
    const train = async (callbacks: ReturnType<typeof terminateOnNaN>[]) => {
      const model = await compiled(tinyModel());
      const history = await model.fit(x, y, { ...options, epochs: 2, callbacks });
      const weights = await allWeights(model);
      model.dispose();
      return { history, weights };
    };
    const guard = terminateOnNaN();
    expect(await train([guard])).toEqual(await train([]));
    expect(guard.found).toBeUndefined();
    expect(runtime.memory.buffers).toBe(0);
  });

  it("finds samples that bring it, and keeps the weights of before", async () => {
    const { x, y } = noise(40, [4], 3);
    const before = await compiled(twoLayers());
    await before.fit({ ...x, data: x.data.slice(0, 64), shape: [16, 4] }, tensor(y.data.slice(0, 16), [16]), options);
    const wanted = await allWeights(before);
    before.dispose();

    (x.data as Float32Array)[4 * 17] = Number.NaN;
    const model = await compiled(twoLayers());
    const guard = terminateOnNaN();
    const said = await warnings(() => model.fit(x, y, { ...options, epochs: 3, callbacks: [guard] }));
    expect(guard.found).toMatchObject({ epoch: 0, step: 5, where: "samples" });
    expect(said).toEqual([expect.stringMatching(/epoch 1, step 5: x has a NaN or Infinity, for sample 17 of x/)]);
    expect(await allWeights(model)).toEqual(wanted);
    model.dispose();
  });

  it("finds the layer whose output is the first, among several steps in a submit", async () => {
    const model = await compiled(twoLayers(), 0);
    const [kernel, ...rest] = await model.getWeights();
    await model.setWeights([{ data: kernel!.data.fill(1e20) }, ...rest.map(({ data }) => ({ data }))]);
    const { x, y } = noise(40, [4], 3);
    (x.data as Float32Array).fill(1e20, 4 * 30, 4 * 31);
    const guard = terminateOnNaN();
    await warnings(() => model.fit(x, y, { ...options, stepsPerExecution: 16, callbacks: [guard] }));
    expect(guard.found).toMatchObject({ epoch: 0, step: 8, where: "forward", layer: "first" });
    expect(guard.found!.message).toMatch(/Infinity first, for sample 30 of x/);
    expect(await finite(model)).toBe(true);
    model.dispose();
  });

  it("finds the update that makes parameters infinite, in the last layer where it begins, and goes on by a smaller rate", async () => {
    const { x, y } = noise(40, [4], 3);
    enlarge(x.data);
    const whole = await compiled(twoLayers(), 1e-6);
    await whole.fit(x, y, options);
    const wanted = await allWeights(whole);
    whole.dispose();

    const model = await compiled(twoLayers(), 1e-6);
    const guard = terminateOnNaN();
    const blowUp = {
      onTrainBatchEnd: (batch: number) => (batch === 6 ? setHyperparameters(model, { learningRate: 3e38 }) : undefined),
    };
    await warnings(() => model.fit(x, y, { ...options, callbacks: [blowUp, guard] }));
    expect(guard.found).toMatchObject({ epoch: 0, where: "update", layer: "last" });
    expect(guard.found!.step).toBeGreaterThan(5);
    expect(await finite(model)).toBe(true);
    await setHyperparameters(model, { learningRate: 1e-6 });
    await model.fit(x, y, { ...options, resume: true });
    expect(await allWeights(model)).toEqual(wanted);
    model.dispose();
  });

  it("finds parameters that only the last update spoilt", async () => {
    const model = await compiled(twoLayers(), 3e38);
    const { x, y } = noise(4, [4], 3);
    enlarge(x.data);
    const guard = terminateOnNaN();
    let history: History;
    await warnings(async () => {
      history = await model.fit(x, y, { ...options, callbacks: [guard], epochs: 2 });
    });
    expect(guard.found).toMatchObject({ epoch: 0, step: 1, where: "update" });
    expect(history!.epoch).toEqual([]);
    expect(await finite(model)).toBe(true);
    model.dispose();
  });

  it("finds parameters that were spoilt before", async () => {
    const model = await compiled(twoLayers(), 3e38);
    const { x, y } = noise(8, [4], 3);
    await warnings(() => model.fit(x, y, options));
    const guard = terminateOnNaN();
    await warnings(() => model.fit(x, y, { ...options, callbacks: [guard] }));
    expect(guard.found).toMatchObject({ epoch: 0, step: 1, where: "start" });
    model.dispose();
  });

  it("finds the layer by the weights that a callback set in the epoch, and keeps them", async () => {
    const model = await compiled(twoLayers(), 0);
    const { x, y } = noise(40, [4], 3);
    enlarge(x.data);
    const guard = terminateOnNaN();
    const onTrainBatchEnd = async (batch: number) => {
      if (batch !== 3) return;
      const weights = await model.getWeights();
      weights[0]!.data.fill(1e38);
      await model.setWeights(weights);
    };
    await warnings(() => model.fit(x, y, { ...options, callbacks: [{ onTrainBatchEnd }, guard] }));
    expect(guard.found).toMatchObject({ where: "forward", layer: "first" });
    expect((await model.getWeights())[0]!.data[0]).toBe(Math.fround(1e38));
    model.dispose();
  });

  it("lets no snapshot be taken while it goes back and forth", async () => {
    const model = await compiled(twoLayers());
    const { x, y } = noise(40, [4], 3);
    (x.data as Float32Array)[4 * 26] = Number.NaN;
    const guard = terminateOnNaN();
    let taking: Promise<Snapshot> | undefined;
    const onTrainEnd = () => {
      // After the search has begun.
      setTimeout(() => {
        taking = snapshot(model);
      }, 0);
    };
    await warnings(() => model.fit(x, y, { ...options, callbacks: [{ onTrainEnd }, guard] }));
    expect(guard.found).toMatchObject({ step: 7 });
    const taken = await (taking ?? snapshot(model));
    expect(taken.fit!.steps).toBe(6);
    expect(savedOf(taken, "parameter").map(({ data }) => data)).toEqual(
      (await model.getWeights()).map(({ data }) => data),
    );
    model.dispose();
  });

  it("is of one fit at a time, and free again afterwards, whatever ended it", async () => {
    const [model, other] = [await compiled(twoLayers()), await compiled(twoLayers())];
    const { x, y } = noise(40, [4], 3);
    const guard = terminateOnNaN();
    await expect(model.fit(x, y, { ...options, callbacks: [guard, guard] })).rejects.toThrow(/a fit already/);
    const fitting = model.fit(x, y, { ...options, callbacks: [guard] });
    await expect(other.fit(x, y, { ...options, callbacks: [guard] })).rejects.toMatchObject({ code: "state" });
    expect((await fitting).epoch).toEqual([0]);
    const enough = {
      onTrainBatchEnd: () => {
        throw new Error("enough");
      },
    };
    await expect(model.fit(x, y, { ...options, callbacks: [guard, enough] })).rejects.toThrow("enough");
    expect((await other.fit(x, y, { ...options, callbacks: [guard] })).epoch).toEqual([0]);
    model.dispose();
    other.dispose();
    expect(runtime.memory.buffers).toBe(0);
  });

  it("ends a fit that is paused, and leaves nothing where the model is disposed of meanwhile", async () => {
    const { x, y } = noise(40, [4], 3);
    (x.data as Float32Array)[4 * 5] = Number.NaN;
    const model = await compiled(twoLayers());
    const guard = terminateOnNaN();
    const pause = pauseSwitch();
    const callbacks = [{ onTrainBatchEnd: () => void pause.pause() }, guard];
    await warnings(() => model.fit(x, y, { ...options, callbacks, pause }));
    expect(guard.found).toMatchObject({ step: 2, where: "samples" });
    model.dispose();
    for (let ticks = 0; ticks < 12; ticks++) {
      const short = await compiled(twoLayers());
      let begun = () => {};
      const beginning = new Promise<void>((resolve) => {
        begun = resolve;
      });
      const fitting = short.fit(x, y, { ...options, callbacks: [{ onEpochBegin: begun }, terminateOnNaN()] });
      await beginning;
      for (let i = 0; i < ticks; i++) await undefined;
      short.dispose();
      await expect(fitting).rejects.toMatchObject({ code: "state" });
      await runtime.device.queue.onSubmittedWorkDone();
      expect(runtime.memory.buffers).toBe(0);
    }
  });
});

describe("a loss of several outputs", () => {
  it("is named by its output where the layers' outputs are finite", async () => {
    const parts = input({ shape: [4], name: "parts" });
    const head = (name: string) => dense({ units: 1, name })(parts);
    const two = model({ inputs: parts, outputs: { left: head("left"), right: head("right") } });
    await two.compile({ loss: squaredError(), optimizer: sgd({ learningRate: 0.01 }), runtime });
    const guard = terminateOnNaN();
    const { x } = noise(12, [4], 3);
    const left = Array.from({ length: 12 }, (_, i) => i / 12);
    // Its square is infinite.
    const right = left.map((value, i) => (i === 9 ? 1e30 : value));
    const said = await warnings(() => two.fit(x, { left, right }, { ...options, callbacks: [guard] }));
    expect(guard.found).toMatchObject({ epoch: 0, step: 3, where: "loss", output: "right" });
    expect(said[0]).toMatch(/step 3: the loss of output "right" is a NaN or infinite, though every layer's output is/);
    expect((await allWeights(two)).every(Number.isFinite)).toBe(true);
    two.dispose();
  });

  it("is told from what layers add to it", async () => {
    const large = defineLayer({
      type: "Large",
      inputShape: [4],
      variables: () => [{ name: "kernel", shape: [4, 1], initializer: "ones" }],
      call: ({ input, variables, add }) => add(ops.dense, { x: input, kernel: variables.kernel! }).y,
      losses: ({ add }) => {
        const half = add(ops.fill, {}, { shape: [1], value: 3e38 }).y;
        return [add(ops.add, { a: half, b: half }).c];
      },
    });
    const one = sequential([large]);
    await one.compile({ loss: squaredError(), optimizer: sgd(), runtime });
    const guard = terminateOnNaN();
    const { x } = noise(4, [4], 3);
    await warnings(() => one.fit(x, [0, 1, 2, 3], { ...options, callbacks: [guard] }));
    expect(guard.found).toMatchObject({ step: 1, where: "loss" });
    expect(guard.found!.message).toMatch(/what layers add to the loss is a NaN or infinite/);
    one.dispose();
  });
});
