import { describe, expect, it } from "vitest";
import { adadelta, adagrad, adam, adamax, adamW, lion, nadam, type Optimizer, rmsprop, sgd } from "../../src/index.ts";
import { activate, activationGradient } from "../reference/activation.ts";
import { dropoutMask } from "../reference/dropout.ts";
import { type OptimizerOptions, referenceOptimizer } from "../reference/optimizers.ts";
import {
  averagePooling2d,
  averagePooling2dGradient,
  maxPooling2d,
  maxPooling2dGradient,
} from "../reference/pooling2d.ts";
import { randomArray } from "../reference/random.ts";
import { softmax, softmaxCrossEntropy, softmaxGradient } from "../reference/softmax.ts";
import { expectCarried, kindOfBits } from "../support/compare.ts";
import { type NonFinite, nonFinite, placesOf, sprinkled, withBits } from "../support/non-finite.ts";
import { GraphRun } from "../support/run-graph.ts";
import { tolerances } from "../support/tolerances.ts";

// Each kernel alone; those in one with others are in non-finite-fused.test.ts. Numbers that are not finite are told by bits.

describe.each(nonFinite)("%s", (kind) => {
  it.each(["linear", "relu", "sigmoid", "tanh", "elu", "leakyRelu", "softplus"] as const)(
    "goes through %s, forward and backward",
    async (activation) => {
      const size = 71;
      const x = sprinkled(size, 1, kind);
      const ones = new Float32Array(size).fill(1);
      const dY = randomArray(size, 2);
      const run = new GraphRun();
      const { y } = run.add("activation", { x: run.input("x", [size], x) }, { kind: activation });
      const { dx: dX } = run.add(
        "activationGradient",
        { dy: run.input("dy", [size], dY), y: run.input("y", [size], x) },
        {
          kind: activation,
        },
      );
      const { dx: ofDY } = run.add(
        "activationGradient",
        { dy: run.input("dy2", [size], x), y: run.input("y2", [size], ones) },
        {
          kind: activation,
        },
      );
      const [gotY, gotDX, gotOfDY] = await run.read([y!, dX!, ofDY!]);
      expectCarried(gotY!, activate(activation, x), tolerances.elementwise, "y");
      // An output is never -Infinity but of these, nor Infinity but of those that let it through.
      if (
        /NaN/.test(kind) ||
        /linear|leakyRelu/.test(activation) ||
        (kind === "Infinity" && /relu|elu|soft/.test(activation))
      )
        expectCarried(gotDX!, activationGradient(activation, x, dY), tolerances.elementwise, "dX of y");
      expectCarried(gotOfDY!, activationGradient(activation, ones, x), tolerances.elementwise, "dX of dY");
    },
  );

  it.each([4, 7])("goes through softmax and its gradient, in a row of %i, and no other row", async (classes) => {
    const places = placesOf(classes);
    const rows = places.length + 2;
    const x = withBits(
      randomArray(rows * classes, 1, -5, 5),
      kind,
      places.map((at, r) => (r + 1) * classes + at),
    );
    const dY = withBits(
      randomArray(rows * classes, 2),
      kind,
      places.map((at, r) => (r + 1) * classes + at),
    );
    const y = softmax(randomArray(rows * classes, 3), classes);
    const run = new GraphRun();
    const { y: yId } = run.add("softmax", { x: run.input("x", [rows, classes], x) });
    const { dx: dX } = run.add("softmaxGradient", {
      y: run.input("y", [rows, classes], y),
      dy: run.input("dy", [rows, classes], dY),
    });
    const [gotY, gotDX] = await run.read([yId!, dX!]);
    expectCarried(gotY!, softmax(x, classes), tolerances.softmax, "y");
    expectCarried(gotDX!, softmaxGradient(y, dY, classes), tolerances.softmax, "dX");
  });

  it.each([true, false])("goes through cross-entropy, its hits and gradient; class numbers: %s", async (sparse) => {
    const classes = 5;
    const places = placesOf(classes);
    // Of each place three rows: with a label of class 0, of the place, of another; then one with all logits alike, a sound one and,
    // not in use, more of the kind.
    const rows = 3 * places.length + 4;
    const used = rows - 2;
    const at = places.flatMap((place, i) => [0, 1, 2].map((r) => (3 * i + r) * classes + place));
    const all = Array.from({ length: classes }, (_, c) => (used - 2) * classes + c);
    const unused = Array.from({ length: 2 * classes }, (_, c) => used * classes + c);
    const x = withBits(randomArray(rows * classes, 1, -5, 5), kind, [...at, ...all, ...unused]);
    const labels = Array.from({ length: rows }, (_, r) => [0, places[Math.floor(r / 3)] ?? 1, 2][r % 3]!);
    const oneHot = new Float32Array(rows * classes);
    for (const [r, label] of labels.entries()) oneHot[r * classes + label] = 1;
    const run = new GraphRun().rows(used);
    const labelsId = sparse
      ? run.input("labels", [rows, 1], Uint32Array.from(labels), "u32")
      : run.input("labels", [rows, classes], oneHot);
    const xId = run.input("x", [rows, classes], x);
    const { loss, hits, gradients } = run.crossEntropy(xId, labelsId, [xId]);
    const [gotLoss, gotHits, gotDX] = await run.read([loss, hits, gradients[0]!]);
    const want = softmaxCrossEntropy(x, oneHot, classes, used);
    expectCarried(gotLoss!, want.losses, tolerances.crossEntropy, "loss");
    expectCarried(gotDX!, want.dLogits, tolerances.crossEntropy, "dX");
    expect([...gotHits!]).toEqual([...want.correct]);
  });

  it("goes through cross-entropy of labels that are all 0", async () => {
    const run = new GraphRun().rows(1);
    const labels = run.input("labels", [1, 3], [0, 0, 0]);
    const x = run.input("x", [1, 3], withBits([1, 2, 3], kind, [1]));
    const { loss } = run.add("softmaxCrossEntropy", { x, labels, state: run.graph.state });
    const [got] = await run.read([loss!]);
    expectCarried(got!, [kind === "-Infinity" ? 0 : Number.NaN], tolerances.exact, "loss");
  });

  it("goes through poolings, from each place of a window", async () => {
    // Four channels of windows of 3 x 2, each place in a window of its own; the second row of windows lies in the padding.
    const xShape = [1, 4, 12, 4] as [number, number, number, number];
    const options = { poolSize: [3, 2], strides: [3, 2], padding: "same" } as const;
    const attributes = { size: [3, 2], strides: [3, 2], padding: "same" };
    const places = Array.from({ length: 6 }, (_, i) => ((i % 3) * 12 + 2 * i + ((i >> 1) % 2)) * 4 + (i % 4));
    const x = withBits(randomArray(4 * 12 * 4, 1), kind, [
      ...places,
      ...Array.from({ length: 8 }, (_, c) => 3 * 48 + c),
    ]);
    const most = maxPooling2d(x, xShape, options);
    const dY = withBits(randomArray(most.y.length, 2), kind, placesOf(most.y.length));
    const run = new GraphRun();
    const [xId, dYId] = [run.input("x", xShape, x), run.input("dy", most.shape, dY)];
    const { y, argmax } = run.add("maxPooling2d", { x: xId }, attributes);
    const { y: mean } = run.add("averagePooling2d", { x: xId }, attributes);
    const { dx: dX } = run.add(
      "maxPooling2dGradient",
      { dy: dYId, argmax: argmax! },
      { ...attributes, inputShape: xShape },
    );
    const { dx: dMean } = run.add("averagePooling2dGradient", { dy: dYId }, { ...attributes, inputShape: xShape });
    const [gotY, gotMean, gotDX, gotDMean] = await run.read([y!, mean!, dX!, dMean!]);
    expectCarried(gotY!, most.y, tolerances.exact, "maximum");
    expectCarried(gotDX!, maxPooling2dGradient(dY, most.argmax, xShape), tolerances.poolingGradient, "its gradient");
    expectCarried(gotMean!, averagePooling2d(x, xShape, options).y, tolerances.averagePooling, "mean");
    expectCarried(gotDMean!, averagePooling2dGradient(dY, xShape, options), tolerances.poolingGradient, "its gradient");
  });

  it("goes through addition, multiplication and dropout, which drops it, too", async () => {
    const size = 71;
    const x = sprinkled(size, 1, kind);
    const run = new GraphRun();
    const xId = run.input("x", [size], x);
    const { c: sum } = run.add("add", { a: xId, b: run.input("b", [size], randomArray(size, 2)) });
    const factors = withZeros(size);
    const { c: product } = run.add("multiply", { a: xId, b: run.input("factors", [size], factors) });
    const { y: kept } = run.add("dropout", { x: xId, state: run.graph.state }, { rate: 0.25, seed: 1 });
    const [gotSum, gotProduct, gotKept] = await run.read([sum!, product!, kept!]);
    const mask = dropoutMask(size, { rate: 0.25, seed: 1, layer: "dropout", step: 0 });
    expectCarried(
      gotSum!,
      Array.from(x, (value, i) => value + randomArray(size, 2)[i]!),
      tolerances.elementwise,
      "sum",
    );
    expectCarried(
      gotProduct!,
      Array.from(x, (value, i) => value * factors[i]!),
      tolerances.elementwise,
      "product",
    );
    expectCarried(
      gotKept!,
      Array.from(x, (value, i) => (mask[i] === 0 ? 0 : value * mask[i]!)),
      tolerances.elementwise,
      "kept",
    );
  });
});

