import { describe, expect, it } from "vitest";
import type { Tile } from "../../../src/graph/tile.ts";
import { activate, activationGradient } from "../../reference/activation.ts";
import type { Pair, Shape4 } from "../../reference/conv2d.ts";
import { conv2dTranspose, conv2dTransposeGradients, type TransposeOptions } from "../../reference/conv2d-transpose.ts";
import { randomArray } from "../../reference/random.ts";
import { expectCarried, expectClose } from "../../support/compare.ts";
import { nonFinite, withBits } from "../../support/non-finite.ts";
import { GraphRun, quadsRun, quadTile } from "../../support/run-graph.ts";
import { sumTolerance } from "../../support/tolerances.ts";

const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

interface Case extends TransposeOptions {
  readonly x: Shape4;
  readonly kernel: Pair;
  readonly filters: number;
  /** Rows of the batch in use. */
  readonly rows: number;
  readonly tile: Tile;
}

const small: Tile = { blocksM: 1, blocksN: 1, workgroupM: 8, workgroupN: 8, slices: 3 };
const wide: Tile = { blocksM: 2, blocksN: 2, workgroupM: 2, workgroupN: 2, slices: 1 };
const shared: Tile = { blocksM: 1, blocksN: 2, workgroupM: 2, workgroupN: 4, slices: 2, shared: true };

// Channels by four and not, strides above and below the kernel, output padding on one axis, odd sizes, short batches.
const CASES: Case[] = [
  { x: [1, 1, 1, 1], kernel: [1, 1], filters: 1, strides: [1, 1], padding: "valid", rows: 1, tile: small },
  { x: [3, 4, 5, 4], kernel: [2, 2], filters: 8, strides: [2, 2], padding: "valid", rows: 2, tile: wide },
  { x: [5, 3, 4, 3], kernel: [3, 3], filters: 5, strides: [2, 1], padding: "same", rows: 4, tile: small },
  { x: [2, 4, 3, 8], kernel: [2, 1], filters: 3, strides: [3, 2], padding: "same", rows: 2, tile: shared },
  {
    x: [2, 4, 3, 2],
    kernel: [3, 4],
    filters: 4,
    strides: [2, 3],
    padding: "same",
    outputPadding: [1, 0],
    rows: 1,
    tile: wide,
  },
  {
    x: [7, 3, 5, 5],
    kernel: [4, 2],
    filters: 7,
    strides: [2, 3],
    padding: "valid",
    outputPadding: [0, 2],
    rows: 6,
    tile: quadTile(1, 1, 2),
  },
  {
    x: [2, 5, 7, 4],
    kernel: [3, 2],
    filters: 6,
    strides: [1, 1],
    padding: "same",
    dilation: [2, 3],
    rows: 2,
    tile: small,
  },
];

describe.each(CASES)("conv2dTranspose $x $kernel $filters $strides $padding $outputPadding $dilation", (test) => {
  const { x: xShape, kernel, filters, rows, tile, ...options } = test;
  const kShape: Shape4 = [...kernel, filters, xShape[3]];
  const [x, k, b] = [randomArray(size(xShape), 1), randomArray(size(kShape), 2), randomArray(filters, 3)];
  const want = conv2dTranspose(x, xShape, k, kShape, b, options);
  const dY = randomArray(want.y.length, 4);

  it.runIf(quadsRun || !tile.quad)("matches the reference forward and backward, by few dispatches", async () => {
    // Rows that are not in use are NaN, which no sum over the batch may meet.
    const masked = (values: Float64Array) =>
      values.map((value, at) => (at < (values.length / xShape[0]) * rows ? value : Number.NaN));
    const run = new GraphRun().rows(rows);
    const [xId, kId, bId] = [
      run.input("x", xShape, masked(x)),
      run.input("k", kShape, k),
      run.input("b", [filters], b),
    ];
    const dYId = run.input("dy", want.shape, masked(dY));
    const { y } = run.add("conv2dTranspose", { x: xId, kernel: kId, bias: bId }, options);
    const { y: yTanh } = run.add("activation", { x: y! }, { kind: "tanh" });
    const input = { ...options, inputShape: xShape };
    const { dx } = run.add("conv2dTransposeInputGradient", { dy: dYId, kernel: kId }, input);
    const { dx: dZ } = run.add("activationGradient", { dy: dx!, y: xId }, { kind: "elu" });
    const filter = { ...options, kernelShape: kShape, hasBias: true };
    const ids = { x: xId, dy: dYId, state: run.graph.state };
    const { dkernel, dbias } = run.add("conv2dTransposeFilterGradient", ids, filter);
    const [gotY, gotDZ, gotDK, gotDB] = await run.read([yTanh!, dZ!, dkernel!, dbias!], { tile });
    // The activations ride in the kernels.
    expect(run.graph.nodes.map(({ op }) => op)).toEqual([
      "conv2dTranspose",
      "conv2dTransposeInputGradient",
      "conv2dTransposeFilterGradient",
    ]);

    const used = (values: ArrayLike<number>) => Array.from(values).slice(0, (values.length / xShape[0]) * rows);
    const usedX: Shape4 = [rows, xShape[1], xShape[2], xShape[3]];
    const { dX, dK, dB } = conv2dTransposeGradients(used(x), usedX, k, kShape, used(dY), options);
    const terms = size(kernel);
    const wantY = activate("tanh", want.y);
    expectClose(used(gotY!), used(wantY), sumTolerance(terms * xShape[3]), "y");
    expectClose(
      used(gotDZ!),
      activationGradient("elu", Float64Array.from(used(x)), dX),
      sumTolerance(terms * filters),
      "dX",
    );
    expectClose(gotDK!, dK, sumTolerance(rows * xShape[1] * xShape[2]), "dK");
    expectClose(gotDB!, dB, sumTolerance((rows * size(want.shape)) / xShape[0] / filters), "dB");
  });
});

