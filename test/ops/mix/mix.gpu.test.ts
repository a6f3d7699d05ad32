import { describe, expect, it } from "vitest";
import { cutRows, mixDraws, mixRows } from "../../reference/mix.ts";
import { randomArray } from "../../reference/random.ts";
import { expectCarried, expectClose } from "../../support/compare.ts";
import { GraphRun } from "../../support/run-graph.ts";
import { tolerances } from "../../support/tolerances.ts";

interface Call {
  readonly batch: number;
  readonly rows?: number;
  readonly low: number;
  readonly high?: number;
  readonly seed?: number;
  readonly step?: number;
}

async function draw({ batch, rows = batch, low, high = low, seed = 1, step = 0 }: Call) {
  const run = new GraphRun().step(step).rows(rows);
  const { partners, weights } = run.add("mixDraws", { state: run.graph.state }, { batch, low, high, seed });
  const [first, second] = await run.read([partners!, weights!]);
  return { partners: [...new Uint32Array(first!.buffer)], weights: [...second!] };
}

const sorted = (values: readonly number[]) => [...values].sort((a, b) => a - b);
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);

describe("mixDraws", () => {
  it.each([1, 7, 64, 65])("of %i rows is what the reference says", async (batch) => {
    for (const [low, high] of [
      [0.2, 0.2],
      [1e-6, 1 + 1e-6],
      [2.5, 2.5],
    ] as const) {
      const call = { batch, rows: batch, low, high, seed: 3, step: 5 };
      const [got, want] = [await draw(call), mixDraws({ ...call, node: "mixDraws" })];
      expect(got.partners).toEqual(want.partners);
      expectClose(got.weights, want.weights, tolerances.mixDraws, `Beta from ${low} to ${high}`);
      expect(sorted(got.partners)).toEqual(upTo(batch));
    }
  });

  it("finds partners among the rows in use, and none for the others", async () => {
    for (const rows of [1, 6, 9]) {
      const { partners } = await draw({ batch: 9, rows, low: 0.2 });
      expect(sorted(partners.slice(0, rows))).toEqual(upTo(rows));
      expect(partners.slice(rows)).toEqual(upTo(9).slice(rows));
      expect(partners).toEqual(
        mixDraws({ batch: 9, rows, low: 0.2, high: 0.2, seed: 1, step: 0, node: "mixDraws" }).partners,
      );
    }
  });

  it("draws of a seed and a step the same bits, and others of others", async () => {
    const call = { batch: 32, low: 0.4, seed: 2, step: 7 };
    const first = await draw(call);
    expect(await draw(call)).toEqual(first);
    for (const other of [{ seed: 3 }, { step: 8 }]) {
      const { partners, weights } = await draw({ ...call, ...other });
      expect(partners).not.toEqual(first.partners);
      expect(weights).not.toEqual(first.weights);
    }
  });

  it.each([0.05, 0.2, 1, 3])("has the moments of Beta(%d, itself), of many draws", async (a) => {
    // The whole batch in one row of invocations: partners cost its square.
    const count = 4096;
    const { weights } = await draw({ batch: count, rows: 1, low: a, seed: 11 });
    expect(weights.every((w) => w >= 0 && w <= 1)).toBe(true);
    const mean = (of: (w: number) => number) => weights.reduce((sum, w) => sum + of(w), 0) / count;
    const variance = 1 / (4 * (2 * a + 1));
    // The fourth moment about the middle: variance^2 times a kurtosis of 3 - 6 / (2 a + 3).
    const fourth = variance ** 2 * (3 - 6 / (2 * a + 3));
    // Five standard errors of each mean.
    expect(Math.abs(mean((w) => w) - 0.5)).toBeLessThan(5 * Math.sqrt(variance / count));
    const spread = Math.sqrt(Math.max(fourth - variance ** 2, 1e-12) / count);
    expect(Math.abs(mean((w) => (w - 0.5) ** 2) - variance)).toBeLessThan(5 * spread);
    expect(Math.abs(mean((w) => (w - 0.5) ** 3))).toBeLessThan(5 * Math.sqrt(0.5 ** 6 / count));
  });

  it("permutes evenly: partners are neither near their rows nor ordered as they are", async () => {
    const rows = 512;
    const { partners } = await draw({ batch: rows, low: 1, seed: 9 });
    const middle = (rows - 1) / 2;
    const variance = (rows ** 2 - 1) / 12;
    const correlation = partners.reduce((sum, p, r) => sum + (p - middle) * (r - middle), 0) / (rows * variance);
    // Its standard error is 1 / sqrt(rows - 1). The number of rows that are their own partners is near Poisson's of mean 1.
    expect(Math.abs(correlation)).toBeLessThan(4 / Math.sqrt(rows - 1));
    expect(partners.filter((p, r) => p === r).length).toBeLessThan(8);
  });
});

const PARTNERS = [2, 0, 1, 4, 3];
const WEIGHTS = [1, 0.25, 0.7, 0, 0.5].map(Math.fround);
const DRAWS = [0.3, 0.9, 0, 0.5, 0.75, 0.125, 0.6, 0.6, 0.11, 0.99].map(Math.fround);

/** Adds the partners and shares of five rows. */
function given(run: GraphRun) {
  return {
    partners: run.input("partners", [5], PARTNERS, "u32"),
    weights: run.input("weights", [5], WEIGHTS),
  };
}

describe("mixRows", () => {
  it.each([1, 7, 8, 65])("of %i numbers is what the reference says", async (size) => {
    const x = randomArray(5 * size, 1);
    const run = new GraphRun();
    const { y } = run.add("mixRows", { x: run.input("x", [5, size], x), ...given(run) });
    const [got] = await run.read([y!]);
    expectClose(got!, mixRows(x, PARTNERS, WEIGHTS), tolerances.mixRows, `${size} numbers`);
  });

  it("of a number a row, such as weights of samples, is one too", async () => {
    const x = randomArray(5, 1);
    const run = new GraphRun();
    const { y } = run.add("mixRows", { x: run.input("x", [5], x), ...given(run) });
    expectClose((await run.read([y!]))[0]!, mixRows(x, PARTNERS, WEIGHTS), tolerances.mixRows, "weights");
  });

  it("carries what is not finite into both rows, and no other", async () => {
    const x = [Number.NaN, 1, 2, 3, Infinity, 5, 6, 7, 8, -Infinity];
    const run = new GraphRun();
    const { y } = run.add("mixRows", { x: run.input("x", [5, 2], x), ...given(run) });
    expectCarried((await run.read([y!]))[0]!, mixRows(x, PARTNERS, WEIGHTS), tolerances.mixRows, "mixed");
  });
});

describe("cutRows", () => {
  it.each([
    [7, 1, 1],
    [4, 9, 3],
    [5, 5, 8],
  ] as const)("of images %i x %i x %i are the reference's bits", async (height, width, channels) => {
    const shape = [5, height, width, channels] as const;
    const x = Float32Array.from(randomArray(5 * height * width * channels, 1));
    x[3] = Number.NaN;
    const run = new GraphRun();
    const draws = run.input("draws", [5, 2], DRAWS);
    const image = run.input("x", channels === 1 ? shape.slice(0, 3) : shape, x);
    const { y } = run.add("cutRows", { x: image, ...given(run), draws });
    const [got] = await run.read([y!]);
    const want = cutRows(x, shape, { partners: PARTNERS, weights: WEIGHTS, draws: DRAWS });
    expect([...got!]).toEqual(want);
  });
});
