import { describe, expect, it } from "vitest";
import { weighted as byWeight, tensor } from "../../../src/index.ts";
import type { Metric } from "../../../src/metrics/metric.ts";
import { expectKeras, identityModel, numbersOf, present } from "../../support/keras-golden.ts";
import { buildMetric, buildWeighted, labelKind, labelsOnly, type MetricCase } from "../../support/keras-metric.ts";
import { metricOf } from "../../support/keras-names.ts";
import { testRuntime } from "../../support/run-graph.ts";
import metrics from "./metrics.json";

const CASES = present((metrics as unknown as { cases: MetricCase[] }).cases, buildMetric);

/** Compares a figure, or those of each class. */
function check(got: unknown, want: number | readonly number[], label: string): void {
  const values = [want].flat();
  expectKeras([got].flat() as number[], { shape: [values.length], values }, "metric", label);
}

/** Gives a metric's figure, or figures, out of logs. */
function figuresOf(logs: Readonly<Record<string, number>>, { name }: Metric): number | number[] {
  const own = Object.keys(logs).filter((key) => key.startsWith(`${name}_`));
  return logs[name] ?? own.map((key) => logs[key]!);
}

describe("Keras's metrics, over batches of which the last is short", () => {
  it.each(CASES.map((golden) => [golden.name, golden] as const))("%s", async (_, golden) => {
    const { name, output, activation, batch, value, weighted } = golden;
    const kind = labelKind(golden);
    const compiled = async (options: object) =>
      identityModel(output, activation, { loss: labelsOnly(kind), runtime: await testRuntime(), ...options });
    const metric = metricOf(golden.metric);
    const x = tensor(numbersOf(output), [...output.shape]);
    const numbers = numbersOf(golden.labels);
    const rows = output.shape[0]!;
    const y = tensor(kind.dtype === "u32" ? Uint32Array.from(numbers) : numbers, [rows, ...kind.shape]);
    const model = await compiled({ metrics: [metric] });
    const plain = await model.evaluate(x, y, { batchSize: batch });
    check(figuresOf(plain, metric), value, name);
    model.dispose();
    // pending.txt lists those that have no weights yet.
    if (weighted !== undefined && present([golden], buildWeighted).length > 0) {
      const weighing = await compiled({ metrics: [byWeight(metric)] });
      const sampleWeight = numbersOf(golden.sampleWeight);
      const logs = await weighing.evaluate(x, y, { batchSize: batch, sampleWeight });
      check(figuresOf(logs, metric), weighted, `${name}, by weights of samples`);
      weighing.dispose();
    }
  });

  it("has cases to run", () => expect(CASES.length).toBeGreaterThan(0));
});
