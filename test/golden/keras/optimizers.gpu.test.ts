import { describe, expect, it } from "vitest";
import {
  adam,
  clipNorm,
  dense,
  exponentialDecay,
  finalizeVariableValues,
  globalClipNorm,
  nadam,
  nonNeg,
  type Optimizer,
  type Sequential,
  sequential,
  sgd,
  tensor,
  withEma,
  withGradientAccumulation,
} from "../../../src/index.ts";
import { type Drawn, expectKeras, numbersOf, type Written } from "../../support/keras-golden.ts";
import { testRuntime } from "../../support/run-graph.ts";
import golden from "./optimizers.json";

interface Case {
  readonly name: string;
  readonly optimizer: { readonly className: string; readonly config: Readonly<Record<string, unknown>> };
  readonly ema?: { readonly momentum: number; readonly overwriteFrequency?: number };
  readonly accumulation?: number;
  readonly clip?: { readonly clipNorm?: number; readonly globalClipNorm?: number };
  readonly constraint?: string;
  readonly x: Drawn;
  readonly y: Drawn;
  readonly batch: number;
  readonly weights: readonly Drawn[];
  readonly losses: readonly number[];
  /** First kernel after each step, and whether it is another than before. */
  readonly kernels: readonly (readonly number[])[];
  readonly changed: readonly boolean[];
  readonly after: readonly Written[];
  readonly ended: readonly Written[];
}

const CASES = (golden as unknown as { cases: readonly Case[] }).cases;
const MAKERS: Readonly<Record<string, (options: object) => Optimizer>> = { SGD: sgd, Adam: adam, Nadam: nadam };

/** Optimizer of a case; `turned`: wrapped in the other order. */
function optimizerOf({ optimizer, ema, accumulation: steps, clip = {} }: Case, turned = false): Optimizer {
  const { learningRate, ...config } = optimizer.config;
  const made = MAKERS[optimizer.className]!({
    ...config,
    learningRate:
      typeof learningRate === "number"
        ? learningRate
        : exponentialDecay((learningRate as { config: Parameters<typeof exponentialDecay>[0] }).config),
    transforms: [
      ...(clip.clipNorm ? [clipNorm(clip.clipNorm)] : []),
      ...(clip.globalClipNorm ? [globalClipNorm(clip.globalClipNorm)] : []),
    ],
  });
  const accumulating = (of: Optimizer) => (steps ? withGradientAccumulation(of, { steps }) : of);
  const averaging = (of: Optimizer) => (ema ? withEma(of, ema) : of);
  return turned ? accumulating(averaging(made)) : averaging(accumulating(made));
}

async function modelOf(of: Case, turned?: boolean): Promise<Sequential> {
  const [[inputs, hidden], , [, units]] = of.weights.map(({ shape }) => shape) as [number[], number[], number[]];
  const model = sequential([
    dense({
      units: hidden!,
      activation: "tanh",
      ...(of.constraint && { kernelConstraint: nonNeg() }),
      inputShape: [inputs!],
    }),
    dense({ units: units!, activation: "softmax" }),
  ]);
  const optimizer = optimizerOf(of, turned);
  await model.compile({ loss: "sparseCategoricalCrossentropy", optimizer, runtime: await testRuntime() });
  await model.setWeights(of.weights.map((weight) => ({ data: numbersOf(weight) })));
  return model;
}

const weightsOf = async (model: Sequential) => (await model.getWeights()).map(({ data }) => data as Float32Array);

describe("Keras's averages of weights and accumulated gradients", () => {
  it.each(CASES.map((each) => [each.name, each] as const))("%s, for ten steps", async (name, of) => {
    const { batch, weights, losses, kernels, changed } = of;
    const [x, y] = [numbersOf(of.x), numbersOf(of.y)];
    const [rows, size] = of.x.shape as [number, number];
    const model = await modelOf(of);
    let before = await weightsOf(model);
    const got: number[] = [];
    for (let first = 0; first < rows; first += batch) {
      const last = Math.min(first + batch, rows);
      const images = tensor(x.slice(first * size, last * size), [last - first, size]);
      const step = got.length;
      got.push((await model.trainOnBatch(images, tensor(y.slice(first, last), [last - first]))).loss);
      const now = await weightsOf(model);
      const kernel = { shape: weights[0]!.shape, values: kernels[step]! };
      expectKeras(now[0]!, kernel, "weight", `${name}: kernel after step ${step + 1}`);
      // Averages write weights also between updates.
      if (!changed[step] && !of.ema?.overwriteFrequency) expect(now).toEqual(before);
      before = now;
    }
    expectKeras(got, { shape: [got.length], values: losses }, "loss", `${name}: losses`);
    for (const [i, data] of before.entries()) expectKeras(data, of.after[i]!, "weight", `${name}: weights ${i}`);
    await finalizeVariableValues(model);
    const ended = await weightsOf(model);
    for (const [i, data] of ended.entries()) expectKeras(data, of.ended[i]!, "weight", `${name}: averages ${i}`);
    model.dispose();
    if (!of.ema) return;
    const twin = await modelOf(of, true);
    await twin.fit(tensor(x, [rows, size]), tensor(y, [rows]), { batchSize: batch, shuffle: false, verbose: 0 });
    const fitted = await weightsOf(twin);
    for (const [i, data] of fitted.entries()) expectKeras(data, of.ended[i]!, "weight", `${name}: fitted ${i}`);
    twin.dispose();
  });

  it("are fifteen, of either, of both, and with all that Keras mixes with them", () => {
    expect(CASES.length).toBe(15);
    expect(CASES.filter(({ ema, accumulation }) => ema && accumulation).length).toBe(4);
    expect(CASES.filter(({ changed }) => changed.includes(false)).length).toBe(10);
  });
});
