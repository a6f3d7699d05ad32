import { describe, expect, it } from "vitest";
import type { AdapterClass } from "../../../src/graph/tile.ts";
import { activate, activationGradient } from "../../reference/activation.ts";
import {
  batchMoments,
  batchNormalizationGradient,
  moved,
  normalization,
  normalizationGradient,
} from "../../reference/normalization.ts";
import { randomArray } from "../../reference/random.ts";
import { expectCarried, expectClose, kindOfBits } from "../../support/compare.ts";
import { NON_FINITE, nonFinite, withBits } from "../../support/non-finite.ts";
import { GraphRun } from "../../support/run-graph.ts";
import { sumTolerance, tolerances } from "../../support/tolerances.ts";

const EPSILON = 1e-3;
const MOMENTUM = 0.9;
const ADAPTERS: readonly AdapterClass[] = ["software", "gpu"];

/** Numbers for a normalization of x [rows, ...pixels, channels], of which `used` rows count. */
function dataOf(shape: readonly number[], used: number) {
  const [rows, channels] = [shape[0]!, shape.at(-1)!];
  const size = shape.reduce((a, b) => a * b);
  const x = randomArray(size, 1, -2, 3);
  const dY = randomArray(size, 2);
  const perRow = size / rows;
  // The filler of a short batch.
  x.fill(Number.NaN, used * perRow);
  dY.fill(Number.NaN, used * perRow);
  const gamma = randomArray(channels, 3, 0.5, 1.5);
  const [beta, movingMean] = [randomArray(channels, 4), randomArray(channels, 5)];
  const movingVariance = randomArray(channels, 6, 0.5, 2);
  return {
    channels,
    x,
    dY,
    gamma,
    beta,
    movingMean,
    movingVariance,
    inUse: used * perRow,
    positions: (used * perRow) / channels,
  };
}

interface Trained {
  readonly scale?: boolean;
  readonly center?: boolean;
  readonly wantsX?: boolean;
  readonly adapter?: AdapterClass;
}

/** y, moving statistics and gradients of one training step of the op. */
async function trained(
  shape: readonly number[],
  used: number,
  data: ReturnType<typeof dataOf>,
  { scale = true, center = true, wantsX = true, adapter = "software" }: Trained = {},
) {
  const run = new GraphRun().rows(used);
  const own = [data.channels];
  const x = run.input("x", shape, data.x);
  const gamma = scale ? run.input("gamma", own, data.gamma) : undefined;
  const beta = center ? run.input("beta", own, data.beta) : undefined;
  const movingMean = run.input("movingMean", own, data.movingMean);
  const movingVariance = run.input("movingVariance", own, data.movingVariance);
  const { state } = run.graph;
  const { y, moments } = run.add(
    "batchNormalization",
    { x, state, movingMean, movingVariance, gamma, beta },
    { epsilon: EPSILON, momentum: MOMENTUM },
  );
  const { dx, dgamma, dbeta } = run.add(
    "normalizationGradient",
    { dy: run.input("dy", shape, data.dY), source: x, state, moments },
    { epsilon: EPSILON, wanted: { x: wantsX, gamma: scale, beta: center } },
  );
  const wanted = { y: y!, movingMean, movingVariance, dx, dgamma, dbeta };
  const there = Object.entries(wanted).filter(([, id]) => id !== undefined) as [string, number][];
  const read = await run.read(
    there.map(([, id]) => id),
    { adapter },
  );
  return Object.fromEntries(there.map(([name], i) => [name, read[i]!])) as Partial<
    Record<keyof typeof wanted, Float32Array>
  >;
}

