import { describe, expect, it } from "vitest";
import type { Tile } from "../../../src/graph/tile.ts";
import {
  conv2d,
  conv2dFilterGradient,
  conv2dInputGradient,
  convGeometry,
  type Padding,
  type PaddingSizes,
  type Pair,
  type Shape4,
} from "../../reference/conv2d.ts";
import { randomArray } from "../../reference/random.ts";
import { expectClose } from "../../support/compare.ts";
import { GraphRun, pairsTile, quadsRun, quadTile, singlesTile } from "../../support/run-graph.ts";
import { sumTolerance } from "../../support/tolerances.ts";

interface Case {
  x: Shape4;
  kernel: readonly [number, number];
  filters: number;
  strides: readonly [number, number];
  padding: Padding | PaddingSizes;
  dilation?: Pair;
  groups?: number;
  tile: Tile;
}

const small: Tile = { blocksM: 1, blocksN: 1, workgroupM: 8, workgroupN: 8, slices: 3 };
const wide: Tile = { blocksM: 2, blocksN: 2, workgroupM: 2, workgroupN: 2, slices: 1 };

// Pairwise: channels by four or not, odd and even sizes, strides, paddings, tiles.
const CASES: Case[] = [
  { x: [1, 1, 1, 1], kernel: [1, 1], filters: 1, strides: [1, 1], padding: "valid", tile: small },
  { x: [2, 7, 5, 1], kernel: [5, 3], filters: 7, strides: [1, 2], padding: "same", tile: wide },
  { x: [3, 9, 8, 4], kernel: [3, 3], filters: 8, strides: [1, 1], padding: "valid", tile: wide },
  { x: [5, 6, 7, 8], kernel: [2, 4], filters: 5, strides: [3, 2], padding: "same", tile: small },
  { x: [2, 7, 7, 3], kernel: [3, 2], filters: 4, strides: [2, 1], padding: "valid", tile: small },
  { x: [5, 6, 7, 8], kernel: [2, 4], filters: 5, strides: [3, 2], padding: "same", tile: quadTile(1, 1, 3) },
  { x: [18, 5, 5, 3], kernel: [3, 2], filters: 20, strides: [2, 1], padding: "valid", tile: quadTile(2, 1, 2) },
  { x: [5, 6, 7, 3], kernel: [3, 2], filters: 9, strides: [1, 1], padding: "same", tile: pairsTile(1, 2, 3) },
  { x: [5, 7, 6, 1], kernel: [3, 3], filters: 6, strides: [1, 1], padding: "same", tile: singlesTile(3, 2, 5) },
];

const shared: Tile = { blocksM: 1, blocksN: 2, workgroupM: 2, workgroupN: 4, slices: 2, shared: true };
const plain = { strides: [1, 1], padding: "same" } as const;
const ahead: PaddingSizes = [
  [0, 2],
  [4, 0],
];

// Taps that are apart, of channels by four and not, and groups of each kind: by four in and out, by four on one side, and by neither.
const SPREAD: Case[] = [
  { x: [2, 7, 9, 4], kernel: [3, 3], filters: 5, ...plain, dilation: [2, 2], tile: small },
  { x: [3, 9, 8, 3], kernel: [3, 2], filters: 8, strides: [1, 1], padding: "valid", dilation: [1, 4], tile: wide },
  { x: [5, 6, 5, 8], kernel: [2, 3], filters: 4, ...plain, dilation: [5, 2], tile: shared },
  {
    x: [2, 9, 7, 2],
    kernel: [3, 3],
    filters: 3,
    strides: [1, 1],
    padding: ahead,
    dilation: [3, 2],
    tile: quadTile(1, 1, 2),
  },
  { x: [2, 5, 6, 3], kernel: [2, 3], filters: 4, strides: [2, 1], padding: ahead, tile: small },
  { x: [2, 7, 5, 8], kernel: [3, 3], filters: 16, ...plain, groups: 2, tile: wide },
  { x: [5, 6, 5, 6], kernel: [3, 2], filters: 9, strides: [2, 1], padding: "same", groups: 3, tile: small },
  {
    x: [3, 5, 5, 4],
    kernel: [3, 3],
    filters: 8,
    strides: [1, 1],
    padding: "valid",
    groups: 4,
    tile: pairsTile(1, 1, 2),
  },
  { x: [2, 6, 6, 10], kernel: [2, 2], filters: 8, ...plain, groups: 2, dilation: [2, 1], tile: singlesTile(1, 1, 3) },
  { x: [5, 5, 6, 8], kernel: [3, 3], filters: 10, ...plain, groups: 2, tile: shared },
];

