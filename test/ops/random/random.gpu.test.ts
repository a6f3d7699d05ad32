import { describe, expect, it } from "vitest";
import { draws } from "../../reference/random-numbers.ts";
import { expectClose } from "../../support/compare.ts";
import { GraphRun } from "../../support/run-graph.ts";
import { tolerances } from "../../support/tolerances.ts";

type Distribution = "uniform" | "normal";

async function drawn(shape: number[], distribution: Distribution, own: object = {}, step = 3): Promise<Float32Array> {
  const run = new GraphRun().step(step);
  const { y } = run.add("random", { state: run.graph.state }, { shape, distribution, seed: 5, ...own });
  return (await run.read([y!]))[0]!;
}

const SIZE = 100_000;
const mean = (values: ArrayLike<number>, of: (value: number, i: number) => number) =>
  Array.from(values, of).reduce((a, b) => a + b, 0) / values.length;

describe.each(["uniform", "normal"] as const)("random, %s", (distribution) => {
  it.each([[[1]], [[7]], [[5, 13]], [[2, 4, 8]]])("of %j follows its hash, step by step", async (shape) => {
    for (const step of [0, 70000]) {
      const size = shape.reduce((a, b) => a * b);
      const want = draws(size, { distribution, seed: 5, node: "random", step });
      const tolerance = distribution === "uniform" ? tolerances.exact : tolerances.elementwise;
      expectClose(await drawn(shape, distribution, {}, step), want, tolerance, `step ${step}`);
    }
  });

  it("has the mean, the deviation and the share of the distribution, anew in each step, node and seed", async () => {
    const sets = [
      await drawn([SIZE], distribution),
      await drawn([SIZE], distribution, {}, 4),
      await drawn([SIZE], distribution, { drawsOf: "other" }),
      await drawn([SIZE], distribution, { seed: 6 }),
    ];
    const [middle, variance, fourth] = distribution === "uniform" ? [0.5, 1 / 12, 1 / 80] : [0, 1, 3];
    // Five standard deviations of a mean of `SIZE` draws.
    const within = (of: number) => 5 * Math.sqrt(of / SIZE);
    sets.forEach((values, a) => {
      expect(Math.abs(mean(values, (v) => v) - middle)).toBeLessThan(within(variance));
      expect(Math.abs(mean(values, (v) => (v - middle) ** 2) - variance)).toBeLessThan(within(fourth - variance ** 2));
      // The share below a quarter, or below one standard deviation under the mean.
      const [limit, share] = distribution === "uniform" ? [0.25, 0.25] : [-1, 0.15865525393];
      expect(Math.abs(mean(values, (v) => (v < limit ? 1 : 0)) - share)).toBeLessThan(within(share * (1 - share)));
      // Draws of two sets, and neighbours in one, are not correlated.
      const product = (v: number, w: number) => (v - middle) * (w - middle);
      for (const other of sets.slice(a + 1))
        expect(Math.abs(mean(values, (v, i) => product(v, other[i]!)))).toBeLessThan(within(variance ** 2));
      expect(Math.abs(mean(values, (v, i) => product(v, values[i + 1] ?? middle)))).toBeLessThan(within(variance ** 2));
    });
    expect(sets[0]!.every(Number.isFinite)).toBe(true);
  });
});