describe.each<readonly [shape: readonly number[], used: number]>([
  [[1, 1], 1],
  [[7, 3], 7],
  [[65, 4], 64],
  [[3, 7, 5, 65], 2],
  // Cut into slices, on GPUs and on processors; one slice of the short batch is empty, and a lane's turns are uneven.
  [[45, 7, 7, 36], 43],
  [[40, 8, 13, 3], 1],
])("batchNormalization of %j, %i rows in use", (shape, used) => {
  const data = dataOf(shape, used);
  const { channels, inUse, positions } = data;
  const moments = batchMoments(data.x, channels, positions);
  const part = (values: ArrayLike<number>) => Array.from(values).slice(0, inUse);
  const sum = sumTolerance(positions, 4);

  it.each(ADAPTERS)("matches the reference forward and backward on %s", async (adapter) => {
    const got = await trained(shape, used, data, { adapter });
    const scaling = { ...data, epsilon: EPSILON };
    const want = batchNormalizationGradient(data.x, data.dY, channels, scaling, positions);
    expectClose(part(got.y!), part(normalization(data.x, moments, scaling)), tolerances.normalization, "y");
    const movedMean = moved(data.movingMean, moments.mean, MOMENTUM);
    expectClose(got.movingMean!, movedMean, tolerances.elementwise, "moving mean");
    const movedVariance = moved(data.movingVariance, moments.variance, MOMENTUM);
    expectClose(got.movingVariance!, movedVariance, tolerances.elementwise, "moving variance");
    expectClose(part(got.dx!), part(want.dX), tolerances.normalization, "dx");
    expect([...got.dx!.subarray(inUse)].every((value) => value === 0)).toBe(true);
    expectClose(got.dgamma!, want.dGamma, sum, "dgamma");
    expectClose(got.dbeta!, want.dBeta, sum, "dbeta");
    // A fixed order: the same bits again.
    expect(await trained(shape, used, data, { adapter })).toEqual(got);
  });
});

it.each([
  [true, false, true],
  [false, true, true],
  [false, false, true],
  [true, true, false],
])("batchNormalization has scale %s, center %s, a gradient of x %s", async (scale, center, wantsX) => {
  const shape = [9, 4];
  const data = dataOf(shape, 7);
  const scaling = { epsilon: EPSILON, gamma: scale ? data.gamma : undefined, beta: center ? data.beta : undefined };
  const got = await trained(shape, 7, data, { scale, center, wantsX });
  const y = normalization(data.x, batchMoments(data.x, 4, 7), scaling);
  const want = batchNormalizationGradient(data.x, data.dY, 4, scaling, 7);
  expectClose(got.y!.subarray(0, 28), y.subarray(0, 28), tolerances.normalization, "y");
  for (const [name, numbers] of [
    ["dx", wantsX && want.dX],
    ["dgamma", scale && want.dGamma],
    ["dbeta", center && want.dBeta],
  ] as const) {
    if (numbers) expectClose(got[name]!, numbers, tolerances.normalization, name);
    else expect(got[name]).toBeUndefined();
  }
});

