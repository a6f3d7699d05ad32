import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import {
  type Callback,
  classWeights,
  createRuntime,
  dense,
  input,
  model,
  type Runtime,
  type StreamBatch,
  sequential,
  sgd,
  stream,
  tensor,
} from "../../src/index.ts";
import { Ledger } from "../support/ledger.ts";
import { allWeights } from "../support/models.ts";

import { batchesOf, CLASSES, compiledOn, INPUTS, joined, later, sync } from "../support/streams.ts";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime();
});
afterAll(() => runtime.dispose());
afterEach(() => vi.restoreAllMocks());

const compiled = () => compiledOn(runtime);
const quiet = { verbose: 0 } as const;

describe("fit on a stream", () => {
  const batches = batchesOf(4, 4, 4, 3);

  it.each<[string, () => Parameters<typeof stream>[0]]>([
    ["a generator function", () => () => sync(batches)],
    ["an async generator function", () => () => later(batches)],
    ["an iterable", () => ({ [Symbol.iterator]: () => sync(batches) as Iterator<StreamBatch> })],
  ])("of %s computes what fit on arrays does, epoch by epoch", async (_, source) => {
    const [got, want] = [await compiled(), await compiled()];
    const { x, y } = joined(batches);
    const arrays = await want.fit(x, y, { ...quiet, batchSize: 4, epochs: 3, shuffle: false });
    const { history, epoch } = await got.fit(stream(source()), { ...quiet, epochs: 3 });
    expect({ history, epoch }).toEqual({ history: arrays.history, epoch: arrays.epoch });
    expect(await allWeights(got)).toEqual(await allWeights(want));
    for (const disposable of [got, want]) disposable.dispose();
  });

  it("of one generator takes so many steps an epoch, goes on in the next call, and reads nothing ahead of it", async () => {
    const all = batchesOf(4, 4, 4, 4, 4, 4, 4);
    const [got, want] = [await compiled(), await compiled()];
    let made = 0;
    const counted = (function* () {
      for (const batch of sync(all)) {
        made++;
        yield batch;
      }
    })();
    const [first, second] = [await got.fit(stream(counted), { ...quiet, stepsPerEpoch: 2, epochs: 2 }), made];
    expect(second).toBe(4);
    const rest = await got.fit(stream(counted), { ...quiet, stepsPerEpoch: 3 });
    const losses: number[] = [];
    for (const part of [all.slice(0, 2), all.slice(2, 4), all.slice(4)]) {
      const { x, y } = joined(part);
      losses.push(...(await want.fit(x, y, { ...quiet, batchSize: 4, shuffle: false })).history.loss);
    }
    expect([...first.history.loss, ...rest.history.loss]).toEqual(losses);
    expect(await allWeights(got)).toEqual(await allWeights(want));
    for (const disposable of [got, want]) disposable.dispose();
  });

  it("takes weights, of samples and classes, and validates arrays and streams", async () => {
    const weights = batches.map(({ x }) => Array.from({ length: x.shape[0]! }, (_, i) => 0.5 + i));
    const held = batchesOf(5, 2).map((batch, i) => ({ ...batch, at: i }));
    const whole = joined(held);
    const classWeight = classWeights({ 0: 2, 2: 0.25 });
    const [one, two, want] = [await compiled(), await compiled(), await compiled()];
    const { x, y } = joined(batches);
    const options = { ...quiet, epochs: 2, classWeight, validationBatchSize: 5 };
    const validationData = [whole.x, whole.y] as const;
    const arrays = await want.fit(x, y, {
      ...options,
      batchSize: 4,
      shuffle: false,
      sampleWeight: weights.flat(),
      validationData,
    });
    const source = stream(() => sync(batches, weights));
    const got = await one.fit(source, { ...options, validationData });
    expect(got.history).toEqual(arrays.history);
    const both = await two.fit(source, { ...options, validationData: stream(() => later(held)) });
    expect(both.history).toEqual(arrays.history);
    // Each validation takes the same steps from the beginning.
    const three = await compiled();
    await three.setWeights(await want.getWeights());
    const few = await three.fit(x, y, {
      ...quiet,
      epochs: 2,
      batchSize: 15,
      validationData: stream(() => sync(held)),
      validationSteps: 1,
    });
    const [firstHeld] = held;
    expect((await three.evaluate(firstHeld!.x, firstHeld!.y)).loss).toBe(few.history.val_loss![1]);
    expect(await allWeights(one)).toEqual(await allWeights(want));
    for (const disposable of [one, two, three, want]) disposable.dispose();
  });

  it("once warm, makes nothing: a submit and the writes of its batch for each step, and one read an epoch", async () => {
    const model = await compiled();
    const take = (count: number) => stream(() => sync(Array.from({ length: count }, (_, i) => batches[i % 3]!)));
    await model.fit(take(4), quiet);
    const ledger = new Ledger(runtime.device);
    await model.fit(take(5), quiet);
    const few = ledger.take();
    await model.fit(take(37), quiet);
    const many = ledger.take();
    ledger.stop();
    const cost = Object.fromEntries(Object.entries(many).map(([name, n]) => [name, n - few[name as keyof typeof few]]));
    expect(cost).toMatchObject({
      createBuffer: 0,
      createBindGroup: 0,
      createShaderModule: 0,
      createComputePipelineAsync: 0,
      submit: 32,
      beginComputePass: 32,
      writeBuffer: 2 * 32, // samples and labels
    });
    expect(cost.mapAsync).toBeLessThanOrEqual(32 / 16);
    // Three slots of four buffers: samples, labels, order, start. One more for what looks for a NaN at the end.
    expect([few.createBuffer, many.createBuffer]).toEqual([13, 13]);
    model.dispose();
  });

  it("makes the next batch while the GPU works on one, and copies it before another is asked for", async () => {
    const [got, want] = [await compiled(), await compiled()];
    const all = batchesOf(4, 4, 4, 4, 4, 4);
    const shared = new Float32Array(4 * INPUTS); // used again for each batch
    function* reusing() {
      for (const { x, y } of all) {
        shared.set(x.data);
        yield [tensor(shared, [4, INPUTS]), y] as StreamBatch;
      }
      shared.fill(Number.NaN);
    }
    await got.fit(stream(reusing()), quiet);
    const { x, y } = joined(all);
    await want.fit(x, y, { ...quiet, batchSize: 4, shuffle: false });
    expect(await allWeights(got)).toEqual(await allWeights(want));
    for (const disposable of [got, want]) disposable.dispose();
  });

  it("takes larger batches than the first, and a model that does not know its inputs", async () => {
    const sizes = batchesOf(2, 7, 3, 9, 1);
    const [got, want] = [
      sequential([dense({ units: CLASSES, activation: "softmax" })]),
      sequential([dense({ units: CLASSES, activation: "softmax" })]),
    ];
    const settings = { loss: "sparseCategoricalCrossentropy", optimizer: sgd({ learningRate: 0.5 }), runtime } as const;
    for (const model of [got, want]) await model.compile(settings);
    await got.fit(stream(sync(sizes)), quiet);
    for (const { x, y } of sizes) await want.trainOnBatch(x, y);
    expect(await allWeights(got)).toEqual(await allWeights(want));
    for (const disposable of [got, want]) disposable.dispose();
  });

  it("of several inputs and outputs takes them by name", async () => {
    const [a, b] = [input({ shape: [INPUTS], name: "a" }), input({ shape: [INPUTS], name: "b" })];
    const head = dense({ units: CLASSES, activation: "softmax", name: "head" });
    const two = model({ inputs: { a, b }, outputs: { left: head(a), right: head(b) } });
    await two.compile({ loss: "sparseCategoricalCrossentropy", optimizer: sgd(), runtime });
    const source = () => batches.map(({ x, y }) => ({ x: { a: x, b: x }, y: { left: y, right: y } })).values();
    const { history } = await two.fit(stream(source as never), quiet);
    expect(history.left_loss).toEqual(history.right_loss);
    const { left, right } = (await two.predict(stream(source as never))) as Record<
      "left" | "right",
      { data: Float32Array }
    >;
    expect(left.data).toEqual(right.data);
    two.dispose();
  });
});

