import { describe, expect, it } from "vitest";
import { type Expression, FUNCTIONS, type FunctionName } from "../../../src/ops/pointwise/functions.ts";
import { FUNCTIONS as REFERENCE } from "../../reference/pointwise.ts";
import { randomArray } from "../../reference/random.ts";
import { expectCarried, expectClose, numericGradient } from "../../support/compare.ts";
import { GraphRun } from "../../support/run-graph.ts";
import { tolerances } from "../../support/tolerances.ts";

/** Range of each argument, within which a function has a derivative. Default: between -3 and 3. */
const RANGES: Partial<Record<FunctionName, readonly (readonly [number, number])[]>> = {
  log: [[0.01, 30]],
  log1p: [[-0.9, 30]],
  sqrt: [[0.01, 30]],
  power: [
    [0.05, 3],
    [-3, 3],
  ],
  divide: [
    [-3, 3],
    [0.3, 3],
  ],
  where: [
    [0.5, 1],
    [-3, 3],
    [-3, 3],
  ],
};

const LETTERS = ["a", "b", "c"] as const;
const SIZE = 65;
const names = Object.keys(FUNCTIONS) as FunctionName[];

describe.each(names)("%s", (name) => {
  const { arity } = FUNCTIONS[name];
  const letters = LETTERS.slice(0, arity);
  const expression = [name, ...letters] as unknown as Expression;
  const reference = REFERENCE[name];
  const args = letters.map((_, i) => randomArray(SIZE, 7 + i, ...(RANGES[name]?.[i] ?? ([-3, 3] as const))));

  it("is as in float64, and so are its derivatives, by differences of that", async () => {
    const run = new GraphRun();
    const inputs = Object.fromEntries(letters.map((letter, i) => [letter, run.input(letter, [SIZE], args[i]!)]));
    const { y } = run.add("pointwise", inputs, { expression });
    const gradients = run.gradients(y!, Object.values(inputs));
    const wanted = gradients.map((id) => id !== undefined);
    const [got, ...slopes] = await run.read([y!, ...gradients]);
    expectClose(
      got!,
      args[0]!.map((_, i) => reference(...args.map((arg) => arg[i]!))),
      tolerances.pointwise,
      name,
    );
    expect(wanted).toEqual(letters.map(() => true));
    letters.forEach((letter, i) => {
      const sum = () => args[0]!.reduce((all, _, at) => all + reference(...args.map((arg) => arg[at]!)), 0);
      expectClose(slopes[i]!, numericGradient(sum, args[i]!, 1e-6), tolerances.pointwiseGradient, `d${letter}`);
    });
  });

  it("lets a NaN through, and infinities come to what they come to", async () => {
    const special = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 1, -1, 2.5];
    const all = special.flatMap((a) => special.map((b) => [a, b, 1]));
    const used = (arity === 1 ? special.map((a) => [a]) : all).map((row) => row.slice(0, arity));
    const values = letters.map((_, i) => Float32Array.from(used, (row) => row[i]!));
    const run = new GraphRun();
    const inputs = Object.fromEntries(
      letters.map((letter, i) => [letter, run.input(letter, [used.length], values[i]!)]),
    );
    const { y } = run.add("pointwise", inputs, { expression });
    const [got] = await run.read([y!]);
    expectCarried(
      got!,
      Float64Array.from(used, (row) => reference(...row)),
      tolerances.pointwise,
      name,
    );
  });
});