/** Numbers of which every third is 0: a NaN or Infinity times 0 is a NaN. */
function withZeros(size: number): Float32Array {
  return Float32Array.from(randomArray(size, 3), (value, i) => (i % 3 === 0 ? 0 : value));
}

const OPTIMIZERS: [name: string, options: OptimizerOptions, make: (options: object) => Optimizer][] = [
  ["sgd", {}, sgd],
  ["sgd", { momentum: 0.9 }, sgd],
  ["sgd", { momentum: 0.9, nesterov: true }, sgd],
  ["adam", {}, adam],
  ["adam", { amsgrad: true }, adam],
  ["adamW", {}, adamW],
  ["rmsprop", {}, rmsprop],
  ["rmsprop", { centered: true, momentum: 0.9 }, rmsprop],
  ["adagrad", {}, adagrad],
  ["adadelta", {}, adadelta],
  ["adamax", {}, adamax],
  ["lion", {}, lion],
  ["nadam", {}, nadam],
];

describe.each(OPTIMIZERS)("%s %j", (name, options, make) => {
  const optimizer = make(options);
  const reference = referenceOptimizer(name, options);
  const size = 7;

  it.each(nonFinite)(
    "takes %s from a gradient into what it keeps and the parameter, and from each of these on",
    async (kind) => {
      for (const from of ["g", "p", ...Array(reference.kept).keys()]) {
        // What is kept of squares is never -Infinity, and a mean is Infinity only beside a mean of squares that is.
        if (typeof from === "number" && /Infinity/.test(kind) && !(kind === "Infinity" && from === 0)) continue;
        const made = (seed: number, what: string | number, low: number, high: number) => {
          const values = randomArray(size, seed, low, high);
          return from === what ? withBits(values, kind, [0, 2, 3, 5]) : Float32Array.from(values);
        };
        const [p, g] = [made(1, "p", -1, 1), made(2, "g", -1, 1)];
        // The first is a mean or, of rmsprop and adagrad, of squares; the others are less than such a one's root.
        const kept = Array.from({ length: reference.kept }, (_, i) =>
          made(3 + i, i, i === 0 ? 1 : 0.2, i === 0 ? 2 : 0.9),
        );
        const want = { p: Float64Array.from(p), kept: kept.map((slot) => Float64Array.from(slot)) };
        reference.step({ ...want, g, t: 3 });
        const got = await step(optimizer, p, g, kept);
        const what = `from ${typeof from === "number" ? `slot ${from}` : from}`;
        expectCarried(got[0]!, want.p, tolerances.optimizerStep, `p, ${what}`);
        const slots = Float32Array.from(got.slice(1).flatMap((slot) => [...slot]));
        const wanted = want.kept.flatMap((slot) => [...slot]);
        if (wanted.length > 0) expectCarried(slots, wanted, tolerances.optimizerStep, `what is kept, ${what}`);
      }
    },
  );
});

