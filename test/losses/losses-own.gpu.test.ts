import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  createDataset,
  createRuntime,
  dense,
  flatten,
  type Runtime,
  sequential,
  sgd,
  tensor,
} from "../../src/index.ts";
import { randomArray } from "../reference/random.ts";
import { expectClose } from "../support/compare.ts";
import { Ledger } from "../support/ledger.ts";
import { allWeights } from "../support/models.ts";
import { squaredError } from "../support/squared-error.ts";
import { tolerances } from "../support/tolerances.ts";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime();
});
afterAll(() => runtime.dispose());

const settings = () => ({ loss: squaredError(), optimizer: sgd({ learningRate: 0.05 }), runtime });
const line = () => sequential([dense({ units: 1, inputShape: [3] })]);

/** The mean squared error of one output, in float64. */
async function errorOf(model: ReturnType<typeof line>, x: ArrayLike<number>, t: readonly number[]): Promise<number> {
  const [kernel, bias] = await model.getWeights();
  const errors = t.map((label, r) => {
    const y = [0, 1, 2].reduce((sum, i) => sum + x[r * 3 + i]! * kernel!.data[i]!, bias!.data[0]!);
    return (y - label) ** 2;
  });
  return errors.reduce((a, b) => a + b) / errors.length;
}

describe("a loss of floats, of one output", () => {
  const x = randomArray(7 * 3, 1);
  const samples = tensor(x, [7, 3]);

  it.each([
    ["fractions", [0.5, -1, 2, 0.25, 3, -0.75, 1]],
    ["whole numbers", [3, 0, 2, 1, 7, 4, 5]],
  ])("takes %s, from arrays and from a data set, to the same bits", async (_, labels) => {
    const [one, two] = [line(), line()];
    await one.compile(settings());
    await two.compile(settings());
    const { loss } = await one.evaluate(samples, labels, { batchSize: 4 });
    expectClose([loss], [await errorOf(one, x, labels)], tolerances.lossCurve, "loss");
    const dataset = await createDataset(runtime, { x: samples, y: labels });
    const options = { batchSize: 4, epochs: 3, verbose: 0 } as const;
    const [first, second] = [await one.fit(samples, labels, options), await two.fit(dataset, options)];
    expect(first.history).toEqual(second.history);
    expect(first.history.loss.at(-1)!).toBeLessThan(first.history.loss[0]!);
    expect(await allWeights(one)).toEqual(await allWeights(two));
    for (const disposable of [one, two, dataset]) disposable.dispose();
  });

  it("once warm, makes nothing in trainOnBatch, whatever its labels are", async () => {
    const model = line();
    await model.compile(settings());
    const batches = [[0, 1, 2, 3, 4, 5, 6].map((i) => i / 2), [3, 0, 2, 1, 7, 4, 5], [-1, 0, 2, 1, 7, 4, 5]];
    await model.trainOnBatch(samples, batches[0]!);
    const ledger = new Ledger(runtime.device);
    for (const labels of batches) await model.trainOnBatch(samples, labels);
    const none = { createBuffer: 0, createBindGroup: 0, createShaderModule: 0, createComputePipelineAsync: 0 };
    expect(ledger.take()).toMatchObject({ ...none, submit: 3 });
    ledger.stop();
    model.dispose();
  });
});

it("a loss may take labels of several axes, and says so of others", async () => {
  const model = sequential([flatten({ inputShape: [2, 2, 1] }), dense({ units: 4 })]);
  await model.compile(settings());
  const x = tensor(randomArray(12, 1), [3, 2, 2, 1]);
  await expect(model.fit(x, tensor(randomArray(12, 2), [3, 2, 2]), { verbose: 0 })).rejects.toThrow(
    /loss "squaredError" takes labels of \[batch, 4\], got \[batch, 2, 2\]/,
  );
  const { history } = await model.fit(x, tensor(randomArray(12, 2), [3, 4]), { verbose: 0, epochs: 2 });
  expect(history.loss[1]!).toBeLessThan(history.loss[0]!);
  model.dispose();
});