describe("an update in the filter gradient of a transposed convolution", () => {
  it.each([true, false])("steps the parameters, with a bias: %s", async (hasBias) => {
    const [xShape, kShape, yShape]: Shape4[] = [
      [3, 2, 3, 5],
      [2, 2, 3, 5],
      [3, 4, 6, 3],
    ];
    const options = { strides: [2, 2], padding: "same" } as const;
    const [x, dY] = [randomArray(size(xShape!), 1), randomArray(size(yShape!), 2)];
    const [k, b] = [randomArray(size(kShape!), 3), randomArray(3, 4)];
    const run = new GraphRun().rows(3);
    const ids = { x: run.input("x", xShape!, x), dy: run.input("dy", yShape!, dY), state: run.graph.state };
    const parameters = [run.input("k", kShape!, k), ...(hasBias ? [run.input("b", [3], b)] : [])];
    const rate = run.input("rate", [1], [0.25]);
    const attributes = { ...options, kernelShape: kShape!, hasBias };
    const made = run.add("conv2dTransposeFilterGradient", ids, attributes);
    parameters.forEach((p, i) => {
      run.add("sgd", { p, g: [made.dkernel, made.dbias][i]!, rate });
    });
    const got = await run.read(parameters);
    expect(run.graph.nodes.map(({ op }) => op)).toEqual(["conv2dTransposeFilterGradient"]);
    const { dK, dB } = conv2dTransposeGradients(x, xShape!, k, kShape!, dY, options);
    const wanted = [k.map((value, i) => value - 0.25 * dK[i]!), b.map((value, i) => value - 0.25 * dB[i]!)];
    got.forEach((values, i) => {
      expectClose(values, wanted[i]!, sumTolerance(72), `parameter ${i}`);
    });
  });
});

describe.each(nonFinite)("%s in a transposed convolution", (kind) => {
  it.each([3, 4])("goes where its products go, and nowhere else: %i channels", async (channels) => {
    const [xShape, kShape]: [Shape4, Shape4] = [
      [2, 3, 4, channels],
      [3, 2, 3, channels],
    ];
    const options = { strides: [2, 1], padding: "same" } as const;
    const x = withBits(randomArray(size(xShape), 1), kind, [0, size(xShape) - 5 * channels + 1]);
    const k = randomArray(size(kShape), 2);
    const want = conv2dTranspose(x, xShape, k, kShape, undefined, options);
    const dY = withBits(randomArray(want.y.length, 3), kind, [4, want.y.length - 11]);
    const sound = randomArray(size(xShape), 4);
    const run = new GraphRun().rows(2);
    const kId = run.input("k", kShape, k);
    const { y } = run.add("conv2dTranspose", { x: run.input("x", xShape, x), kernel: kId }, options);
    const dYId = run.input("dy", want.shape, dY);
    const { dx } = run.add(
      "conv2dTransposeInputGradient",
      { dy: dYId, kernel: kId },
      { ...options, inputShape: xShape },
    );
    const filter = { ...options, kernelShape: kShape, hasBias: true };
    const ids = { x: run.input("x2", xShape, sound), dy: dYId, state: run.graph.state };
    const { dkernel, dbias } = run.add("conv2dTransposeFilterGradient", ids, filter);
    const [gotY, gotDX, gotDK, gotDB] = await run.read([y!, dx!, dkernel!, dbias!]);
    const { dX, dK, dB } = conv2dTransposeGradients(sound, xShape, k, kShape, dY, options);
    expectCarried(gotY!, want.y, sumTolerance(6 * channels), "y");
    expectCarried(gotDX!, dX, sumTolerance(18), "dX");
    expectCarried(gotDK!, dK, sumTolerance(24), "dK");
    expectCarried(gotDB!, dB, sumTolerance(48), "dB");
  });
});
