import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  asLayer,
  batchNormalization,
  createRuntime,
  dense,
  getInputs,
  getLayer,
  getLayers,
  input,
  loadModel,
  model,
  type Runtime,
  saveModel,
  sequential,
  sgd,
} from "../../src/index.ts";
import { noise } from "../support/models.ts";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime();
});
afterAll(() => runtime.dispose());

const options = () => ({
  loss: "sparseCategoricalCrossentropy" as const,
  optimizer: sgd({ learningRate: 0.2 }),
  runtime,
});
const { x, y } = noise(12, [5], 3);

/** A base that was trained for a few steps: its moving statistics moved, too. */
async function trainedBase() {
  const base = sequential(
    [
      dense({ units: 6, activation: "tanh", inputShape: [5] }),
      batchNormalization(),
      dense({ units: 4, activation: "relu" }),
      dense({ units: 3, activation: "softmax", name: "classes" }),
    ],
    { name: "base" },
  );
  await base.compile(options());
  await base.fit(x, y, { batchSize: 6, epochs: 2, verbose: 0 });
  return base;
}

type Weighed = Pick<Awaited<ReturnType<typeof trainedBase>>, "getWeights">;
const byName = async (of: Weighed) =>
  Object.fromEntries((await of.getWeights()).map(({ name, data }) => [name, [...data]]));

/** Names of the weights that training changes. */
async function changedBy(of: Weighed, run: () => Promise<unknown>): Promise<string[]> {
  const before = await byName(of);
  await run();
  const after = await byName(of);
  return Object.keys(after).filter((name) => String(after[name]) !== String(before[name]));
}

describe("a new head on a base of a file", () => {
  it("begins with the base's weights, trains the head alone, then all; the base stays as it was", async () => {
    const first = await trainedBase();
    const base = await loadModel(await saveModel(first), { runtime });
    first.dispose();
    const before = await byName(base);
    const all = (trainable: boolean) => {
      for (const layer of getLayers(base)) layer.trainable = trainable;
    };
    const features = getLayer(base, "dense_1").output;
    const head = dense({ units: 3, activation: "softmax", name: "head" });
    const mine = model({ inputs: getInputs(base), outputs: head(features) });

    await mine.compile(options());
    const carried = await byName(mine);
    const names = Object.keys(before).filter((name) => !name.startsWith("classes"));
    expect(names.length).toBe(8);
    for (const name of names) expect(carried[name]).toEqual(before[name]);
    // What the base computes, this one computes.
    await mine.trainOnBatch(x, y);
    const whole = mine.plan!.steps.length;

    all(false);
    await mine.compile(options());
    expect(await changedBy(mine, () => mine.fit(x, y, { batchSize: 6, epochs: 1, verbose: 0 }))).toEqual([
      "head/kernel",
      "head/bias",
    ]);
    const frozen = mine.plan!;
    expect(frozen.steps.length).toBeLessThan(whole);
    // The frozen part has its forward pass and nothing else: no gradient, no update.
    const nodes = frozen.steps.flatMap(({ node }) => node.split(" + "));
    const ofBase = nodes.filter((node) => /^(dense|dense_1|batch_normalization)(\/|$)/.test(node));
    expect(ofBase.every((node) => !/gradient|update|sgd/i.test(node))).toBe(true);
    expect(ofBase.length).toBeGreaterThan(0);

    all(true);
    await mine.compile(options());
    const changed = await changedBy(mine, () => mine.fit(x, y, { batchSize: 6, epochs: 1, verbose: 0 }));
    expect(changed.length).toBe(10);
    expect(mine.plan!.steps.length).toBe(whole);

    expect(await byName(base)).toEqual(before);
    // A file of it is whole.
    const again = await loadModel(await saveModel(mine), { runtime });
    expect(await byName(again)).toEqual(await byName(mine));
    base.dispose();
    // It needs the base no more.
    await mine.compile(options());
    expect((await again.predict(x)).data).toEqual((await mine.predict(x)).data);
    mine.dispose();
    again.dispose();
  });

  it("has no gradient of a nested model while that is frozen", async () => {
    const base = await trainedBase();
    const nested = asLayer(base, { trainable: false });
    const z = input({ shape: [5] });
    const mine = model({ inputs: z, outputs: dense({ units: 3, activation: "softmax", name: "head" })(nested(z)) });
    await mine.compile(options());
    await mine.trainOnBatch(x, y);
    const kernels = (of: typeof mine) =>
      of.plan!.steps.flatMap(({ node }) => node.split(" + ")).filter((node) => node.startsWith("base"));
    expect(kernels(mine).every((node) => !/gradient/i.test(node))).toBe(true);
    nested.trainable = true;
    await mine.compile(options());
    await mine.trainOnBatch(x, y);
    expect(kernels(mine).some((node) => /gradient/i.test(node))).toBe(true);
    mine.dispose();
    base.dispose();
  });
});

describe("a nested model", () => {
  it("computes what the model computes, and saves", async () => {
    const base = await trainedBase();
    const z = input({ shape: [5] });
    const mine = model({ inputs: z, outputs: asLayer(base)(z) });
    await mine.compile({ runtime });
    const want = (await base.predict(x)).data;
    expect((await mine.predict(x)).data).toEqual(want);
    const again = await loadModel(await saveModel(mine), { runtime });
    expect((await again.predict(x)).data).toEqual(want);
    expect(Object.keys(await byName(again))[0]).toBe("base/dense/kernel");
    for (const each of [base, mine, again]) each.dispose();
  });
});

describe("a base without weights", () => {
  it("that was never compiled leaves the first values to the initializers", async () => {
    const base = sequential([dense({ units: 3, activation: "softmax", inputShape: [5] })], { name: "base" });
    const mine = sequential([...getLayers(base)]);
    await mine.compile({ ...options(), seed: 4 });
    await base.compile({ ...options(), seed: 4 });
    expect(await byName(mine)).toEqual(await byName(base));
    mine.dispose();
    base.dispose();
  });

  it("that was disposed before is told, and the model can be compiled no more", async () => {
    const base = await trainedBase();
    const mine = sequential([...getLayers(base)]);
    base.dispose();
    await expect(mine.compile(options())).rejects.toMatchObject({
      code: "state",
      message: expect.stringContaining('"dense/kernel" of model "base": the model was disposed'),
    });
    mine.dispose();
  });
});
