import { describe, expect, it } from "vitest";
import {
  conv2d,
  dense,
  flatten,
  input,
  type Layer,
  model,
  randomBrightness,
  randomContrast,
  randomCrop,
  randomFlip,
  randomRotation,
  randomTranslation,
  randomZoom,
  sequential,
  sgd,
  tensor,
} from "../../../src/index.ts";
import { randomArray } from "../../reference/random.ts";
import { draws } from "../../reference/random-numbers.ts";
import { type WarpCase, warp } from "../../reference/warp.ts";
import { expectCarried, expectClose } from "../../support/compare.ts";
import { allWeights, noise } from "../../support/models.ts";
import { GraphRun, testRuntime } from "../../support/run-graph.ts";
import { tolerances } from "../../support/tolerances.ts";

const sizeOf = (shape: readonly number[]) => shape.reduce((a, b) => a * b);

/** Runs the op, or has the reference do so. */
async function run(x: ArrayLike<number>, m: readonly number[], of: WarpCase): Promise<Float32Array> {
  const { input, ...attributes } = of;
  const graph = new GraphRun();
  const made = graph.add(
    "warp",
    { x: graph.input("x", input, Array.from(x)), m: graph.input("m", [m.length / 6, 6], m) },
    attributes,
  );
  return (await graph.read([made.y!]))[0]!;
}

/** Maps that turn, zoom and shift far beyond the image, and end on no half. */
const MAPS = [
  [1, 0, 0, 0, 1, 0],
  [0.8037, -0.6011, 3.3379, 0.6011, 0.8037, -2.4423],
  [-1.3049, 0.2083, -7.1331, 0.1019, 2.4057, 9.6173],
].map((row) => row.map(Math.fround));

describe("warp", () => {
  const fills = ["reflect", "wrap", "constant", "nearest"] as const;
  it.each(fills.flatMap((fillMode) => (["nearest", "bilinear"] as const).map((by) => [fillMode, by] as const)))(
    "with %s edges and %s pixels is what the reference says",
    async (fillMode, interpolation) => {
      for (const [channels, height, width] of [
        [1, 7, 1],
        [3, 4, 9],
        [8, 5, 5],
      ] as const) {
        const of = { input: [3, 5, 7, channels], height, width, interpolation, fillMode, fillValue: 0.5 } as const;
        const x = randomArray(sizeOf(of.input), 1);
        expectClose(await run(x, MAPS.flat(), of), warp(x, MAPS.flat(), of), tolerances.warp, `${channels} channels`);
        expectClose(await run(x, MAPS[1]!, of), warp(x, MAPS[1]!, of), tolerances.warp, "one map for all");
      }
    },
  );

  it("of one pixel is that pixel", async () => {
    const of = {
      input: [1, 1, 1, 1],
      height: 2,
      width: 2,
      interpolation: "bilinear",
      fillMode: "wrap",
      fillValue: 0,
    } as const;
    expect([...(await run([3], MAPS[2]!, of))]).toEqual([3, 3, 3, 3]);
  });

  it("keeps what is not finite to the pixels that it is a part of", async () => {
    const of = {
      input: [1, 2, 4, 1],
      height: 2,
      width: 4,
      interpolation: "bilinear",
      fillMode: "constant",
      fillValue: 0,
    } as const;
    const x = [1, Number.NaN, 3, 4, Infinity, 6, 7, -Infinity];
    // Moved by one pixel, and by half a one.
    for (const shift of [1, 0.5]) {
      const m = [1, 0, shift, 0, 1, 0];
      expectCarried(await run(x, m, of), warp(x, m, of), tolerances.warp, `by ${shift}`);
    }
  });

  it("refuses other shapes", () => {
    const graph = new GraphRun();
    const [x, m] = [
      graph.input("x", [2, 2, 2, 1], new Array(8).fill(0)),
      graph.input("m", [3, 6], new Array(18).fill(0)),
    ];
    const attributes = { height: 2, width: 2, interpolation: "nearest", fillMode: "wrap", fillValue: 0 };
    expect(() => graph.add("warp", { x, m }, attributes)).toThrow(
      "and m [batch or 1, 6], got x [2, 2, 2, 1] and m [3, 6]",
    );
  });
});

describe("matrices of draws", () => {
  it("turn about the centre, then zoom and shift", async () => {
    const [rows, columns] = [65, 3];
    const u = randomArray(rows * columns, 1, 0, 1);
    const graph = new GraphRun();
    const { m } = graph.add(
      "affineMatrix",
      { draws: graph.input("draws", [rows, columns], u) },
      {
        height: 4,
        width: 9,
        angle: { low: -1, high: 1 },
        zoomX: { low: 0.5, high: 2, column: 1 },
        zoomY: { low: 0, high: 0, column: 2, kind: "sign" },
        shiftX: { low: 0, high: -4, column: 2, kind: "whole" },
      },
    );
    const [got] = await graph.read([m!]);
    const want = Array.from({ length: rows }, (_, r) => {
      const [turn, zoom, other] = [2 * u[3 * r]! - 1, 0.5 + 1.5 * u[3 * r + 1]!, u[3 * r + 2]!];
      const [cos, sin] = [Math.cos(2 * Math.PI * turn), Math.sin(2 * Math.PI * turn)];
      const [a0, a1] = [zoom * cos, -zoom * sin];
      const sign = other <= 0.5 ? -1 : 1;
      const [b0, b1] = [sign * sin, sign * cos];
      return [a0, a1, 4 - a0 * 4 - a1 * 1.5 - Math.trunc(-4 * other), b0, b1, 1.5 - b0 * 4 - b1 * 1.5];
    });
    expectClose(got!, want.flat(), tolerances.warp, "m");
  });
});

