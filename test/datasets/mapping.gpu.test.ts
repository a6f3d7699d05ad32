import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  activation,
  type ColumnMapping,
  createDataset,
  createRuntime,
  createTrainingRecorder,
  type Dataset,
  dense,
  input,
  model,
  ops,
  type Runtime,
  randomFlip,
  rescaling,
  reshape,
  sequential,
  sgd,
  tensor,
} from "../../src/index.ts";
import { randomArray } from "../reference/random.ts";
import { Ledger } from "../support/ledger.ts";
import { allWeights } from "../support/models.ts";

let runtime: Runtime;
let dataset: Dataset;
const [SAMPLES, INPUTS, CLASSES] = [13, 3, 4];
const bytes = Uint8Array.from(randomArray(SAMPLES * INPUTS, 1), (value) => 128 + 100 * value);
const labels = [3, 0, 2, 1, 0, 3, 2, 1, 1, 0, 2, 3, 0];
beforeAll(async () => {
  runtime = await createRuntime();
  dataset = await createDataset(runtime, { x: tensor(bytes, [SAMPLES, INPUTS]), y: labels });
});
afterAll(() => {
  dataset.dispose();
  runtime.dispose();
});

/** A model that passes on what it gets. */
async function mirror(shape: readonly number[] = [INPUTS]) {
  const made = sequential([rescaling({ scale: 1, inputShape: shape })]);
  await made.compile({ runtime });
  return made;
}

/** Samples of a data set, in its order. */
async function samplesOf(data: Dataset, shape?: readonly number[]): Promise<number[]> {
  const looking = await mirror(shape);
  const { data: rows } = await looking.predict(data);
  looking.dispose();
  return [...rows];
}

async function compiled() {
  const made = sequential([dense({ units: CLASSES, activation: "softmax", inputShape: [INPUTS] })]);
  await made.compile({ loss: "sparseCategoricalCrossentropy", optimizer: sgd({ learningRate: 0.1 }), runtime });
  return made;
}

/** A layer that leaves numbers from 0 on as they are. */
const positive = () => activation({ activation: "relu" });

const halves = [...bytes].map((value) => value * 0.5);

