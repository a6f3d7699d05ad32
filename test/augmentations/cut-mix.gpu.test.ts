import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  conv2d,
  createRuntime,
  cutMix,
  dense,
  flatten,
  globalAveragePooling2d,
  input,
  meanSquaredError,
  model,
  oneHot,
  type Runtime,
  sequential,
  sgd,
  sparseCategoricalCrossentropy,
  tensor,
} from "../../src/index.ts";
import { cutRows, mixDraws, mixRows } from "../reference/mix.ts";
import { randomIntegers } from "../reference/random.ts";
import { draws } from "../reference/random-numbers.ts";
import { expectClose } from "../support/compare.ts";
import { allWeights, noise } from "../support/models.ts";
import { tolerances } from "../support/tolerances.ts";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime();
});
afterAll(() => runtime.dispose());

const [ROWS, HEIGHT, WIDTH, CHANNELS, CLASSES] = [6, 7, 5, 3, 4];
const shape = [ROWS, HEIGHT, WIDTH, CHANNELS] as const;
const optimizer = () => sgd({ learningRate: 0.5 });
const { x, y } = noise(ROWS, [HEIGHT, WIDTH, CHANNELS], CLASSES, 3);
const masks = Float32Array.from(randomIntegers(ROWS * HEIGHT * WIDTH, 9, CLASSES));

/** Partners, shares and places of the first step. */
function firstDraws(seed: number, low = 0, high = 1) {
  const own = { low: low + 1e-6, high: high + 1e-6, seed, node: "cutMix/mixDraws", step: 0 };
  const places = draws(2 * ROWS, { distribution: "uniform", seed, node: "cutMix/random", step: 0 });
  return { ...mixDraws({ batch: ROWS, rows: ROWS, ...own }), draws: [...places] };
}

describe("cutMix in a model", () => {
  it("cuts masks of class numbers as it cuts images", async () => {
    const made = () =>
      sequential([conv2d({ filters: CLASSES, kernelSize: 1, activation: "softmax", inputShape: shape.slice(1) })]);
    const settings = { loss: sparseCategoricalCrossentropy({ ignoreClass: 2 }), runtime, seed: 1 };
    const [mixed, plain] = [made(), made()];
    await mixed.compile({ ...settings, optimizer: optimizer(), augment: [cutMix({ seed: 4 })] });
    await plain.compile({ ...settings, optimizer: optimizer() });
    const of = firstDraws(4);
    const images = Float32Array.from(cutRows(x.data, shape, of));
    const labels = Float32Array.from(cutRows(masks, [ROWS, HEIGHT, WIDTH, 1], of));
    expect(images).not.toEqual(x.data);
    const mask = [ROWS, HEIGHT, WIDTH];
    const [got, want] = [
      await mixed.trainOnBatch(x, tensor(masks, mask)),
      await plain.trainOnBatch(tensor(images, shape), tensor(labels, mask)),
    ];
    expect(got).toEqual(want);
    expect(await allWeights(mixed)).toEqual(await allWeights(plain));
    for (const each of [mixed, plain]) each.dispose();
  });

  it("mixes class numbers by the shares of the images, and leaves what it only looks at", async () => {
    const made = () =>
      sequential([flatten({ inputShape: shape.slice(1) }), dense({ units: CLASSES, activation: "softmax" })]);
    const [mixed, plain] = [made(), made()];
    const settings = { optimizer: optimizer(), runtime, seed: 1 };
    const augment = [cutMix({ factor: [0.5, 0.9] })];
    await mixed.compile({ ...settings, loss: "sparseCategoricalCrossentropy", augment });
    await plain.compile({ ...settings, loss: "categoricalCrossentropy" });
    expect(await mixed.predict(x)).toEqual(await plain.predict(x));
    const of = firstDraws(0, 0.5, 0.9);
    const images = tensor(Float32Array.from(cutRows(x.data, shape, of)), shape);
    const rows = mixRows(oneHot([...y.data], CLASSES).data, of.partners, of.weights);
    await mixed.trainOnBatch(x, y);
    await plain.trainOnBatch(images, tensor(Float32Array.from(rows), [ROWS, CLASSES]));
    const [got, want] = [await allWeights(mixed), await allWeights(plain)];
    expectClose(got.flat(), want.flat(), tolerances.mixedSteps, "weights");
    for (const each of [mixed, plain]) each.dispose();
  });

  it("refuses labels that are images of another size, and inputs that are no images of one size", async () => {
    const image = input({ shape: [4, 6, 1], name: "image" });
    const small = conv2d({ filters: 2, kernelSize: 3, name: "small" })(image);
    const place = input({ shape: [2], name: "place" });
    const settings = { optimizer: optimizer(), runtime, augment: [cutMix()] };
    await expect(
      model({ inputs: image, outputs: small }).compile({ ...settings, loss: meanSquaredError() }),
    ).rejects.toThrow(
      'cutMix cuts images [batch, height, width, channels] of 4 x 6, but labels of output "small" is [batch, 2, 4, 2].',
    );
    const two = model({
      inputs: [image, place],
      outputs: { a: globalAveragePooling2d()(image), b: dense({ units: 1 })(place) },
    });
    await expect(two.compile({ ...settings, loss: meanSquaredError() })).rejects.toThrow(
      'of 4 x 6, but input "place" is [batch, 2]. mixUp() mixes any numbers.',
    );
  });
});