const label = ({ x, kernel, filters, strides, padding }: Case) =>
  `x ${x.join("x")}, kernel ${kernel.join("x")}, ${filters} filters, strides ${strides.join("x")}, ${padding}`;

/** Padding as our ops take it: sizes are a geometry there. */
function paddingOf({ x: [, inH, inW], kernel: kernelSize, strides, padding, dilation = [1, 1] }: Case) {
  if (typeof padding === "string") return padding;
  const { outH, outW, padTop, padLeft } = convGeometry({ inH, inW, kernelSize, strides, padding, dilation });
  return { outH, outW, padH: padTop, padW: padLeft, padded: true };
}

describe.each([...CASES, ...SPREAD])("conv2d $x $kernel $filters $strides $padding $dilation $groups", (test) => {
  const { x: xShape, kernel, filters, strides, padding, dilation, groups = 1, tile } = test;
  const options = { strides, padding, ...(dilation && { dilation }), groups };
  const kShape: Shape4 = [...kernel, xShape[3] / groups, filters];
  const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
  const [x, k, b] = [randomArray(size(xShape), 1), randomArray(size(kShape), 2), randomArray(filters, 3)];
  const want = conv2d(x, xShape, k, kShape, b, options);

  it.runIf(quadsRun || !tile.quad)("matches the reference forward and backward", async () => {
    const dY = randomArray(size(want.shape), 4);
    const ours = { ...options, padding: paddingOf(test) };
    const run = new GraphRun();
    const [xId, kId, bId] = [run.input("x", xShape, x), run.input("k", kShape, k), run.input("b", [filters], b)];
    const dYId = run.input("dy", want.shape, dY);
    const { y } = run.add("conv2d", { x: xId, kernel: kId, bias: bId }, ours);
    const input = { ...ours, inputShape: xShape };
    const { dx: dX } = run.add("conv2dInputGradient", { dy: dYId, kernel: kId }, input);
    const filter = { ...ours, kernelShape: kShape, hasBias: true };
    const { dkernel: dK, dbias: dB } = run.add(
      "conv2dFilterGradient",
      { x: xId, dy: dYId, state: run.graph.state },
      filter,
    );
    const [gotY, gotDX, gotDK, gotDB] = await run.rows(xShape[0]).read([y!, dX!, dK!, dB!], { tile });

    const wantDX = conv2dInputGradient(dY, want.shape, k, kShape, xShape, options);
    const { dK: wantDK, dB: wantDB } = conv2dFilterGradient(x, xShape, dY, want.shape, kShape, options);
    const positions = size(want.shape) / filters;
    expectClose(gotY!, want.y, sumTolerance(size(kShape) / filters), `y of ${label(test)}`);
    expectClose(gotDX!, wantDX, sumTolerance(size(kShape) / kShape[2]), `dX of ${label(test)}`);
    expectClose(gotDK!, wantDK, sumTolerance(positions), `dK of ${label(test)}`);
    expectClose(gotDB!, wantDB, sumTolerance(positions), `dB of ${label(test)}`);
    expect(gotY!.length).toBe(want.y.length);
  });
});

