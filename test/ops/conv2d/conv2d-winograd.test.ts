import { describe, expect, it } from "vitest";
import { tensorOf } from "../../../src/graph/graph.ts";
import type { GraphEdit } from "../../../src/graph/op.ts";
import { byteLength, outputsOf, type TensorId } from "../../../src/graph/tensor.ts";
import type { Choices } from "../../../src/graph/tile.ts";
import { minSaving } from "../../../src/plan/shipped-tiles.ts";
import { Build } from "../../support/building.ts";
import { opFor } from "../../support/ops.ts";

type Pair = readonly [number, number];
type Window = { strides: Pair; padding: "valid" | "same"; pool?: Pair };

const valid: Window = { strides: [1, 1], padding: "valid" };
const winograd8 = { algorithm: "winograd8" };
const everyNode: Choices = { conv: winograd8, dx: winograd8, dk: winograd8 };

/** A convolution, and its gradients where dy is given. */
function convolution(
  size: number,
  kernel: Pair = [5, 5],
  {
    window = valid,
    inC = 16,
    outC = 16,
    batch = 2,
  }: { window?: Window; inC?: number; outC?: number; batch?: number } = {},
) {
  const build = new Build();
  const x = build.input("x", [batch, size, size, inC]);
  const kShape = [...kernel, inC, outC];
  const k = build.input("k", kShape);
  const { y, routes } = build.add("conv2d", { x, kernel: k }, window, "conv");
  const dY = build.input("dy", tensorOf(build.graph, y!).shape);
  const gradients = () => {
    const attributes = { ...window, inputShape: [batch, size, size, inC] };
    const { dx } = build.add("conv2dInputGradient", { dy: dY, kernel: k, routes }, attributes, "dx");
    const filter = { ...window, kernelShape: kShape, hasBias: false };
    const inputs = { x, dy: dY, state: build.graph.state, routes };
    const { dkernel } = build.add("conv2dFilterGradient", inputs, filter, "dk");
    return { dX: dx!, dK: dkernel! };
  };
  return { build, x, k, y: y!, dY, gradients };
}

const count = (build: Build, op: string) => build.order.filter((each) => each === op).length;
const counts = (build: Build) =>
  ["winogradInput", "winogradFilter", "winogradOutputGradient"].map((op) => count(build, op));