describe.each(ADAPTERS)("on %s", (adapter) => {
  it("a variance keeps its digits beside a mean of 1000, in one slice and in several", async () => {
    for (const shape of [
      [65, 4],
      [70, 8, 9, 1],
    ]) {
      const data = dataOf(shape, shape[0]!);
      const x = data.x.map((value) => Math.fround(1000 + value));
      const got = await trained(shape, shape[0]!, { ...data, x }, { adapter });
      const { mean, variance } = batchMoments(x, data.channels);
      const want = moved(data.movingVariance, variance, MOMENTUM);
      expectClose(got.movingVariance!, want, tolerances.elementwise, `variance of ${shape}`);
      expectClose(got.movingMean!, moved(data.movingMean, mean, MOMENTUM), tolerances.elementwise, `mean of ${shape}`);
    }
  });

  it.each([
    [[9, 4], 9],
    [[3, 5, 5, 7], 2],
  ])("normalization of %j by what is given matches the reference forward and backward", async (shape, used) => {
    const data = dataOf(shape, used);
    const { channels, inUse, positions, movingMean: mean, movingVariance: variance } = data;
    const scaling = { ...data, epsilon: EPSILON };
    const run = new GraphRun().rows(used);
    const own = [channels];
    const x = run.input("x", shape, data.x);
    const gamma = run.input("gamma", own, data.gamma);
    const beta = run.input("beta", own, data.beta);
    const statistics = { mean: run.input("mean", own, mean), variance: run.input("variance", own, variance) };
    const { y } = run.add("normalization", { x, ...statistics, gamma, beta }, { epsilon: EPSILON });
    const [dx, dgamma, dbeta] = run.gradients(y!, [x, gamma, beta]);
    const ones = new Float64Array(data.x.length).fill(1);
    const want = normalizationGradient(data.x, ones, { mean, variance }, scaling, positions);
    const got = await run.read([y!, dx!, dgamma!, dbeta!], { adapter });
    const wantY = normalization(data.x, { mean, variance }, scaling);
    expectClose(got[0]!.subarray(0, inUse), wantY.subarray(0, inUse), tolerances.normalization, "y");
    expectClose(got[1]!.subarray(0, inUse), want.dX.subarray(0, inUse), tolerances.normalization, "dx");
    expectClose(got[2]!, want.dGamma, sumTolerance(positions, 4), "dgamma");
    expectClose(got[3]!, want.dBeta, sumTolerance(positions, 4), "dbeta");
  });

  /** sigmoid(normalized(relu(h) + other)), whose gradient comes through an activation and goes on through another. */
  it.each([
    ["the batch's", 8, false],
    ["the batch's", 7, false],
    ["the batch's", 7, true],
    ["given", 8, false],
  ])(
    "activations on both sides ride in a normalization by %s statistics, %i channels, beside an add: %s",
    async (by, channels, adds) => {
      const shape = [9, channels];
      const data = dataOf(shape, 9);
      const { movingMean: mean, movingVariance: variance } = data;
      const run = new GraphRun().rows(9);
      const own = [channels];
      const h = run.input("h", shape, data.x);
      const { y: below } = run.add("activation", { x: h }, { kind: "relu" });
      const other = randomArray(data.x.length, 9);
      // Then the activation's output is not what is normalized.
      const x = adds ? run.add("add", { a: below!, b: run.input("other", shape, other) }).c! : below!;
      const gamma = run.input("gamma", own, data.gamma);
      const beta = run.input("beta", own, data.beta);
      const [m, v] = [run.input("mean", own, mean), run.input("variance", own, variance)];
      const { state } = run.graph;
      const batch = by === "the batch's";
      const { y } = batch
        ? run.add(
            "batchNormalization",
            { x, state, movingMean: m, movingVariance: v, gamma, beta },
            { epsilon: EPSILON, momentum: MOMENTUM },
          )
        : run.add("normalization", { x, mean: m, variance: v, gamma, beta }, { epsilon: EPSILON });
      const { y: z } = run.add("activation", { x: y! }, { kind: "sigmoid" });
      const [dh, dgamma, dbeta] = run.gradients(z!, [h, gamma, beta]);
      const got = await run.read([z!, dh!, dgamma!, dbeta!], { adapter });
      // The relu of an input, and nothing else, is a kernel of its own.
      expect(run.graph.nodes.map(({ op }) => op).filter((op) => op.startsWith("activation"))).toEqual(["activation"]);

      const scaling = { ...data, epsilon: EPSILON };
      const low = activate("relu", data.x);
      const normal = adds ? low.map((value, i) => value + other[i]!) : low;
      const moments = batch ? batchMoments(normal, channels) : { mean, variance };
      const wantZ = activate("sigmoid", normalization(normal, moments, scaling));
      const dY = activationGradient("sigmoid", wantZ, new Float64Array(wantZ.length).fill(1));
      const want = batch
        ? batchNormalizationGradient(normal, dY, channels, scaling)
        : normalizationGradient(normal, dY, moments, scaling);
      expectClose(got[0]!, wantZ, tolerances.normalization, "z");
      expectClose(got[1]!, activationGradient("relu", low, want.dX), tolerances.normalization, "dh");
      expectClose(got[2]!, want.dGamma, sumTolerance(9, 2), "dgamma");
      expectClose(got[3]!, want.dBeta, sumTolerance(9, 2), "dbeta");
    },
  );
});

