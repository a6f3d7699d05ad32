import { describe, it } from "vitest";
import { callLayer } from "../../../src/layers/call-layer.ts";
import { INTERNALS } from "../../../src/model/internals.ts";
import { expectKeras, type LayerCase, layerModel, numbersOf } from "../../support/keras-golden.ts";
import { GraphRun } from "../../support/run-graph.ts";
import golden from "./augmentation.json";

/** The step whose draws `augmentation.py` gives to Keras. */
const STEP = 3;

describe("Keras's augmentation, by our draws", () => {
  it.each((golden as unknown as { cases: LayerCase[] }).cases.map((one) => [one.name, one] as const))(
    "%s",
    async (name, one) => {
      const { layer } = layerModel(one)[INTERNALS].architecture.network!.layers[0]!;
      const [x] = one.inputs;
      const run = new GraphRun().step(STEP).rows(x!.shape[0]!);
      const { outputs } = callLayer(run.graph, layer, {
        name: "golden",
        inputs: [run.input("x", x!.shape, numbersOf(x!))],
        variables: {},
        training: true,
        trainable: true,
      });
      const [got] = await run.read([outputs[0]!]);
      expectKeras(got!, one.y, "forward", name);
    },
  );
});