describe("the nodes of Winograd's convolution", () => {
  it("are the two transforms, the product and the way back where only the forward pass runs", () => {
    const { build, y } = convolution(8);
    build.want(y).rewrite({ choices: { conv: winograd8 } });
    expect(build.order).toEqual(["winogradInput", "winogradFilter", "matmul", "winogradOutput"]);
    expect(build.graph.nodes.map(({ name }) => name)).toEqual([
      "conv/winogradInput",
      "conv/winogradFilter",
      "conv/matmul",
      "conv/winogradOutput",
    ]);
  });

  it("share x, the kernel and dy at the points, each made once", () => {
    const { build, y, gradients } = convolution(8);
    const { dX, dK } = gradients();
    build.want(y, dX, dK).rewrite({ choices: everyNode });
    expect(counts(build)).toEqual([1, 1, 1]);
    expect(build.order).toHaveLength(9);
    const made = (op: string) => outputsOf(build.graph.nodes.find((node) => node.op === op)!)[0];
    const [v, u, dM] = ["winogradInput", "winogradFilter", "winogradOutputGradient"].map(made) as TensorId[];
    const products = build.graph.nodes.filter(({ op }) => op === "matmul");
    expect(products.map(({ inputs, attributes }) => [inputs, attributes])).toEqual([
      [{ a: v, b: u }, {}],
      [{ a: dM, b: u }, { transposeB: true }],
      [{ a: v, b: dM }, { transposeA: true }],
    ]);
  });

  it.each([
    ["dK", [1, 0, 1]],
    ["dX", [0, 1, 1]],
  ] as const)("are those that lead to %s where it alone is wanted", (wanted, expected) => {
    const { build, gradients } = convolution(8, [5, 5], { batch: 32 });
    const made = gradients();
    build.want(made[wanted]).rewrite({ minSaving: 1 });
    expect(counts(build)).toEqual(expected);
    expect(Object.keys(build.algorithms)).toEqual([wanted === "dX" ? "dx" : "dk"]);
  });

  it("share nothing across different sets of points", () => {
    const { build, y, gradients } = convolution(8, [3, 3]);
    const { dX, dK } = gradients();
    const choices = { conv: winograd8, dx: winograd8, dk: { algorithm: "winograd6" } };
    build.want(y, dX, dK).rewrite({ choices });
    expect(counts(build)).toEqual([2, 1, 2]);
  });

  it("share nothing with a convolution of another image, of another size or by another kernel", () => {
    const { build, x, k, y } = convolution(8, [3, 3]);
    const [other, image] = [build.input("k2", [3, 3, 16, 16]), build.input("x2", [2, 8, 8, 16])];
    const { y: byOther } = build.add("conv2d", { x, kernel: other }, valid, "byOther");
    const { y: ofImage } = build.add("conv2d", { x: image, kernel: k }, valid, "ofImage");
    const { y: padded } = build.add("conv2d", { x, kernel: k }, { ...valid, padding: "same" }, "padded");
    const choices = Object.fromEntries(["conv", "byOther", "ofImage", "padded"].map((name) => [name, winograd8]));
    build.want(y, byOther!, ofImage!, padded!).rewrite({ choices });
    // byOther takes conv's x, ofImage takes conv's kernel; padded shares neither.
    expect([count(build, "winogradInput"), count(build, "winogradFilter")]).toEqual([3, 3]);
  });

  it("read the kernel at the points before an update changes it", () => {
    const { build, k, y, gradients } = convolution(8);
    const { dX, dK } = gradients();
    build.add("sgd", { p: k, g: dK, rate: build.input("rate", [1]) });
    build.want(y, dX).rewrite({ choices: everyNode });
    expect(build.order).not.toContain("sgd");
    expect(build.order.at(-1)).toBe("winogradFilterGradient");
    expect(build.graph.nodes.at(-1)).toMatchObject({ updates: [k], outputs: {} });
  });

  it("keep a gradient that somebody wants to see, and update apart", () => {
    const { build, k, gradients } = convolution(8);
    const { dK } = gradients();
    build.add("sgd", { p: k, g: dK, rate: build.input("rate", [1]) });
    build.want(dK).rewrite({ choices: { dk: winograd8 } });
    expect(build.order.slice(-2)).toEqual(["winogradFilterGradient", "sgd"]);
  });
});