describe("a mapped data set", () => {
  it.each<[string, ColumnMapping]>([
    ["an expression", ["multiply", "x", 0.5]],
    ["a function", ({ input: x, add }) => ops.evaluated(add, ["multiply", "x", 0.5], { x })],
    ["a layer", rescaling({ scale: 0.5 })],
    ["layers in a row", [rescaling({ scale: 0.5 }), reshape({ targetShape: [3] }), rescaling({ scale: 1 })]],
  ])("is made by %s, to the bit, and reads nothing back", async (_, by) => {
    const before = runtime.memory.bytes;
    const ledger = new Ledger(runtime.device);
    const mapped = await dataset.map({ x: by });
    expect(ledger.take().mapAsync ?? 0).toBe(0);
    ledger.stop();
    // Its column is all that is left.
    expect(runtime.memory.bytes).toBe(before + 4 * SAMPLES * INPUTS);
    expect([mapped.size, mapped.bytes]).toEqual([SAMPLES, 4 * SAMPLES * INPUTS]);
    expect(await samplesOf(mapped)).toEqual(halves);
    mapped.dispose();
    expect(runtime.memory.bytes).toBe(before);
    expect(await samplesOf(dataset)).toEqual([...bytes]);
  });

  it("keeps the order of a part, and gives parts of its own", async () => {
    const part = dataset.shuffle({ seed: 3 }).take(7);
    const mapped = await part.map({ x: ["multiply", "x", 0.5] });
    const wanted = (await samplesOf(part)).map((value) => value * 0.5);
    expect(await samplesOf(mapped)).toEqual(wanted);
    expect(await samplesOf(mapped.skip(2).take(3))).toEqual(wanted.slice(2 * INPUTS, 5 * INPUTS));
    const twice = await mapped.map({ x: ["add", "x", 1] });
    expect(await samplesOf(twice)).toEqual(wanted.map((value) => value + 1));
    const rest = mapped.skip(6);
    mapped.dispose();
    expect(() => rest.assertLive()).toThrow(/The data set was disposed/);
    part.assertLive();
    twice.dispose();
  });

  it("trains to the bits of the numbers mapped before", async () => {
    const mapped = await dataset.map({ x: ["divide", "x", 256] });
    const [got, want] = [await compiled(), await compiled()];
    const x = tensor(
      Float32Array.from(bytes, (value) => value / 256),
      [SAMPLES, INPUTS],
    );
    const options = { batchSize: 4, epochs: 2, verbose: 0 } as const;
    const { history } = await got.fit(mapped, options);
    expect(history).toEqual((await want.fit(x, labels, options)).history);
    expect(await allWeights(got)).toEqual(await allWeights(want));
    for (const each of [mapped, got, want]) each.dispose();
  });

  it("is what a compiled model predicts, with the model's weights", async () => {
    const base = await compiled();
    await base.fit(dataset, { batchSize: 8, verbose: 0 });
    const features = await dataset.map({ x: base });
    expect(await samplesOf(features, [CLASSES])).toEqual([...(await base.predict(dataset)).data]);
    base.dispose();
    // The features need neither the model nor, since labels are shared, another copy of these.
    expect((await samplesOf(features, [CLASSES])).length).toBe(SAMPLES * CLASSES);
    features.dispose();
  });

  it("maps labels, columns by name, and more rows than a batch of the map has", async () => {
    const rows = 300;
    const [left, right] = [randomArray(rows * 2, 1), randomArray(rows, 2)].map((each) => Float32Array.from(each));
    const named = await createDataset(runtime, {
      x: { left: tensor(left!, [rows, 2]), right: tensor(right!, [rows, 1]) },
      y: tensor(left!, [rows, 2]),
    });
    const mapped = await named.map({ x: { left: positive() }, y: ["negative", "x"] });
    const ends = { left: input({ shape: [2] }), right: input({ shape: [1] }) };
    const both = model({
      inputs: ends,
      outputs: { left: positive()(ends.left), right: rescaling({ scale: 1 })(ends.right) },
    });
    await both.compile({ runtime });
    const predicted = await both.predict(mapped);
    expect([...predicted.left.data]).toEqual([...left!].map((value) => Math.max(value, 0)));
    expect([...predicted.right.data]).toEqual([...right!]);
    const label = mapped.columns.find(({ role }) => role === "label")!;
    expect(label).toMatchObject({ shape: [2], dtype: "f32", name: undefined });
    const lone = await createDataset(runtime, { x: { buffer: label.buffer, shape: [rows, 2] } });
    expect(await samplesOf(lone, [2])).toEqual([...left!].map((value) => -value));
    for (const each of [lone, mapped, named, both]) each.dispose();
  });

  it("outlives its source where it shares no column with it, and only there", async () => {
    const source = await createDataset(runtime, { x: tensor(bytes, [SAMPLES, INPUTS]), y: labels });
    const bare = await createDataset(runtime, { x: tensor(bytes, [SAMPLES, INPUTS]) });
    const [shared, alone] = [await source.map({ x: positive() }), await bare.map({ x: positive() })];
    for (const each of [source, bare]) each.dispose();
    expect(() => shared.assertLive()).toThrow(/The data set was disposed/);
    expect(await samplesOf(alone)).toEqual([...bytes]);
    for (const each of [shared, alone]) each.dispose();
  });

  it("has the identity of its source and of what it was mapped by", async () => {
    const ids = [dataset, await dataset.map({ x: positive() }), await dataset.map({ x: rescaling({ scale: 2 }) })];
    expect(new Set(ids.map(({ identity }) => identity)).size).toBe(3);
    const again = await dataset.map({ x: positive() });
    expect(again.identity).toBe(ids[1]!.identity);
    for (const each of [...ids.slice(1), again]) each.dispose();
  });

  it("is as in predict: augmentation passes images on", async () => {
    const images = await createDataset(runtime, { x: tensor(bytes.slice(0, 36), [3, 3, 4, 1]) });
    const mapped = await images.map({ x: randomFlip() });
    expect(await samplesOf(mapped, [3, 4, 1])).toEqual([...bytes.slice(0, 36)]);
    for (const each of [mapped, images]) each.dispose();
  });

  it.each<[mapping: () => unknown, message: string | RegExp]>([
    [() => ({}), "map: name a column to map: map({ x: ... })."],
    [() => ({ z: positive() }), 'map has no option "z"'],
    [() => ({ x: { left: positive() } }), 'map: x: there is no column "left". It has: one without a name.'],
    [() => ({ x: [] }), "map: x must be an expression, a layer, a list of layers or a compiled model"],
    [() => ({ x: ["multiply", "x"] }), /expression/],
    [() => ({ x: dense({ units: 2, inputShape: [5] }) }), "The model takes [5] a sample, got [3]."],
    [() => ({ x: sequential([dense({ units: 2 })]) }), "await model.compile() first"],
    [() => positive(), "map must be given an object of options, got a function"],
  ])("refuses %o, and leaves nothing behind", async (mapping, message) => {
    const before = runtime.memory.bytes;
    await expect(dataset.map(mapping() as never)).rejects.toThrow(message);
    expect(runtime.memory.bytes).toBe(before);
  });

  it("refuses a model of two outputs, and one of another runtime", async () => {
    const x = input({ shape: [INPUTS] });
    const two = model({ inputs: x, outputs: { a: positive()(x), b: positive()(x) } });
    await two.compile({ runtime });
    await expect(dataset.map({ x: two })).rejects.toThrow('map: x must be a model of one output, got "a, b".');
    const elsewhere = sequential([positive()]);
    await elsewhere.compile();
    await expect(dataset.map({ x: elsewhere })).rejects.toThrow("The data set is on another runtime than the model.");
    for (const each of [two, elsewhere]) each.dispose();
  });
});

