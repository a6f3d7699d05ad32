import { describe, expect, it } from "vitest";
import { expectKeras, present } from "../../support/keras-golden.ts";
import { type InitializerCase, initialized } from "../../support/keras-initializer.ts";
import golden from "./initializers.json";

const CASES = present((golden as unknown as { cases: InitializerCase[] }).cases, initialized);
/** Deviation of a normal law of deviation 1 that is cut off at two deviations. */
const CUT = 0.87962566;

describe("Keras's initializers", () => {
  it.each(CASES.map((each) => [each.name, each] as const))("%s", (name, golden) => {
    const numbers = initialized(golden);
    if (golden.values) expectKeras(numbers, { shape: golden.shape, values: golden.values }, "forward", name);
    else if (golden.square) checkOrthogonal(numbers, golden.shape, golden.square);
    else checkLaw(numbers, golden);
  });

  it("has cases to run", () => expect(CASES.length).toBeGreaterThan(0));
});

/** Numbers drawn from Keras's law: bounds, mean, deviation, and for a normal law its tails. 5 standard errors are allowed. */
function checkLaw(numbers: Float32Array, { law, low, high, mean, deviation }: InitializerCase): void {
  const count = numbers.length;
  const uniform = law === "uniform";
  const middle = uniform ? (low! + high!) / 2 : mean!;
  const spread = uniform ? (high! - low!) / Math.sqrt(12) : deviation! * (law === "normal" ? 1 : CUT);
  const average = numbers.reduce((sum, value) => sum + value, 0) / count;
  const squares = numbers.reduce((sum, value) => sum + (value - average) ** 2, 0);
  expect(Math.abs(average - middle)).toBeLessThan((5 * spread) / Math.sqrt(count));
  expect(Math.abs(Math.sqrt(squares / count) / spread - 1)).toBeLessThan(5 / Math.sqrt(2 * count));
  const bound = uniform ? (high! - low!) / 2 : 2 * deviation!;
  const farthest = numbers.reduce((most, value) => Math.max(most, Math.abs(value - middle)), 0);
  if (law === "normal") expect(farthest).toBeGreaterThan(1.25 * bound);
  else expect(farthest).toBeLessThan(bound * (1 + 1e-6));
  expect(farthest).toBeGreaterThan(0.95 * bound);
}

/** Columns, or rows where there are fewer, at right angles and of one length. */
function checkOrthogonal(numbers: Float32Array, shape: readonly number[], square: number): void {
  const columns = shape.at(-1)!;
  const rows = numbers.length / columns;
  const [count, length] = rows >= columns ? [columns, rows] : [rows, columns];
  const at = (vector: number, i: number) => numbers[rows >= columns ? i * columns + vector : vector * columns + i]!;
  for (let a = 0; a < count; a++)
    for (let b = 0; b < count; b++) {
      let product = 0;
      for (let i = 0; i < length; i++) product += at(a, i) * at(b, i);
      expect(product).toBeCloseTo(a === b ? square : 0, 5);
    }
}