describe("what Winograd's convolution saves", () => {
  /** By points: of the convolution, and the same of both gradients. */
  function savings(...call: Parameters<typeof convolution>) {
    const { build, gradients } = convolution(...call);
    gradients();
    const edit = { tensor: (id: TensorId) => tensorOf(build.graph, id) } as GraphEdit;
    const algorithms = build.graph.nodes.map((node) => opFor(node.op).algorithms!);
    const [forward, ...backward] = build.graph.nodes.map((node, i) =>
      algorithms[i]!.map(({ saving }) => saving(edit, node)),
    );
    for (const each of backward) expect(each).toEqual(forward);
    const names = ["winograd6", "winograd7", "winograd8"];
    for (const each of algorithms) expect(each.map(({ name }) => name)).toEqual(names);
    return { winograd6: forward![0]!, winograd7: forward![1]!, winograd8: forward![2]! };
  }

  it("is the products left out, less what the transforms cost", () => {
    // A tile of 4 x 4 by 5 x 5 taps: 400 products directly, 64 at the points.
    const many = savings(8, [5, 5], { inC: 1e6, outC: 1e6, batch: 1e6 });
    expect(many.winograd8).toBeCloseTo(400 / 64, 3);
    expect(many.winograd6).toBeCloseTo(100 / 36, 3);
    expect(savings(8, [5, 5], { inC: 32, outC: 64, batch: 32 }).winograd8).toBeGreaterThan(1.5);
    // A first convolution, of one channel, stays as it is.
    for (const saving of Object.values(savings(28, [5, 5], { inC: 1, outC: 32 }))) expect(saving).toBeLessThan(1);
  });

  it("is too little for one image of the article's second convolution, and enough for eight", () => {
    const saving = (batch: number) => savings(12, [5, 5], { inC: 32, outC: 64, batch }).winograd8;
    expect(saving(1)).toBeLessThan(minSaving("fast"));
    expect(saving(8)).toBeGreaterThan(minSaving("fast"));
  });

  it("is less where the last tile is not full", () => {
    expect(savings(13, [5, 5]).winograd8).toBeLessThan(savings(12, [5, 5]).winograd8);
  });

  it.each<[string, Pair, Window]>([
    ["strides down", [5, 5], { ...valid, strides: [2, 1] }],
    ["strides across", [5, 5], { ...valid, strides: [1, 2] }],
    ["a kernel of 3 x 5", [3, 5], valid],
    ["a kernel of one tap", [1, 1], valid],
    ["tiles of one output", [8, 8], valid],
    ["more taps than points", [9, 9], valid],
  ])("is nothing for %s", (_, kernel, window) => {
    expect(savings(12, kernel, { window })).toEqual({ winograd6: 0, winograd7: 0, winograd8: 0 });
  });

  it.each<[kernel: number, pool: Pair, six: boolean, eight: boolean]>([
    // Tiles of 2 and 4.
    [5, [2, 2], true, true],
    [5, [4, 1], false, true],
    [5, [1, 4], false, true],
    // Of 3 and 5.
    [4, [2, 2], false, false],
    // Of 4 and 6.
    [3, [2, 2], true, true],
    [3, [4, 1], true, false],
    [3, [1, 4], true, false],
  ])("is less where tiles of %i taps do not hold whole windows of a pooling by %o", (kernel, pool, six, eight) => {
    const plain = savings(12, [kernel, kernel]);
    const pooled = savings(12, [kernel, kernel], { window: { ...valid, pool } });
    expect([pooled.winograd6 === plain.winograd6, pooled.winograd8 === plain.winograd8]).toEqual([six, eight]);
    expect(pooled.winograd6).toBeGreaterThan(plain.winograd6 / 2);
  });

  it("is largest at the points whose tiles fit the image best", () => {
    const best = (size: number, kernel: number) => {
      const saving = savings(size, [kernel, kernel], { inC: 32, outC: 32, batch: 32 });
      return Object.entries(saving).reduce((a, b) => (b[1] > a[1] ? b : a))[0];
    };
    // 10, 12 and 8 outputs along each axis.
    expect([best(12, 3), best(14, 3), best(12, 5)]).toEqual(["winograd7", "winograd8", "winograd8"]);
  });

  it("pools in a kernel of its own where windows lie across tiles", () => {
    const pool = [2, 2] as const;
    const ops = (points: number) => {
      const { build, y } = convolution(12, [3, 3], { window: { ...valid, pool } });
      build.want(y).rewrite({ choices: { conv: { algorithm: `winograd${points}` } } });
      return build.order.slice(3);
    };
    expect(ops(6)).toEqual(["winogradOutput"]);
    expect(ops(7)).toEqual(["winogradOutput", "windowPooling"]);
  });

  it.each([
    ["the patches of x", { inC: 32, outC: 16, batch: 8 }],
    ["the tiles of y", { inC: 16, outC: 32, batch: 8 }],
    ["the kernel", { inC: 48, outC: 40, batch: 1 }],
  ])("is known to take a tensor as large as %s at the points", (_, sizes) => {
    const nodes = ["conv", "dx", "dk"];
    for (const [i, name] of ["winograd6", "winograd7", "winograd8"].entries()) {
      const { build, y, gradients } = convolution(11, [3, 3], { window: { ...valid, padding: "same" }, ...sizes });
      const { dX, dK } = gradients();
      build.want(y, dX, dK);
      const edit = { tensor: (id: TensorId) => tensorOf(build.graph, id) } as GraphEdit;
      const told = build.graph.nodes.map((node) => opFor(node.op).algorithms![i]!.largestTensor!(edit, node));
      const known = build.graph.tensors.length;
      build.rewrite({ choices: Object.fromEntries(nodes.map((node) => [node, { algorithm: name }])) }).lower();
      const largest = Math.max(...build.graph.tensors.slice(known).map(byteLength));
      expect(told).toEqual(nodes.map(() => largest));
    }
  });

  it("is there for same padding, and for an image smaller than a tile", () => {
    expect(savings(3, [5, 5], { window: { ...valid, padding: "same" } }).winograd8).toBeGreaterThan(0);
    expect(savings(7, [7, 7]).winograd8).toBeGreaterThan(0);
  });
});