describe("a data set in batches", () => {
  it("says how many samples a step has, and refuses another number", async () => {
    const batched = dataset.take(11).batch(4);
    expect([batched.size, batched.batchSize]).toEqual([11, 4]);
    const [got, want] = [await compiled(), await compiled()];
    const { history } = await got.fit(batched, { epochs: 2, verbose: 0, validationData: batched });
    const wanted = { batchSize: 4, epochs: 2, verbose: 0, validationData: dataset.take(11) } as const;
    expect(history).toEqual((await want.fit(dataset.take(11), wanted)).history);
    expect(await got.evaluate(batched)).toEqual(await want.evaluate(dataset.take(11), { batchSize: 4 }));
    expect(await got.predict(batched, { batchSize: 4 })).toEqual(await want.predict(dataset.take(11)));
    const other = { batchSize: 8, verbose: 0 } as const;
    const refused = "batchSize is 4, that of the data set's batch(), got 8. Leave it out.";
    await expect(got.fit(batched, other)).rejects.toThrow(`fit: ${refused}`);
    await expect(got.evaluate(batched, { batchSize: 8 })).rejects.toThrow(`evaluate: ${refused}`);
    await expect(got.predict(batched, { batchSize: 8 })).rejects.toThrow(`predict: ${refused}`);
    for (const each of [batched, got, want]) each.dispose();
  });

  it("goes on where it stopped, and is recorded in its batches", async () => {
    const batched = dataset.batch(5);
    const [got, want] = [await compiled(), await compiled()];
    await want.fit(batched, { epochs: 2, verbose: 0 });
    await got.fit(batched, { epochs: 1, verbose: 0 });
    await got.fit(batched, { epochs: 2, resume: true, verbose: 0 });
    expect(await allWeights(got)).toEqual(await allWeights(want));
    const training = await createTrainingRecorder(got, batched);
    expect(training.batchSize).toBe(5);
    training.dispose();
    for (const each of [batched, got, want]) each.dispose();
  });

  it("leaves the rest out if asked, and is divided no further", async () => {
    const batched = dataset.batch(5, { dropRemainder: true });
    expect(batched.size).toBe(10);
    expect(await samplesOf(batched)).toEqual([...bytes.slice(0, 30)]);
    const mapped = await batched.map({ x: positive() });
    expect([mapped.size, mapped.batchSize]).toEqual([10, 5]);
    const why =
      "The samples are in batches of 5: take, skip, shuffle, split, repeat, concat and zip come before batch().";
    for (const divide of [
      () => batched.take(1),
      () => batched.shuffle(),
      () => batched.repeat(2),
      () => batched.batch(2),
      () => dataset.concat(batched),
      () => dataset.zip(batched),
    ])
      expect(divide).toThrow(why);
    expect(() => dataset.batch(14, { dropRemainder: true })).toThrow("of 13 samples no batch of 14 can be made");
    expect(() => dataset.batch(0)).toThrow("batch: size must be");
    mapped.dispose();
  });
});
