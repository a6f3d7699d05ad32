import { describe, expect, it } from "vitest";
import type { Metric } from "../../src/index.ts";
import { lossNamed } from "../../src/losses/losses.ts";
import { accuracy } from "../../src/metrics/accuracy.ts";
import { meanLayout } from "../../src/ops/batch/means.ts";
import { Measures } from "../../src/program/measures.ts";
import { failure } from "../support/building.ts";

const loss = lossNamed("categoricalCrossentropy");
/** Counts of each class, and the largest weight seen. */
const spread: Metric = {
  name: "spread",
  accumulators: (output) => [
    { name: "counts", shape: output, dtype: "u32" },
    { name: "largest", shape: [1] },
  ],
  call: () => undefined,
  result: ({ counts, largest }) => [...counts!].reduce((a, b) => a + b, 0) * largest![0]!,
};

const output = (name: string, metrics: readonly Metric[], weight = 1) => ({
  name,
  index: ["parity", "a_b"].includes(name) ? 1 : 0,
  loss,
  weight,
  metrics,
});
const shape = (name: string, ...sizes: number[]) => ({ name, shape: sizes, value: 0 });

interface Mean {
  readonly sum: number;
  readonly samples: number;
  readonly badStep?: number;
}

/** What the GPU holds: means, then the accumulators of metrics of one's own. */
function bytesOf(means: readonly Mean[], ...own: readonly (Uint32Array | Float32Array)[]): ArrayBuffer {
  const { fields, bytes } = meanLayout();
  const parts = means.map(({ sum, samples, badStep = 0 }) => {
    const view = new DataView(new ArrayBuffer(bytes));
    // In two parts, whose sum is more exact than 32 bits.
    const high = Math.fround(sum);
    view.setFloat32(fields.sum_high.word * 4, high, true);
    view.setFloat32(fields.sum_low.word * 4, sum - high, true);
    view.setUint32(fields.samples.word * 4, samples, true);
    view.setUint32(fields.bad_step.word * 4, badStep, true);
    return new Uint8Array(view.buffer);
  });
  const all = [
    ...parts,
    ...own.map(({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength)),
  ];
  const joined = new Uint8Array(all.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of all) {
    joined.set(part, at);
    at += part.length;
  }
  return joined.buffer;
}

describe("the measures of one output", () => {
  const measures = new Measures([output("dense", [accuracy()])], { outputs: [shape("dense", 3)], layers: [] });

  it("are means, by Keras's names", () => {
    const figures = measures.decode(
      bytesOf([
        { sum: 10, samples: 4 },
        { sum: 3, samples: 4 },
      ]),
    );
    expect(figures).toEqual({ logs: { loss: 2.5, accuracy: 0.75 }, samples: 4, badStep: 0 });
    expect(Object.keys(figures.logs)).toEqual(["loss", "accuracy"]);
  });

  it("keep what a sum of 32 bits would lose", () => {
    const sum = 2 ** 24 + 0.5;
    expect(
      measures.decode(
        bytesOf([
          { sum, samples: 2 },
          { sum: 0, samples: 2 },
        ]),
      ).logs.loss,
    ).toBe(sum / 2);
  });

  it("say the first step whose loss was not finite", () => {
    const bad = [
      { sum: Number.NaN, samples: 4, badStep: 17 },
      { sum: 2, samples: 4 },
    ];
    expect(measures.decode(bytesOf(bad))).toEqual({
      logs: { loss: Number.NaN, accuracy: 0.5 },
      samples: 4,
      badStep: 17,
    });
  });

  it("are NaN where nothing was read", () => {
    expect(measures.none()).toEqual({ logs: { loss: Number.NaN, accuracy: Number.NaN }, samples: 0, badStep: 0 });
  });

  it("lie in one variable", () => {
    expect(measures.variables).toEqual([
      { path: "means", shape: [2 * meanLayout().words], dtype: "u32", role: "metric", trainable: false },
    ]);
  });
});

describe("the measures of several outputs", () => {
  const measures = new Measures([output("digit", [spread, accuracy()]), output("parity", [accuracy(), spread], 0.5)], {
    outputs: [shape("digit", 3), shape("parity", 2)],
    layers: [],
  });
  const bytes = (badSteps: readonly number[] = [0, 0]) =>
    bytesOf(
      // Losses of both, then the metrics without accumulators.
      [
        { sum: 8, samples: 4, badStep: badSteps[0]! },
        { sum: 2, samples: 4, badStep: badSteps[1]! },
        { sum: 1, samples: 4, badStep: 3 },
        { sum: 4, samples: 4 },
      ],
      Uint32Array.of(1, 2, 3),
      Float32Array.of(0.5),
      Uint32Array.of(4, 5),
      Float32Array.of(2),
    );

  it("are the weighted sum of the losses, each loss, and each output's metrics", () => {
    const { logs } = measures.decode(bytes());
    expect(logs).toEqual({
      loss: 2.25,
      digit_loss: 2,
      parity_loss: 0.5,
      digit_spread: 3,
      digit_accuracy: 0.25,
      parity_accuracy: 1,
      parity_spread: 18,
    });
    expect(Object.keys(logs)).toEqual([
      "loss",
      "digit_loss",
      "parity_loss",
      "digit_spread",
      "digit_accuracy",
      "parity_accuracy",
      "parity_spread",
    ]);
  });

  it("have variables of their own for what metrics add up", () => {
    expect(measures.variables.map(({ path, shape, dtype }) => [path, shape, dtype])).toEqual([
      ["means", [4 * meanLayout().words], "u32"],
      ["digit_spread/counts", [3], "u32"],
      ["digit_spread/largest", [1], "f32"],
      ["parity_spread/counts", [2], "u32"],
      ["parity_spread/largest", [1], "f32"],
    ]);
  });

  it("say the first bad step of any loss, and of no metric", () => {
    expect(measures.decode(bytes()).badStep).toBe(0);
    expect(measures.decode(bytes([0, 9])).badStep).toBe(9);
    expect(measures.decode(bytes([12, 9])).badStep).toBe(9);
    const losses = (
      [
        [0, 0],
        [0, 9],
        [12, 9],
        [9, 9],
      ] as const
    ).map((steps) => measures.decode(bytes(steps)).badOutput);
    expect(losses).toEqual([undefined, "parity", "parity", "digit"]);
  });
});

it("of one of several outputs name metrics after it, and report no loss of its own, as in Keras", () => {
  const measures = new Measures([output("parity", [accuracy()])], {
    outputs: [shape("digit", 3), shape("parity", 2)],
    layers: [],
  });
  const mean = (sum: number) => ({ sum, samples: 2 });
  expect(measures.decode(bytesOf([mean(3), mean(1)])).logs).toEqual({ loss: 1.5, parity_accuracy: 0.5 });
});

it("have names of their own, or are refused", () => {
  const figure = (name: string): Metric => ({ name, call: () => undefined });
  const both = { outputs: [shape("a", 3), shape("a_b", 3)], layers: [] };
  const of = (...outputs: ReturnType<typeof output>[]) => failure(() => new Measures(outputs, both)).message;
  expect(of(output("a", [figure("b_loss")]), output("a_b", []))).toMatch(/^Two figures would be named "a_b_loss"/);
  expect(of(output("a", [figure("b_c")]), output("a_b", [figure("c")]))).toMatch(/named "a_b_c"/);
  const one = () => new Measures([output("a", [figure("val_loss")])], { outputs: [shape("a", 3)], layers: [] });
  expect(failure(one).message).toMatch(/named "val_loss"/);
});