/** relu(normalized(x) + other), and other once more: the end of a residual block, whose input has two gradients. */
describe.each([
  ["the batch's", "software", 8, false],
  ["the batch's", "gpu", 7, true],
  ["given", "software", 7, true],
  ["given", "gpu", 8, false],
] as const)("a residual connection after a normalization by %s statistics, on %s", (by, adapter, channels, swapped) => {
  it(`is added by its kernel, ${channels} channels`, async () => {
    const [rows, used] = [9, 8];
    const shape = [rows, channels];
    const data = dataOf(shape, used);
    const { movingMean: mean, movingVariance: variance } = data;
    const run = new GraphRun().rows(used);
    const { state } = run.graph;
    const x = run.input("x", shape, data.x);
    const h = run.input("h", shape, randomArray(data.x.length, 9));
    const { y: other } = run.add("activation", { x: h }, { kind: "relu" });
    const [gamma, beta] = [run.input("gamma", [channels], data.gamma), run.input("beta", [channels], data.beta)];
    const [m, v] = [run.input("mean", [channels], mean), run.input("variance", [channels], variance)];
    const own = { x, gamma, beta };
    const { y } =
      by === "given"
        ? run.add("normalization", { ...own, mean: m, variance: v }, { epsilon: EPSILON })
        : run.add(
            "batchNormalization",
            { ...own, state, movingMean: m, movingVariance: v },
            { epsilon: EPSILON, momentum: MOMENTUM },
          );
    const [a, b] = swapped ? [other!, y!] : [y!, other!];
    const { y: sum } = run.add("pointwise", { a, b }, { expression: ["add", "a", "b"] });
    const { y: z } = run.add("activation", { x: sum! }, { kind: "relu" });
    const twice = run.add("pointwise", { a: z!, b: other! }, { expression: ["multiply", "a", "b"] }).y!;
    const [dx, dh, dgamma, dbeta] = run.gradients(twice, [x, h, gamma, beta]);
    const got = await run.read([z!, dx!, dh!, dgamma!, dbeta!], { adapter });
    const ops = run.graph.nodes.map(({ op }) => op);
    // Neither the sum nor its gradient, nor the sum of other's gradients, is a kernel of its own.
    expect(ops.filter((op) => op === "add")).toEqual([]);
    expect(run.graph.nodes.filter(({ attributes }) => String(attributes.expression) === "add,a,b")).toEqual([]);

    const inUse = used * channels;
    const part = (values: ArrayLike<number>) => Float64Array.from(Array.from(values).slice(0, inUse));
    const low = part(activate("relu", randomArray(data.x.length, 9)));
    const xs = part(data.x);
    const scaling = { ...data, epsilon: EPSILON };
    const moments = by === "given" ? { mean, variance } : batchMoments(xs, channels);
    const wantZ = activate(
      "relu",
      Float64Array.from(normalization(xs, moments, scaling), (n, i) => n + low[i]!),
    );
    const dSum = activationGradient("relu", wantZ, low);
    const want =
      by === "given"
        ? normalizationGradient(xs, dSum, moments, scaling)
        : batchNormalizationGradient(xs, dSum, channels, scaling);
    const dOther = Float64Array.from(dSum, (n, i) => n + wantZ[i]!);
    expectClose(part(got[0]!), wantZ, tolerances.normalization, "z");
    expectClose(part(got[1]!), want.dX, tolerances.normalization, "dx");
    expectClose(part(got[2]!), activationGradient("relu", low, dOther), tolerances.normalization, "dh");
    expectClose(got[3]!, want.dGamma, sumTolerance(used, 4), "dgamma");
    expectClose(got[4]!, want.dBeta, sumTolerance(used, 4), "dbeta");
  });
});

