import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import {
  averagePooling2d,
  conv2d,
  createRuntime,
  dense,
  depthwiseConv2d,
  FeaturemapError,
  flatten,
  globalAveragePooling2d,
  type Layer,
  maxPooling2d,
  type Runtime,
  sequential,
  sgd,
  tensor,
} from "../../src/index.ts";
import { forwardBackward, type LayerSpec, sgdStep } from "../reference/network.ts";
import { randomArray, randomIntegers } from "../reference/random.ts";
import { expectClose } from "../support/compare.ts";
import { tolerances } from "../support/tolerances.ts";

/** Networks of one run. `VITE_RANDOM_NETWORKS=2000 npx vitest run --project gpu test/model/random-networks.gpu.test.ts` runs more. */
const RUNS = Number(import.meta.env.VITE_RANDOM_NETWORKS ?? 200);
const GROUP = 8;

interface Case {
  readonly inputShape: readonly [number, number, number];
  readonly layers: readonly LayerSpec[];
  readonly rows: number;
}

type WindowSpec = Extract<LayerSpec, { kernelSize: unknown } | { poolSize?: unknown }>;

const activations = fc.constantFrom("linear", "relu", "sigmoid", "tanh", "elu", "leakyRelu", "softplus");
const upTo = (max: number) => fc.integer({ min: 1, max });
const size = (max: number) => fc.tuple(upTo(max), upTo(max));
const padding = fc.constantFrom("valid", "same");

const convolution = fc.record({
  layer: fc.constant("conv2d"),
  filters: upTo(9),
  kernelSize: size(5),
  strides: size(3),
  padding,
  activation: activations,
  useBias: fc.boolean(),
});
const depthwise = fc.record({
  layer: fc.constant("depthwiseConv2d"),
  kernelSize: size(4),
  // Keras wants equal strides here.
  strides: upTo(3),
  depthMultiplier: upTo(3),
  padding,
  activation: activations,
  useBias: fc.boolean(),
});
const pooling = fc.record({
  layer: fc.constantFrom("maxPooling2d", "averagePooling2d"),
  poolSize: size(4),
  strides: size(3),
  padding,
});
const hidden = fc.record({
  layer: fc.constant("dense"),
  units: upTo(17),
  activation: activations,
  useBias: fc.boolean(),
});

/** Dense layers that a network ends in. */
const head = fc.record({
  hidden: fc.array(hidden, { maxLength: 1 }),
  classes: fc.integer({ min: 2, max: 7 }),
});

/** Two networks that begin alike, so that the pipelines of their first layers are compiled once: nearly all time goes there. */
const cases = fc
  .record({
    inputShape: fc.tuple(upTo(12), upTo(12), upTo(5)),
    images: fc.array(
      fc.oneof(
        { weight: 2, arbitrary: convolution },
        { weight: 1, arbitrary: depthwise },
        { weight: 1, arbitrary: pooling },
      ),
      { maxLength: 3 },
    ),
    end: fc.constantFrom("flatten", "flatten", "globalAveragePooling2d"),
    heads: fc.tuple(head, head),
    rows: upTo(5),
  })
  .map(({ inputShape, images, end, heads, rows }): Case[] =>
    heads.map(({ hidden, classes }) => {
      const last = { layer: "dense", units: classes, activation: "softmax" } as const;
      return { inputShape, layers: [...images, { layer: end }, ...hidden, last] as LayerSpec[], rows };
    }),
  );

/** Tells whether each window lies within its image: by the sizes alone, as Keras says them. */
function fits({ inputShape, layers }: Case): boolean {
  let [h, w] = [inputShape[0], inputShape[1]];
  const windows = layers.filter((spec): spec is WindowSpec => "padding" in spec);
  return windows.every((spec) => {
    const [kh, kw] = ("kernelSize" in spec ? spec.kernelSize : spec.poolSize) as [number, number];
    const [sh, sw] = (typeof spec.strides === "number" ? [spec.strides, spec.strides] : spec.strides) as [
      number,
      number,
    ];
    if (spec.padding === "same") [h, w] = [Math.ceil(h / sh), Math.ceil(w / sw)];
    else [h, w] = [Math.floor((h - kh) / sh) + 1, Math.floor((w - kw) / sw) + 1];
    return h >= 1 && w >= 1;
  });
}

const MAKERS = {
  conv2d,
  depthwiseConv2d,
  maxPooling2d,
  averagePooling2d,
  globalAveragePooling2d,
  flatten,
  dense,
} as unknown as Readonly<Record<LayerSpec["layer"], (options: object) => Layer>>;

function modelOf({ inputShape, layers }: Case) {
  return sequential(
    layers.map(({ layer, ...options }, i) => MAKERS[layer]({ ...options, ...(i === 0 && { inputShape }) })),
  );
}

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime();
});
afterAll(() => runtime.dispose());

async function check(one: Case, seed: number): Promise<"matched" | "refused"> {
  const label = JSON.stringify(one);
  const settings = {
    loss: "sparseCategoricalCrossentropy",
    optimizer: sgd({ learningRate: 0.1 }),
    runtime,
    seed,
  } as const;
  if (!fits(one)) {
    const error = await (async () => modelOf(one).compile(settings))().catch((thrown: unknown) => thrown);
    expect(error, label).toBeInstanceOf(FeaturemapError);
    expect((error as FeaturemapError).code, label).toBe("shape");
    return "refused";
  }
  const model = modelOf(one);
  await model.compile(settings);
  const { inputShape, layers, rows } = one;
  const classes = (layers.at(-1) as { units: number }).units;
  const x = randomArray(rows * inputShape.reduce((a, b) => a * b), seed);
  const y = randomIntegers(rows, seed + 1, classes);
  const before = (await model.getWeights()).map(({ data }) => Float64Array.from(data));
  const labels = Float64Array.from({ length: rows * classes }, (_, i) =>
    y[Math.floor(i / classes)] === i % classes ? 1 : 0,
  );
  const step = forwardBackward(layers, inputShape, before, x, labels);
  const { loss } = await model.trainOnBatch(tensor(Float32Array.from(x), [rows, ...inputShape]), y);
  expectClose([loss], [step.loss], tolerances.trainingStep, `${label}: loss`);
  const want = sgdStep(before, step.gradients, 0.1);
  (await model.getWeights()).forEach(({ name, data }, i) => {
    expectClose(data, want[i]!, tolerances.trainingStep, `${label}: ${name}`);
  });
  model.dispose();
  return "matched";
}

// In groups, so that none is slow and a failure names few.
const drawn = fc.sample(cases, { numRuns: Math.ceil(RUNS / 2), seed: 20261128 }).flat();
const groups = Array.from(
  { length: Math.ceil(drawn.length / GROUP) },
  (_, i) => [i * GROUP, drawn.slice(i * GROUP, (i + 1) * GROUP)] as const,
);

it.each(groups)("random networks from number %i on step as the reference, or are refused", async (first, group) => {
  // All at once, so that both cores compile and the device is never idle.
  await Promise.all(group.map((one, i) => check(one, first + i)));
});

it("random networks are of both kinds", () => {
  const kinds = new Set(drawn.map(fits));
  expect([...kinds].sort()).toEqual([false, true]);
});