describe("an update in the filter gradient", () => {
  it.each([
    { filters: 1, hasBias: true },
    { filters: 1, hasBias: false },
    { filters: 6, hasBias: false },
    { filters: 8, hasBias: true },
  ])("steps the parameters as the separate update does: %o", async ({ filters, hasBias }) => {
    const xShape: Shape4 = [3, 4, 5, 2];
    const kShape: Shape4 = [2, 1, 2, filters];
    const yShape: Shape4 = [3, 3, 5, filters];
    const [x, dY] = [randomArray(120, 1), randomArray(45 * filters, 2)];
    const [k, b] = [randomArray(4 * filters, 3), randomArray(filters, 4)];
    const options = { strides: [1, 1], padding: "valid" } as const;
    const step = async (keepGradient: boolean, adapter: "software" | "gpu") => {
      const run = new GraphRun().rows(3);
      const [xId, dYId] = [run.input("x", xShape, x), run.input("dy", yShape, dY)];
      const parameters = [run.input("k", kShape, k), ...(hasBias ? [run.input("b", [filters], b)] : [])];
      const rate = run.input("rate", [1], [0.25]);
      const attributes = { ...options, kernelShape: kShape, hasBias };
      const made = run.add("conv2dFilterGradient", { x: xId, dy: dYId, state: run.graph.state }, attributes);
      const gradients = hasBias ? [made.dkernel, made.dbias] : [made.dkernel];
      for (const [i, parameter] of parameters.entries()) run.add("sgd", { p: parameter, g: gradients[i]!, rate });
      const read = await run.read(keepGradient ? [...parameters, gradients[0]!] : parameters, { adapter });
      return { read, kernels: run.graph.nodes.map(({ op }) => op) };
    };
    const [fused, separate] = [await step(false, "software"), await step(true, "gpu")];
    expect(fused.kernels).toEqual(["conv2dFilterGradient"]);
    expect(separate.kernels).toEqual(["conv2dFilterGradient", "sgd", ...(hasBias ? ["sgd"] : [])]);
    const { dK, dB } = conv2dFilterGradient(x, xShape, dY, yShape, kShape, options);
    const wanted = [k.map((value, i) => value - 0.25 * dK[i]!), b.map((value, i) => value - 0.25 * dB[i]!)];
    for (const { read } of [fused, separate]) {
      for (const i of hasBias ? [0, 1] : [0]) expectClose(read[i]!, wanted[i]!, sumTolerance(45), `parameter ${i}`);
    }
  });
});

// As for a GPU: 8 invocations a sum, whose slices are no multiple of 8, and 64, a whole workgroup.
describe.each([
  { batch: 33, filters: 5 },
  { batch: 260, filters: 8 },
])("a filter gradient of $batch slices", ({ batch, filters }) => {
  it("is added up by several invocations a sum", async () => {
    const [xShape, kShape]: Shape4[] = [
      [batch, 4, 4, 3],
      [2, 2, 3, filters],
    ];
    const yShape: Shape4 = [batch, 3, 3, filters];
    const options = { strides: [1, 1], padding: "valid" } as const;
    const [x, dY] = [randomArray(batch * 48, 1), randomArray(batch * 9 * filters, 2)];
    const run = new GraphRun().rows(batch);
    const ids = { x: run.input("x", xShape!, x), dy: run.input("dy", yShape, dY), state: run.graph.state };
    const attributes = { ...options, kernelShape: kShape, hasBias: true };
    const { dkernel: dK, dbias: dB } = run.add("conv2dFilterGradient", ids, attributes);
    const [gotDK, gotDB] = await run.read([dK!, dB!], { tile: { ...small, slices: batch }, adapter: "gpu" });
    const want = conv2dFilterGradient(x, xShape!, dY, yShape, kShape!, options);
    expectClose(gotDK!, want.dK, sumTolerance(batch * 9), "dK");
    expectClose(gotDB!, want.dB, sumTolerance(batch * 9), "dB");
  });
});
