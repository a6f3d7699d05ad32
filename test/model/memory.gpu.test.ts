import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createRuntime, dense, type Runtime, sequential, sgd } from "../../src/index.ts";
import { expectClose } from "../support/compare.ts";
import { allWeights, noise, smallModel } from "../support/models.ts";
import { tolerances } from "../support/tolerances.ts";

const settings = { loss: "sparseCategoricalCrossentropy", metrics: ["accuracy"] } as const;

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime();
});
afterAll(() => runtime.dispose());

/** The learning rate; for training and for looking the step's state, two means of five words and four readers of them. */
const AROUND = 4 + 2 * (20 + 40 + 4 * 40);

describe("memory", () => {
  it("is the parameters', one set of scratch for all plans, and 444 bytes; compact computes the same", async () => {
    const { x, y } = noise(24, [12, 12, 1], 5);
    const losses: number[][] = [];
    for (const memory of ["fast", "compact"] as const) {
      const model = smallModel();
      await model.compile({ ...settings, optimizer: sgd({ learningRate: 0.1 }), runtime, memory });
      const options = { batchSize: 8, verbose: 0, epochs: 2, validationData: [x, y] } as const;
      const { history } = await model.fit(x, y, options);
      losses.push([...history.loss, ...history.val_loss!]);
      await model.predict(x, { batchSize: 8 });
      const { bytes } = model.stats();
      expect(bytes.activations).toBe(model.plan!.scratchBytes);
      expect(bytes.parameters).toBe(model.countParams() * 4);
      expect(runtime.memory.bytes).toBe(bytes.parameters + bytes.activations + AROUND);
      model.dispose();
      expect(runtime.memory.bytes).toBe(0);
    }
    expectClose(losses[1]!, losses[0]!, tolerances.lossCurve, "losses");
  });

  it("of compact models is read in pieces: weights are of one moment, also while training runs", async () => {
    // 1 MB of parameters: two and more pieces.
    const wide = () => sequential([dense({ units: 52_000, activation: "softmax", inputShape: [4] })]);
    const { x, y } = noise(24, [4], 52_000);
    const optimizer = sgd({ learningRate: 0.5 });
    const after: string[] = [];
    const one = wide();
    await one.compile({ ...settings, optimizer, runtime, memory: "compact" });
    const rows = (i: number) => ({ data: x.data.subarray(i * 16, i * 16 + 16), shape: [4, 4] });
    const classes = (i: number) => ({ data: y.data.subarray(i * 4, i * 4 + 4), shape: [4] });
    const printOf = async (model: typeof one) => {
      const bits = new Uint32Array(Float32Array.from(await allWeights(model)).buffer);
      const sum = (from: number) => bits.subarray(from, from + 52_000).reduce((a, b) => (a * 31 + b) >>> 0, 0);
      return [0, 1, 2, 3, 4].map((part) => sum(part * 52_000)).join();
    };
    for (let i = 0; i < 6; i++) {
      await one.trainOnBatch(rows(i), classes(i));
      after.push(await printOf(one));
    }
    const { peakBytes } = runtime.memory;
    expect(peakBytes).toBeGreaterThan(0);

    const other = wide();
    await other.compile({ ...settings, optimizer, runtime, memory: "compact" });
    const seen: Promise<string>[] = [];
    const onTrainBatchEnd = () => void seen.push(printOf(other)); // not awaited: training goes on
    const options = { batchSize: 4, shuffle: false, verbose: 0, stepsPerExecution: 1 } as const;
    await other.fit(x, y, { ...options, callbacks: [{ onTrainBatchEnd }] });
    const prints = await Promise.all(seen);
    expect(new Set(after).size).toBe(6);
    expect(prints.length).toBeGreaterThan(3);
    for (const print of prints) expect(after).toContain(print);
    one.dispose();
    other.dispose();
  });
});
