import { median } from "../statistics.ts";
import { table } from "../table.ts";
import type { NetworkFigures } from "./peers-turns.ts";

/** Medians in milliseconds, and what theirs are to ours; below, what failed. */
export function peerTable({ network, batch, agreement, systems }: NetworkFigures): string[] {
  const ours = systems.find(({ name }) => name === "featuremap")?.stepMs ?? [];
  const rows = systems.map(({ name, version, firstStepMs, stepMs, infer1Ms, inferBatchMs }) => [
    name,
    version,
    firstStepMs?.toFixed(0) ?? "",
    text(stepMs),
    text(infer1Ms),
    text(inferBatchMs),
    stepMs.length && ours.length ? `${(median(stepMs) / median(ours)).toFixed(2)}x` : "",
  ]);
  const failures = systems.flatMap(({ name, failed }) => (failed ? [`${name} failed: ${failed}`] : []));
  return [
    `Network "${network}", batch ${batch}: medians in ms. Of what they compute: ${agreement}.`,
    ...table(["system", "version", "first step", "step", "infer 1", `infer ${batch}`, "to ours"], rows),
    ...failures,
  ];
}

function text(samples: readonly number[]): string {
  return samples.length ? median(samples).toFixed(3) : "";
}
