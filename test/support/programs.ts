import type { Loss } from "../../src/losses/loss.ts";
import { type LossName, lossNamed } from "../../src/losses/losses.ts";
import type { Metric } from "../../src/metrics/metric.ts";
import { type MetricName, metricNamed } from "../../src/metrics/metrics.ts";
import type { Network } from "../../src/network/network.ts";
import type { PortColumn } from "../../src/program/builder.ts";
import { Measures } from "../../src/program/measures.ts";

/** What each output of a network is trained by, the same for all: by names, or of one's own. */
export function measuresOf(
  network: Network,
  loss: LossName | Loss = "categoricalCrossentropy",
  metrics: readonly (MetricName | Metric)[] = ["accuracy"],
): Measures {
  const outputs = network.outputs.map(({ name }, index) => ({
    name,
    index,
    loss: typeof loss === "string" ? lossNamed(loss) : loss,
    weight: 1,
    metrics: metrics.map((metric) => (typeof metric === "string" ? metricNamed(metric) : metric)),
  }));
  return new Measures(outputs, network);
}

/** Columns of the network's inputs: floats or, with `dtype`, bytes. */
export function inputsOf(network: Network, kind: Partial<Pick<PortColumn, "dtype" | "scale">> = {}): PortColumn[] {
  return network.inputs.map(({ shape }, index) => ({ role: "input", index, shape, dtype: "f32", scale: 1, ...kind }));
}