describe.each(nonFinite)("%s in one channel", (kind) => {
  const bits = new Float32Array(Uint32Array.of(NON_FINITE[kind]).buffer)[0]!;

  it.each([4, 3])("of %i is in all that the channel makes, and in no other", async (channels) => {
    const shape = [6, channels];
    const data = dataOf(shape, 5);
    const x = withBits(data.x, kind, [2 * channels + 1]);
    const moments = batchMoments(x, channels, 5);
    const got = await trained(shape, 5, { ...data, x: x as unknown as Float64Array });
    const scaling = { ...data, epsilon: EPSILON };
    const inUse = 5 * channels;
    const y = normalization(x, moments, scaling).subarray(0, inUse);
    expectCarried(got.y!.subarray(0, inUse), y, tolerances.normalization, "y");
    expect(Array.from(y, (value, at) => Number.isNaN(value) === (at % channels === 1))).not.toContain(false);
    expectCarried(
      got.movingMean!,
      moved(data.movingMean, moments.mean, MOMENTUM),
      tolerances.elementwise,
      "moving mean",
    );
    const variance = moved(data.movingVariance, moments.variance, MOMENTUM);
    expectCarried(got.movingVariance!, variance, tolerances.elementwise, "moving variance");
    const want = batchNormalizationGradient(x, data.dY, channels, scaling, 5);
    expectCarried(got.dx!, want.dX, tolerances.normalization, "dx");
    expectCarried(got.dgamma!, want.dGamma, tolerances.normalization, "dgamma");
    expectClose(got.dbeta!, want.dBeta, tolerances.normalization, "dbeta");
  });

  it("as a gradient, a mean or a variance goes where the reference has it", async () => {
    const shape = [5, 4];
    const data = dataOf(shape, 5);
    const dY = withBits(data.dY, kind, [6]);
    const got = await trained(shape, 5, { ...data, dY: dY as unknown as Float64Array });
    const want = batchNormalizationGradient(data.x, dY, 4, { ...data, epsilon: EPSILON }, 5);
    const ofBatch = batchNormalizationGradient(data.x, data.dY, 4, { ...data, epsilon: EPSILON }, 5);
    // All of the channel has no gradient. Sums with an infinity are infinite or a NaN, by their order.
    const ofChannel = [2, 6, 10, 14, 18].map((at) => kindOfBits(new Uint32Array(got.dx!.buffer)[at]!));
    expect(ofChannel.filter((of) => of === "finite" || (/NaN/.test(kind) && of !== "NaN"))).toEqual([]);
    expectCarried(got.dbeta!, want.dBeta, tolerances.normalization, "dbeta");
    expectCarried(got.dgamma!, want.dGamma, tolerances.normalization, "dgamma");
    expectClose(
      got.dx!.filter((_, at) => at % 4 !== 2),
      ofBatch.dX.filter((_, at) => at % 4 !== 2),
      tolerances.normalization,
      "dx",
    );
    if (!/NaN/.test(kind)) return;

    const run = new GraphRun();
    const x = run.input("x", shape, data.x);
    const mean = run.input("mean", [4], data.movingMean);
    const variance = run.input("variance", [4], [bits, 1, 2, 3]);
    const { y } = run.add("normalization", { x, mean, variance }, { epsilon: EPSILON });
    const statistics = { mean: data.movingMean, variance: Float64Array.of(Number.NaN, 1, 2, 3) };
    const [gotY] = await run.read([y!]);
    expectCarried(gotY!, normalization(data.x, statistics, { epsilon: EPSILON }), tolerances.normalization, "y");
  });
});