describe("evaluate and predict on a stream", () => {
  it("give what they give for all samples, for so many steps too, and make nothing in a steady step", async () => {
    const all = batchesOf(4, 4, 4, 2);
    const model = await compiled();
    const { x, y } = joined(all);
    const [figures, rows] = [await model.evaluate(x, y, { batchSize: 4 }), await model.predict(x, { batchSize: 4 })];
    expect(await model.evaluate(stream(() => sync(all)))).toEqual(figures);
    const got = await model.predict(stream(() => later(all)));
    expect(got).toEqual(rows);
    const two = joined(all.slice(0, 2));
    expect(await model.evaluate(stream(sync(all)), { steps: 2 })).toEqual(
      await model.evaluate(two.x, two.y, { batchSize: 4 }),
    );
    const bare = stream(() => all.map(({ x }) => x).values());
    expect((await model.predict(bare, { steps: 2 })).data).toEqual(rows.data.slice(0, 8 * CLASSES));
    const ledger = new Ledger(runtime.device);
    const cost = async (count: number) => {
      ledger.take();
      await model.predict(stream(() => Array.from({ length: count }, (_, i) => all[i % 3]!.x).values()));
      return ledger.take();
    };
    const [few, many] = [await cost(4), await cost(20)];
    ledger.stop();
    expect(many.createBuffer).toBe(few.createBuffer);
    expect(many.createBindGroup).toBe(few.createBindGroup);
    expect([many.submit - few.submit, many.writeBuffer - few.writeBuffer]).toEqual([16, 16]);
    const seen: string[] = [];
    const callbacks: Callback[] = [
      {
        onPredictBegin: () => void seen.push("begin"),
        onPredictBatchEnd: (batch) => void seen.push(`batch ${batch}`),
        onPredictEnd: () => void seen.push("end"),
        onTestEnd: ({ loss }) => void seen.push(`test ${loss}`),
      },
    ];
    await model.predict(bare, { callbacks });
    await model.evaluate(
      stream(() => sync(all)),
      { callbacks },
    );
    expect(seen).toEqual(["begin", ...[0, 1, 2, 3].map((i) => `batch ${i}`), "end", `test ${figures.loss}`]);
    model.dispose();
  });
});
