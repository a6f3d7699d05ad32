import { describe, it } from "vitest";
import { type LayerCase, layerModel, present } from "../../support/keras-golden.ts";
import { checkLayer } from "../../support/keras-layer.ts";
import activations from "./activations.json";
import activation from "./layers-activation.json";
import kernel from "./layers-kernel.json";
import merge from "./layers-merge.json";
import normalization from "./layers-normalization.json";
import pooling from "./layers-pooling.json";
import shape from "./layers-shape.json";

// Cases of what the library lacks are in pending.ts, and pending.test.ts holds that they are no others.
const FAMILIES = { kernel, pooling, shape, normalization, merge, activation, activations } as unknown as Record<
  string,
  { cases: LayerCase[] }
>;

describe("Keras's layers", () => {
  for (const [family, { cases }] of Object.entries(FAMILIES))
    for (const golden of present(cases, layerModel)) it(`${family}: ${golden.name}`, () => checkLayer(golden));
});
