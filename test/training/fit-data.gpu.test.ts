import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  classWeights,
  createDataset,
  createRuntime,
  dense,
  input,
  model,
  oneHot,
  type Runtime,
  sequential,
  sgd,
  tensor,
} from "../../src/index.ts";
import { randomArray } from "../reference/random.ts";
import { allWeights } from "../support/models.ts";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime();
});
afterAll(() => runtime.dispose());

const [SAMPLES, INPUTS, CLASSES] = [11, 3, 4];
const numbers = randomArray(SAMPLES * INPUTS, 1);
const x = tensor(numbers, [SAMPLES, INPUTS]);
const labels = [3, 0, 2, 1, 0, 3, 2, 1, 1, 0, 2];
const sampleWeight = [1, 0, 2.5, 0.25, 3, 1, 0.5, 1, 2, 1, 1];
const rows = (from: number, to: number) => tensor(numbers.slice(from * INPUTS, to * INPUTS), [to - from, INPUTS]);
const options = { batchSize: 4, epochs: 2, verbose: 0 } as const;

async function compiled(loss = "sparseCategoricalCrossentropy") {
  const model = sequential([dense({ units: CLASSES, activation: "softmax", inputShape: [INPUTS] })]);
  await model.compile({ loss: loss as "categoricalCrossentropy", optimizer: sgd({ learningRate: 0.5 }), runtime });
  return model;
}

describe("classWeight", () => {
  const weights = { 0: 2, 2: 0.25, 3: 3 };
  const classWeight = classWeights(weights);
  const byHand = labels.map((label) => ({ 1: 1, ...weights })[label as 0]!);

  it("is to the bits a weight of samples, of class numbers and rows, of arrays and data sets", async () => {
    const want = await compiled();
    const { history } = await want.fit(x, labels, { ...options, sampleWeight: byHand, validationData: [x, labels] });
    const sparse = await compiled();
    const got = await sparse.fit(x, labels, { ...options, classWeight, validationData: [x, labels] });
    expect(got.history).toEqual(history); // validation is not weighed
    expect(await allWeights(sparse)).toEqual(await allWeights(want));
    const y = oneHot(labels, CLASSES);
    const [one, two, three] = [await compiled(), await compiled(), await compiled()];
    const dataset = await createDataset(runtime, { x, y: labels });
    await one.fit(dataset, { ...options, classWeight });
    expect(await allWeights(one)).toEqual(await allWeights(want));
    for (const model of [two, three]) {
      await model.compile({ loss: "categoricalCrossentropy", optimizer: sgd({ learningRate: 0.5 }), runtime });
    }
    await two.fit(x, y, { ...options, classWeight });
    await three.fit(x, y, { ...options, sampleWeight: byHand });
    expect(await allWeights(two)).toEqual(await allWeights(three));
    for (const disposable of [want, sparse, one, two, three, dataset]) disposable.dispose();
  });

  it("multiplies sampleWeight, a data set's too, and frees what it made", async () => {
    const product = byHand.map((weight, i) => weight * sampleWeight[i]!);
    const [want, got, set] = [await compiled(), await compiled(), await compiled()];
    await want.fit(x, labels, { ...options, sampleWeight: product });
    await got.fit(x, labels, { ...options, sampleWeight, classWeight });
    const dataset = await createDataset(runtime, { x, y: labels, sampleWeight });
    await set.fit(dataset, { ...options, classWeight });
    expect(await allWeights(set)).toEqual(await allWeights(want));
    const before = runtime.memory.bytes;
    await set.fit(dataset, { ...options, classWeight });
    expect(runtime.memory.bytes).toBe(before);
    expect(await allWeights(got)).toEqual(await allWeights(want));
    for (const disposable of [want, got, set, dataset]) disposable.dispose();
  });

  it("belongs to what a resumed fit must have again", async () => {
    const [want, got] = [await compiled(), await compiled()];
    await want.fit(x, labels, { ...options, classWeight });
    await got.fit(x, labels, { ...options, epochs: 1, classWeight });
    await expect(got.fit(x, labels, { epochs: 2, resume: true, verbose: 0 })).rejects.toThrow(
      /resume: data was .*classes/,
    );
    await got.fit(x, labels, { epochs: 2, resume: true, classWeight, verbose: 0 });
    expect(await allWeights(got)).toEqual(await allWeights(want));
    want.dispose();
    got.dispose();
  });
});

