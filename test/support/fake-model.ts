import { FeaturemapError, type FitOptions, type Labelled } from "../../src/index.ts";
import { Sequential } from "../../src/model/sequential.ts";
import { History } from "../../src/training/history.ts";

export const lostError = () => new FeaturemapError("lost", "The GPU device was lost (unknown).");

export type Fit = (call: { x: unknown; y: unknown; options: FitOptions<Labelled>; model: FakeModel }) => unknown;

/** A model that can lose its device. */
export interface FakeModel extends Sequential {
  steps: number;
  disposed: boolean;
  /** Loses its device, and says how that fails calls. */
  lose(): FeaturemapError;
}

/** A model whose `fit` is the test's, on the runtime of a number. */
export function fakeModel(fit: Fit, number: number): FakeModel {
  let gone: FeaturemapError | undefined;
  let tellLost = (_: unknown) => {};
  const lost = new Promise((resolve) => {
    tellLost = resolve;
  });
  const assertLive = () => {
    if (gone) throw gone;
  };
  const runtime = { device: { lost }, lost, assertLive, number };
  const model = Object.create(Sequential.prototype) as FakeModel;
  const properties = {
    runtime,
    steps: 0,
    disposed: false,
    dispose: () => {
      model.disposed = true;
    },
    lose: () => {
      gone = lostError();
      tellLost({ reason: "unknown", message: "" });
      return gone;
    },
    fit: async (x: unknown, y: unknown, options: FitOptions<Labelled>) => {
      await fit({ x, y, options, model });
      return new History();
    },
  };
  for (const [name, value] of Object.entries(properties))
    Object.defineProperty(model, name, { value, writable: true, enumerable: false });
  return model;
}
