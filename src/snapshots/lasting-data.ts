import { wrong } from "../base/errors.ts";
import { type ColumnInputs, copiedColumns, type DataInputs } from "../data/columns.ts";
import { isDataset } from "../data/dataset.ts";
import type { Runtime } from "../gpu/runtime.ts";
import { dataOf, type Labelled } from "../model/calls.ts";

/** Samples and labels, and weights if there are any. */
type LastingList = readonly [x: ColumnInputs, y: ColumnInputs, sampleWeight?: ColumnInputs | undefined];

/**
 * Samples and labels that outlive a device. Arrays are copied before the call returns. A function gives them for each new device,
 * without a copy. A `Dataset` that it makes on the given runtime is yours to dispose of.
 */
export type LastingData = LastingList | ((runtime: Runtime) => Labelled | Promise<Labelled>);

/**
 * Copies arrays: they are read again for each new device, and the caller may have changed them by then.
 *
 * @throws FeaturemapError `value` for what does not outlive a device
 */
export function lasting(data: LastingData, where: string): LastingData {
  if (typeof data === "function") return data;
  if (isDataset(data))
    throw wrong(where, "be [x, y], or (runtime) => createDataset(runtime, { x, y }), which outlive a device", data);
  const { x, y, sampleWeight } = dataOf(data, where, "a function that gives them") as DataInputs;
  return [
    copiedColumns(x, `${where}: x`),
    copiedColumns(y as ColumnInputs, `${where}: y`),
    sampleWeight === undefined ? undefined : copiedColumns(sampleWeight, `${where}: sampleWeight`),
  ];
}