/** The third step; what is kept in the reference's order, spread over the optimizer's slots. */
async function step(optimizer: Optimizer, p: Float32Array, g: Float32Array, kept: readonly Float32Array[]) {
  const run = new GraphRun();
  run.step(2);
  const rates = new Map(
    Object.entries(optimizer.hyperparameters).map(([name, value]) => [name, run.input(name, [1], [value])]),
  );
  const parameter = run.input("p", [p.length], p);
  const all = kept.flatMap((slot) => [...new Uint32Array(slot.buffer)]);
  const slots = (optimizer.slots?.([p.length]) ?? []).map(({ name, shape }) => {
    const words = Uint32Array.from(
      all.splice(
        0,
        shape.reduce((a, b) => a * b, 1),
      ),
    );
    return [name, run.input(name, shape, new Float32Array(words.buffer))] as const;
  });
  const call = { state: run.graph.state, hyperparameter: (name: string) => rates.get(name)!, add: run.addTyped };
  // Nadam's product of momenta, after two steps.
  const product = 0.9 ** 2 * (1 - 0.5 * 0.96) * (1 - 0.5 * 0.96 ** 2);
  const variables = Object.fromEntries(
    (optimizer.variables?.() ?? []).map(({ name, shape }) => [name, run.input(name, shape, [product])]),
  );
  const shared = optimizer.begin?.({ ...call, variables, gradients: new Map(), shapeOf: () => [] }) ?? {};
  optimizer.step({
    path: "p",
    parameter,
    gradient: run.input("g", [p.length], g),
    slots: Object.fromEntries(slots),
    ...call,
    shared,
    shapeOf: () => [p.length],
  });
  return run.read([parameter, ...slots.map(([, id]) => id)]);
}

describe("the comparison itself", () => {
  it("finds a NaN that is missing, one that is too many, and an infinity of the other sign", () => {
    const near = tolerances.exact;
    const check = (got: number[], want: number[]) => () => expectCarried(Float32Array.from(got), want, near, "x");
    expect(check([Number.NaN, 1], [Number.NaN, 1])).not.toThrow();
    expect(check([0, 1], [Number.NaN, 1])).toThrow("want NaN,1");
    expect(check([Number.NaN, 1], [0, 1])).toThrow("got NaN,1");
    expect(check([Number.POSITIVE_INFINITY], [Number.NEGATIVE_INFINITY])).toThrow();
    expect(
      (["NaN", "negative NaN"] satisfies NonFinite[]).map((kind) =>
        kindOfBits(new Uint32Array(withBits([0], kind, [0]).buffer)[0]!),
      ),
    ).toEqual(["NaN", "NaN"]);
  });
});
