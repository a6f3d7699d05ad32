import { describe, it } from "vitest";
import { type Augmentation, categoricalCrossentropy, cutMix, meanSquaredError, mixUp } from "../../../src/index.ts";
import { callLayer } from "../../../src/layers/call-layer.ts";
import { INTERNALS } from "../../../src/model/internals.ts";
import type { Network } from "../../../src/network/network.ts";
import { ProgramBuilder, portKey } from "../../../src/program/builder.ts";
import type { Measures } from "../../../src/program/measures.ts";
import {
  type Drawn,
  expectKeras,
  type LayerCase,
  layerModel,
  numbersOf,
  type Part,
  type Written,
} from "../../support/keras-golden.ts";
import { GraphRun } from "../../support/run-graph.ts";
import golden from "./augmentation.json";
import mixing from "./mixing.json";

/** The step whose draws `augmentation.py` and `mixing.py` give to Keras. */
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

/** What `mixing.py` wrote of a batch. Its labels are classes, one after the other. */
interface MixingCase {
  readonly name: string;
  readonly layer: Part;
  readonly images: Drawn;
  readonly classes: number;
  readonly "images made": Written;
  readonly "labels made": Written;
  readonly masks?: Drawn;
  readonly "masks made"?: Written;
}

const MAKE: Readonly<Record<string, (config: object) => Augmentation>> = { MixUp: mixUp, CutMix: cutMix };

describe("Keras's layers that mix a batch, by our draws", () => {
  it.each((mixing as unknown as { cases: MixingCase[] }).cases.map((one) => [one.name, one] as const))(
    "%s",
    async (name, one) => {
      const { layer, images, classes, masks } = one;
      const [rows, ...shape] = images.shape as [number, ...number[]];
      const outputs = [{ name: "labels", shape: [classes] }, ...(masks ? [{ name: "masks", shape }] : [])];
      const losses = [categoricalCrossentropy(), meanSquaredError()];
      const settings = outputs.map(({ name }, index) => ({ name, index, loss: losses[index]! }));
      const network = { inputs: [{ name: "images", shape }], outputs } as unknown as Network;
      const builder = new ProgramBuilder("train", { network, capacity: rows });
      const run = new GraphRun().step(STEP).rows(rows);
      run.graph = builder.graph;
      const give = (kind: "input" | "label", index: number, shape: readonly number[], values: Float32Array) =>
        builder.rows.set(portKey(kind, index), run.input(`${kind} ${index}`, shape, values));
      give("input", 0, images.shape, numbersOf(images));
      const labels = Float32Array.from({ length: rows * classes }, (_, i) =>
        Math.floor(i / classes) % classes === i % classes ? 1 : 0,
      );
      give("label", 0, [rows, classes], labels);
      if (masks) give("label", 1, masks.shape, numbersOf(masks));
      MAKE[layer.className]!(layer.config).stage({ outputs: settings } as unknown as Measures)(builder);
      const got = await run.read([...builder.rows.values()]);
      expectKeras(got[0]!, one["images made"], "forward", `${name}: images`);
      expectKeras(got[1]!, one["labels made"], "forward", `${name}: labels`);
      if (masks) expectKeras(got[2]!, one["masks made"]!, "forward", `${name}: masks`);
    },
  );
});