const IMAGE = [6, 5, 3];

/** All layers of augmentation, one after the other. */
const augmented = (): Layer[] => [
  randomFlip({ inputShape: IMAGE }),
  randomTranslation({ heightFactor: 0.2, widthFactor: 0.2 }),
  randomRotation({ factor: 0.1, fillMode: "constant" }),
  randomZoom({ heightFactor: 0.2 }),
  randomContrast({ factor: 0.2, valueRange: [-1, 1] }),
  randomBrightness({ factor: 0.1, valueRange: [-1, 1] }),
  randomCrop({ height: 4, width: 4 }),
];

describe("augmentation in a model", () => {
  it("trains to the same bits again, and does nothing when it only looks but crop", async () => {
    const trained = async () => {
      const made = sequential([...augmented(), flatten(), dense({ units: 3, activation: "softmax" })]);
      const runtime = await testRuntime();
      await made.compile({ loss: "sparseCategoricalCrossentropy", optimizer: sgd(), seed: 2, runtime });
      return made;
    };
    const { x, y } = noise(8, IMAGE, 3);
    const [one, other] = [await trained(), await trained()];
    const before = await one.predict(x);
    expect((await one.predict(x)).data).toEqual(before.data);
    await one.fit(x, y, { epochs: 2, batchSize: 4, stepsPerExecution: 1, verbose: 0 });
    await other.fit(x, y, { epochs: 2, batchSize: 4, stepsPerExecution: 4, verbose: 0 });
    expect(await allWeights(one)).toEqual(await allWeights(other));
    for (const each of [one, other]) each.dispose();
  });

  it("crops by a draw of the batch in training, and the middle otherwise", async () => {
    const shape = [2, 7, 9, 1];
    const x = randomArray(sizeOf(shape), 3);
    const crop = input({ shape: shape.slice(1) });
    const made = model({ inputs: crop, outputs: randomCrop({ height: 3, width: 4, name: "crop" })(crop) });
    await made.compile({ runtime: await testRuntime() });
    const { data } = await made.predict(tensor(Float32Array.from(x), shape));
    // The largest window of that shape: 6 rows of 7, all columns; its pixels are 2 by 2.25.
    const [zoomY, zoomX] = [6 / 3, 9 / 4];
    const m = [zoomX, 0, (zoomX - 1) / 2, 0, zoomY, (zoomY - 1) / 2];
    const of = { height: 3, width: 4, interpolation: "bilinear", fillMode: "nearest", fillValue: 0 } as const;
    expectClose(data, warp(x, m, { ...of, input: [2, 7, 9, 1] }), tolerances.warp, "the middle");
    made.dispose();
  });

  it("draws anew in each step", () => {
    const of = (step: number) => draws(8, { distribution: "uniform", seed: 0, node: "random_flip", step });
    expect(of(0)).not.toEqual(of(1));
  });

  it("says that nothing before it is trained, where it moves pixels", async () => {
    const made = sequential([
      conv2d({ filters: 2, kernelSize: 1, inputShape: IMAGE }),
      randomRotation({ factor: 0.1, name: "turn" }),
      flatten(),
      dense({ units: 3, activation: "softmax" }),
    ]);
    const compiled = made.compile({
      loss: "sparseCategoricalCrossentropy",
      optimizer: sgd(),
      runtime: await testRuntime(),
    });
    await expect(compiled).rejects.toThrow(/"turn.*" cannot be trained through/);
  });

  it.each<[call: () => unknown, message: string]>([
    [() => randomFlip({ mode: "sideways" as never }), 'randomFlip: mode must be one of "horizontal"'],
    [() => randomFlip()(input({ shape: [4, 4] })), "wants images [batch, height, width, channels]"],
    [() => randomTranslation({ heightFactor: 0.1 } as never), "randomTranslation: widthFactor must be a finite number"],
    [() => randomTranslation({ heightFactor: [0, 1.5], widthFactor: 0 }), "heightFactor must be from -1 to 1"],
    [() => randomRotation({ factor: [0.1] as never }), "randomRotation: factor must be a number or a pair of them"],
    [() => randomRotation({ factor: 0.1, fillMode: "mirror" as never }), "randomRotation: fillMode"],
    [() => randomZoom({ heightFactor: [-1, 0] }), "randomZoom: heightFactor must be from -0.999 to 1"],
    [() => randomContrast({ factor: -0.1 }), "randomContrast: factor must be from 0 to 1"],
    [
      () => randomBrightness({ factor: 0.1, valueRange: [1, 0] }),
      "randomBrightness: valueRange must be [lowest, highest]",
    ],
    [() => randomCrop({ height: 0, width: 3 }), "randomCrop: height must be a whole number of at least 1"],
  ])("refuses in words: %#", (call, message) => {
    expect(call).toThrow(message);
  });
});
