import { assertMadeBy } from "../base/errors.ts";
import type { Architecture } from "../network/architecture.ts";
import type { Network } from "../network/network.ts";
import type { Training } from "../training/bookmark.ts";
import type { CompiledModel } from "./compiled.ts";

/** Key of a model's internals. A model of another copy of the library has another key. */
export const INTERNALS = Symbol("internals");

/** Internals of a model, for the library's functions beside the class. */
export interface ModelInternals {
  readonly architecture: Architecture;
  readonly training: Training;
  /** Gives the compiled model, once its variables are there and earlier writes are done. */
  ready(where: string): Promise<CompiledModel>;
  /** @throws FeaturemapError `state` where the model was disposed, or something changes it */
  assertIdle(where: string): void;
  /** Runs a call that needs the model for itself. */
  exclusive<T>(where: string, run: () => Promise<T>): Promise<T>;
  /** Runs a write of variables, in order with others. */
  write(where: string, run: () => Promise<void>): Promise<void>;
  /** Replaces all weights. `valuesOf` is called before the promise is returned, since the arrays are the caller's. */
  setWeights(where: string, valuesOf: (network: Network) => Float32Array[]): Promise<void>;
}

export interface WithInternals {
  readonly [INTERNALS]: ModelInternals;
}

/**
 * Gives the internals of a compiled model.
 *
 * @throws FeaturemapError `value` for something that is no model; `state` if it is not compiled, or disposed
 */
export async function internalsOf(
  model: WithInternals,
  where: string,
): Promise<{ readonly network: Network; readonly compiled: CompiledModel; readonly training: Training }> {
  assertModel(model, where);
  const { training, ready } = model[INTERNALS];
  const compiled = await ready(where);
  return { network: compiled.network, training, compiled };
}

/** @throws FeaturemapError `value` for something that is no model */
export function assertModel(model: unknown, where: string): asserts model is WithInternals {
  const known = typeof model === "object" && model !== null && INTERNALS in model;
  assertMadeBy(known, model, `${where}: model`, "sequential() or model()");
}