describe("validationSplit", () => {
  it("is to the bits a fit on the first samples, validated on the others, with their weights", async () => {
    const [want, got] = [await compiled(), await compiled()];
    const { history } = await want.fit(rows(0, 8), labels.slice(0, 8), {
      ...options,
      sampleWeight: sampleWeight.slice(0, 8),
      validationData: [rows(8, 11), labels.slice(8), sampleWeight.slice(8)],
    });
    const split = await got.fit(x, labels, { ...options, sampleWeight, validationSplit: 0.25 });
    expect(split.history).toEqual(history);
    expect(Object.keys(split.history)).toContain("val_loss");
    expect(await allWeights(got)).toEqual(await allWeights(want));
    for (const disposable of [want, got]) disposable.dispose();
  });

  it("takes several inputs apart, and gives way to validationData", async () => {
    const [a, b] = [input({ shape: [INPUTS], name: "a" }), input({ shape: [INPUTS], name: "b" })];
    const shared = dense({ units: CLASSES, activation: "softmax", name: "head" });
    const two = model({ inputs: { a, b }, outputs: { left: shared(a), right: shared(b) } });
    await two.compile({ loss: "sparseCategoricalCrossentropy", optimizer: sgd(), runtime });
    const y = { left: labels, right: [...labels].reverse() };
    const { history } = await two.fit({ a: x, b: x }, y, { ...options, epochs: 1, validationSplit: 0.5 });
    const late = (all: number[]) => all.slice(5);
    const held = [
      { a: rows(5, 11), b: rows(5, 11) },
      { left: late(y.left), right: late(y.right) },
    ] as const;
    expect((await two.evaluate(...held, { batchSize: 4 })).loss).toBe(history.val_loss![0]);
    const all = await two.fit({ a: x, b: x }, y, {
      ...options,
      epochs: 1,
      validationSplit: 0.9999,
      validationData: held,
    });
    expect((await two.evaluate(...held, { batchSize: 4 })).loss).toBe(all.history.val_loss![0]);
    two.dispose();
  });

  it("and classWeight are refused in words where they cannot be", async () => {
    const model = await compiled();
    const dataset = await createDataset(runtime, { x, y: labels });
    const calls: [() => Promise<unknown>, RegExp][] = [
      [
        () => model.fit(dataset, { validationSplit: 0.5 }),
        /^fit: validationSplit must be of arrays\. Divide a Dataset: dataset\.split/,
      ],
      [
        () => model.fit(x, labels, { validationSplit: 1 }),
        /^fit: validationSplit must be a finite number of at least 0/,
      ],
      [
        () => model.fit(x, labels, { validationData: [x, labels], validationSteps: 1 }),
        /^fit: validationSteps must be of a stream, got 1/,
      ],
      [() => model.fit(x, labels, { validationSplit: 0.99 }), /^fit: validationSplit of 0.99 leaves 0 of 11/],
      [
        () => model.fit(x, labels, { sampleWeight: labels.map(() => [1, 2]) }),
        /sampleWeight: weights must be .*\[11, 2\]\. Weights of steps or pixels are not taken/,
      ],
    ];
    for (const [call, message] of calls) await expect(call()).rejects.toThrow(message);
    for (const disposable of [model, dataset]) disposable.dispose();
  });
});

describe("data without a shape of its own", () => {
  it("are lists of typed arrays and of tensors, one a sample, and flat labels", async () => {
    const [want, got, tensors] = [await compiled(), await compiled(), await compiled()];
    const samples = Array.from({ length: SAMPLES }, (_, i) => numbers.slice(i * INPUTS, (i + 1) * INPUTS));
    await want.fit(x, labels, options);
    await got.fit(samples, Uint8Array.from(labels), options);
    await tensors.fit(
      samples.map((each) => tensor(each, [INPUTS])),
      Float64Array.from(labels),
      options,
    );
    expect(await allWeights(tensors)).toEqual(await allWeights(want));
    expect(await allWeights(got)).toEqual(await allWeights(want));
    expect(await got.predict(samples)).toEqual(await want.predict(x));
    for (const disposable of [want, got, tensors]) disposable.dispose();
  });
});
