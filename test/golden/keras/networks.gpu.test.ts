import { describe, expect, it } from "vitest";
import { categoricalCrossentropy, sgd, tensor } from "../../../src/index.ts";
import { expectKeras, numbersOf, present } from "../../support/keras-golden.ts";
import { type NetworkCase, networkModel } from "../../support/keras-network.ts";
import { testRuntime } from "../../support/run-graph.ts";
import networks from "./networks.json";

const ALL = (networks as unknown as { cases: NetworkCase[] }).cases;

describe("Keras's networks", () => {
  it.each(present(ALL, networkModel).map((each) => [each.name, each] as const))(
    "%s, for 20 steps",
    async (name, golden) => {
      const { batch, rate } = golden;
      const model = networkModel(golden);
      const optimizer = sgd({ learningRate: rate });
      await model.compile({ loss: categoricalCrossentropy(), optimizer, runtime: await testRuntime() });
      // Keras lists layers that lie beside each other by their distance from the output, we by the order of calls.
      const names = (await model.getWeights()).map(({ name }) => name);
      const places = names.map((name) => golden.weights.findIndex((weight) => weight.name === name));
      await model.setWeights(places.map((place) => ({ data: numbersOf(golden.weights[place]!) })));
      const [x, y] = [numbersOf(golden.x), numbersOf(golden.y)];
      const rows = golden.x.shape[0]!;
      const part = (numbers: Float32Array, shape: readonly number[], first: number, count: number) => {
        const size = numbers.length / rows;
        return tensor(numbers.slice(first * size, (first + count) * size), [count, ...shape.slice(1)]);
      };
      const losses: number[] = [];
      for (const _ of golden.losses) {
        const first = (losses.length * batch) % rows;
        const [images, labels] = [part(x, golden.x.shape, first, batch), part(y, golden.y.shape, first, batch)];
        losses.push((await model.trainOnBatch(images, labels)).loss);
      }
      expectKeras(losses, { shape: [losses.length], values: golden.losses }, "networkLoss", `${name}: losses`);
      const weights = await model.getWeights();
      expect(weights.length).toBe(golden.after.length);
      weights.forEach((weight, i) => {
        expectKeras(weight.data, golden.after[places[i]!]!, "networkWeight", `${name}: ${weight.name} after the steps`);
      });
      const { loss } = await model.evaluate(part(x, golden.x.shape, 0, rows), part(y, golden.y.shape, 0, rows));
      expectKeras([loss], { shape: [1], values: [golden.evaluated] }, "networkLoss", `${name}: evaluated`);
      const { data } = await model.predict(part(x, golden.x.shape, 0, batch));
      expectKeras(data, golden.predicted, "networkWeight", `${name}: predicted`);
      model.dispose();
    },
  );

  it("are five", () => expect(ALL.map(({ name }) => name)).toEqual(["lenet", "vgg", "resnet", "mobilenet", "unet"]));
});
