import { describe, expect, it } from "vitest";
import { loadModel, type NormalizationOptions, normalization, saveModel, sequential, tensor } from "../../src/index.ts";
import { randomArray } from "../reference/random.ts";
import { expectClose } from "../support/compare.ts";
import { testRuntime } from "../support/run-graph.ts";
import { tolerances } from "../support/tolerances.ts";

const SHAPE = [9, 3, 5];
const SIZE = 9 * 3 * 5;
const x = randomArray(SIZE, 1, 40, 60);
const data = () => tensor(Float32Array.from(x), SHAPE);

/** Normalized by plain loops; `group` names the numbers that share a mean. */
function normalized(group: (i: number) => number): number[] {
  return Array.from(x, (value, i) => {
    const all = x.filter((_, j) => group(j) === group(i));
    const mean = all.reduce((a, b) => a + b) / all.length;
    const variance = all.reduce((sum, each) => sum + (each - mean) ** 2, 0) / all.length;
    return (value - mean) / Math.sqrt(variance);
  });
}

async function predicted(options: NormalizationOptions, adapt: "whole" | "batches" | "none" = "whole") {
  const layer = normalization({ ...options, inputShape: SHAPE.slice(1) });
  if (adapt === "whole") layer.adapt(data());
  if (adapt === "batches")
    layer.adapt(
      (function* () {
        for (const [first, end] of [
          [0, 2],
          [2, 8],
          [8, 9],
        ] as const)
          yield tensor(Float32Array.from(x.subarray(first * 15, end * 15)), [end - first, 3, 5]);
      })(),
    );
  const model = sequential([layer]);
  await model.compile({ runtime: await testRuntime() });
  return { model, data: (await model.predict(data())).data };
}

describe("normalization", () => {
  it.each<[options: NormalizationOptions, group: (i: number) => number]>([
    [{}, (i) => i % 5],
    [{ axis: 1 }, (i) => Math.floor(i / 5) % 3],
    [{ axis: [-1, 1] }, (i) => i % 15],
    [{ axis: null }, () => 0],
  ])("by %o has the mean and variance of the data, also in batches", async (options, group) => {
    const want = normalized(group);
    for (const adapt of ["whole", "batches"] as const) {
      const { model, data } = await predicted(options, adapt);
      expectClose(data, want, tolerances.normalization, adapt);
      model.dispose();
    }
  });

  it("keeps what it found in a saved model, as weights that nothing trains", async () => {
    const { model, data: before } = await predicted({});
    expect((await model.getWeights()).map(({ name, shape }) => [name, shape])).toEqual([
      ["normalization/mean", [5]],
      ["normalization/variance", [5]],
    ]);
    const loaded = await loadModel(await saveModel(model), { runtime: await testRuntime() });
    expect((await loaded.predict(data())).data).toEqual(before);
    for (const each of [model, loaded]) each.dispose();
  });

  it("passes numbers on where it was not adapted, and NaN to its own place", async () => {
    const { model, data: same } = await predicted({}, "none");
    expectClose(same, x, tolerances.elementwise, "y");
    const bad = Float32Array.from({ length: 15 }, (_, i) => (i === 7 ? Number.NaN : i));
    const made = await model.predict(tensor(bad, [1, 3, 5]));
    expect([...made.data].flatMap((value, i) => (Number.isNaN(value) ? [i] : []))).toEqual([7]);
    model.dispose();
  });

  it("divides by no less than 1e-7", async () => {
    const layer = normalization({ mean: 1, variance: 0, inputShape: [1] });
    const model = sequential([layer]);
    await model.compile({ runtime: await testRuntime() });
    expect([...(await model.predict(tensor([1, 2], [2, 1]))).data]).toEqual([0, Math.fround(1e7)]);
    model.dispose();
  });

  it.each<[call: () => unknown, message: string]>([
    [() => normalization({ mean: 1 }), "be given both mean and variance, or neither"],
    [() => normalization({ mean: [1, 2], variance: 1 }), "normalization: variance must have the shape of mean"],
    [() => normalization({ mean: [[1]], variance: [[1]] }), "have at most as many axes as axis, 1"],
    [() => normalization({ mean: 1, variance: -1 }), "normalization: variance must be a finite number of at least 0"],
    [() => normalization({ axis: 0 }).adapt(data()), "not the batch's"],
    [() => normalization({ mean: 1, variance: 1 }).adapt(data()), "mean and variance were given. Leave them out."],
    [() => normalization().adapt(new Set([]) as never), "normalization: adapt must be given at least one batch"],
    [
      () => normalization().adapt(tensor([1, Number.NaN], [2, 1])),
      "be given finite numbers, whose mean and variance are",
    ],
    [
      () => sequential([normalization({ mean: [1, 2], variance: [1, 2], inputShape: [3] })]),
      "mean and variance must have the sizes of the axes, [3], got [2] for [batch, 3]",
    ],
    [
      () => {
        const layer = normalization({ inputShape: [3] });
        layer.adapt(data());
        return sequential([layer]);
      },
      'Normalization "normalization" was adapted to [5] places, but its input [batch, 3] has [3]',
    ],
  ])("refuses in words: %#", (call, message) => {
    expect(call).toThrow(message);
  });
});
