import { madeBy } from "../base/errors.ts";
import type { Network } from "../network/network.ts";
import type { Training } from "../training/bookmark.ts";
import type { CompiledModel } from "./compiled.ts";
import { Sequential } from "./sequential.ts";

/**
 * What functions beside the class work on.
 *
 * @throws FeaturemapError `value` for what is no model; `state` where it is not compiled, or disposed
 */
export async function insideOf(
  model: Sequential,
  where: string,
): Promise<{ readonly network: Network; readonly compiled: CompiledModel; readonly training: Training }> {
  assertModel(model, where);
  const { network, training, ready } = model.inside;
  return { network, training, compiled: await ready(where) };
}

/** @throws FeaturemapError `value` for what is no model */
export function assertModel(model: unknown, where: string): asserts model is Sequential {
  madeBy(model instanceof Sequential, model, `${where}: model`, "sequential()");
}
